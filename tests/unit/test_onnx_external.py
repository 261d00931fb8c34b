"""A user's own model may not reach for any other file, however it names it; onnxruntime would."""

from collections.abc import Callable
from pathlib import Path

import pytest
from maskwright.errors import ModelError
from maskwright.models.store import open_store
from tiny_onnx import SOURCE, node, value, write_model

WEIGHT = bytes(4)  # one float
EXTERNAL = bytes([14 << 3, 1])


def span(field: int, content: bytes) -> bytes:
    """A field with its length in two bytes, which the format allows for short ones too."""
    size = len(content)
    return bytes([field << 3 | 2, size & 0x7F | 0x80, size >> 7]) + content


def factor(location: str | None) -> bytes:
    """A tensor of one float, which is in a file or here."""
    tensor = bytes([1 << 3, 1, 2 << 3, 1]) + span(8, b"factor")
    if location is None:
        return tensor + span(9, WEIGHT)
    return tensor + span(13, span(1, b"location") + span(2, location.encode())) + EXTERNAL


def beside(folder: Path) -> str:
    (folder / "w.bin").write_bytes(WEIGHT)
    return "w.bin"


def above(folder: Path) -> str:
    (folder.parent / "w.bin").write_bytes(WEIGHT)
    return "../w.bin"


def anywhere(folder: Path) -> str:
    (folder.parent / "w.bin").write_bytes(WEIGHT)
    return str(folder.parent / "w.bin")


def symlink(folder: Path) -> str:
    (folder / "link.bin").symlink_to(anywhere(folder))
    return "link.bin"


def hard_link(folder: Path) -> str:
    (folder / "hard.bin").hardlink_to(anywhere(folder))
    return "hard.bin"


def missing(folder: Path) -> str:
    return "nowhere.bin"


def scaled_mean(path: Path, weight: bytes) -> Path:
    nodes = [node("ReduceMean", "src", "mean"), node("Mul", "mean factor", "out")]
    return write_model(path, nodes, [SOURCE], [value("out", (1, 1, "h", "w"))], [weight])


@pytest.mark.parametrize("place", [beside, above, anywhere, symlink, hard_link, missing])
def test_external_data_is_refused_wherever_it_lies(tmp_path: Path, place: Callable[[Path], str]):
    folder = tmp_path / "theirs"
    folder.mkdir()
    file = scaled_mean(folder / "m.onnx", factor(place(folder)))
    store = open_store({"MASKWRIGHT_MODELS": str(tmp_path / "models")})
    with pytest.raises(ModelError) as caught:
        store.add(file, "u2netp")
    assert caught.value.code == "external-data"
    assert [one.spec.id for one in store.installed()] == ["u2netp"]
    assert list((tmp_path / "models").rglob("*.onnx*")) == []


def test_the_same_with_its_weight_inside_is_taken(tmp_path: Path):
    file = scaled_mean(tmp_path / "m.onnx", factor(None))
    spec = open_store({"MASKWRIGHT_MODELS": str(tmp_path / "models")}).add(file, "u2netp")
    assert spec.id.startswith("own-")
