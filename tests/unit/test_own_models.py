"""A user's own ONNX file in the store."""

import hashlib
import json
from pathlib import Path

import pytest
from maskwright.errors import MaskwrightError, ModelError
from store_bench import BUILTIN, U2NETP, Bench


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def own_file(tmp_path: Path) -> Path:
    """The built-in network in other bytes: a trailing producer_name is harmless."""
    path = tmp_path / "My network.onnx"
    path.write_bytes((BUILTIN / "u2netp.onnx").read_bytes() + b"\x12\x03own")
    return path


def test_an_own_model_is_copied_remembered_and_used_by_its_id(bench: Bench, tmp_path: Path) -> None:
    source = own_file(tmp_path)
    spec = bench.store.add(source, "alpha")
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    assert spec.id == f"own-{sha256[:12]}"
    assert spec.contract == U2NETP.contract
    assert "My network" in spec.title
    path = bench.store.path(spec.id)
    assert path == bench.root / spec.id / f"{spec.id}.onnx"
    assert path.read_bytes() == source.read_bytes()
    assert path.stat().st_nlink == 1
    source.unlink()
    again = bench.again()
    assert again.spec(spec.id) == spec
    assert again.get(spec.id) == path
    assert [found.spec for found in again.installed()][-1] == spec
    assert not (bench.root / "incoming.part").exists()
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert bench.code(spec.id) == "bad-hash"
    with pytest.raises(ModelError) as caught:
        again.get(spec.id)
    assert caught.value.code == "bad-hash"
    again.remove(spec.id)
    assert not path.parent.exists()
    assert bench.code(spec.id) == "unknown-model"


def test_adding_twice_is_harmless_and_a_link_is_copied(bench: Bench, tmp_path: Path) -> None:
    source = own_file(tmp_path)
    link = tmp_path / "link.onnx"
    link.symlink_to(source)
    assert bench.store.add(source, "alpha").id == bench.store.add(link, "u2netp").id
    assert bench.code(bench.store.add(link, "alpha").id) == "fine"
    source.write_bytes(b"changed")
    assert bench.code(bench.store.installed()[-1].spec.id) == "fine"


def test_a_published_file_becomes_that_model(bench: Bench) -> None:
    assert bench.store.add(BUILTIN / "u2netp.onnx", "alpha") == U2NETP
    assert [found.spec.id for found in bench.store.installed()] == ["u2netp"]


def test_what_cannot_be_added_leaves_nothing(bench: Bench, tmp_path: Path) -> None:
    junk = tmp_path / "junk.onnx"
    junk.write_bytes(b"junk")
    foreign = tmp_path / "foreign.onnx"
    # One node of another domain, in a second graph field, which the format merges into the first.
    foreign.write_bytes(
        (BUILTIN / "u2netp.onnx").read_bytes() + b"\x3a\x0b\x0a\x09\x22\x01R\x3a\x04evil"
    )
    for file, like, code in (
        (junk, "alpha", "bad-model-file"),
        (foreign, "alpha", "foreign-operators"),
        (own_file(tmp_path), "no-such-model", "unknown-model"),
        (tmp_path / "missing.onnx", "alpha", "unreadable-file"),
        (tmp_path, "alpha", "unreadable-file"),
    ):
        with pytest.raises(MaskwrightError) as caught:
            bench.store.add(file, like)
        assert caught.value.code == code
        kept = {path.name for path in bench.root.iterdir()} if bench.root.exists() else set()
        assert kept <= {"locks"}


def test_a_note_that_was_tampered_with_is_not_a_model(bench: Bench, tmp_path: Path) -> None:
    spec = bench.store.add(own_file(tmp_path), "alpha")
    note = bench.root / spec.id / "note.json"
    good = json.loads(note.read_text(encoding="utf-8"))
    for change in (
        {"sha256": "f" * 64},
        {"contract": {**good["contract"], "mean": [0]}},
        {"contract": {**good["contract"], "resize": "squeeze"}},
        {"bytes": "many"},
    ):
        note.write_text(json.dumps({**good, **change}), encoding="utf-8")
        assert bench.code(spec.id) == "unknown-model"
    note.write_text("[]", encoding="utf-8")
    assert [found.spec.id for found in bench.store.installed()] == ["u2netp"]
