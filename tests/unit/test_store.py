"""The models folder: recognising, checking, loading and removing files by id."""

import os
import threading
from pathlib import Path

import pytest
from maskwright.cancel import CancelToken
from maskwright.errors import Cancelled, InputError, ModelError
from maskwright.models.access import Access
from maskwright.models.store import Store, default_root
from store_bench import BUILTIN, CATALOGUE, CONTENTS, HOUR, Bench


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def test_the_folder_is_the_users_unless_the_environment_names_one(tmp_path: Path) -> None:
    assert default_root({"MASKWRIGHT_MODELS": str(tmp_path)}) == tmp_path
    assert default_root({}).parts[-2:] == ("maskwright", "models")
    assert default_root({"MASKWRIGHT_MODELS": ""}).parts[-2:] == ("maskwright", "models")


def test_the_built_in_model_needs_no_folder(bench: Bench) -> None:
    path = bench.store.path("u2netp")
    assert path == BUILTIN / "u2netp.onnx"
    assert bench.store.get("u2netp") == path
    assert bench.store.path("u2netp") == path
    assert bench.hashed == ["u2netp.onnx"]  # once a process
    assert not bench.root.exists()
    with pytest.raises(InputError) as caught:
        bench.store.remove("u2netp")
    assert caught.value.code == "builtin-model"
    assert path.is_file()


def test_a_damaged_built_in_model_is_never_used(bench: Bench, tmp_path: Path) -> None:
    content = bytearray((BUILTIN / "u2netp.onnx").read_bytes())
    content[1000] ^= 1
    (tmp_path / "u2netp.onnx").write_bytes(content)
    store = Store(
        bench.root,
        CATALOGUE,
        fetch=bench._fetch,
        access=Access(bench.settings, {}),
        builtin=tmp_path,
    )
    for use in (store.path, store.get):
        with pytest.raises(ModelError) as caught:
            use("u2netp")
        assert caught.value.code == "bad-hash"
        assert "install Maskwright again" in str(caught.value)


def test_a_model_that_is_not_there_says_how_to_get_it(bench: Bench) -> None:
    with pytest.raises(ModelError) as caught:
        bench.store.path("alpha")
    assert caught.value.code == "model-missing"
    assert "maskwright models get alpha" in str(caught.value)


@pytest.mark.parametrize(
    "hostile",
    ["../x", "/etc/passwd", "%2e%2e", "con", "alpha\0", "own-../../etc", "own-0123456789ab", "A"],
)
def test_ids_never_become_paths_by_themselves(bench: Bench, hostile: str) -> None:
    for use in (bench.store.path, bench.store.get, bench.store.remove, bench.store.spec):
        with pytest.raises(InputError) as caught:
            use(hostile)
        assert caught.value.code == "unknown-model"
    assert not bench.root.exists()


def test_getting_loads_once_and_seals(bench: Bench) -> None:
    seen: list[tuple[int, int]] = []
    path = bench.store.get("alpha", progress=lambda done, total: seen.append((done, total)))
    assert path == bench.root / "alpha" / "alpha.onnx"
    assert seen == [(1000, 1000)]
    assert bench.store.get("alpha") == path
    assert bench.again().path("alpha") == path
    assert bench.fetched == ["alpha"]
    assert bench.hashed == []  # the download hashed it; nothing since
    assert [found.spec.id for found in bench.store.installed()] == ["u2netp", "alpha"]


def test_a_file_is_hashed_again_when_it_changed_after_a_week_and_on_doubt(bench: Bench) -> None:
    path = bench.store.get("alpha")
    bench.again()
    for change, hashings in (
        (lambda: None, 0),
        (lambda: os.utime(path, (1, 1)), 1),
        (lambda: setattr(bench.clock, "now", bench.clock.now + 167 * HOUR), 0),
        (lambda: setattr(bench.clock, "now", bench.clock.now + 2 * HOUR), 1),
        (lambda: setattr(bench.clock, "now", bench.clock.now - HOUR), 1),  # the clock went back
        (lambda: (path.parent / "seal.json").write_text("{"), 1),
        (lambda: (path.parent / "seal.json").write_text('{"size": {}}'), 1),
        (lambda: (path.parent / "seal.json").unlink(), 1),
    ):
        change()
        bench.hashed.clear()
        bench.again()
        assert bench.code("alpha") == bench.code("alpha") == "fine"
        assert len(bench.hashed) == hashings
    assert bench.code("alpha", doubt=True) == "fine"
    assert len(bench.hashed) == 2


def test_a_flipped_byte_is_found_and_cured(bench: Bench) -> None:
    path = bench.store.get("alpha")
    info = path.stat()
    path.write_bytes(b"a" * 999 + b"x")
    bench.again()
    assert bench.code("alpha") == "bad-hash"
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))  # hidden as well as can be
    assert bench.code("alpha", doubt=True) == "bad-hash"
    path.write_bytes(b"short")
    assert bench.code("alpha") == "bad-hash"
    problems = {found.spec.id: found.problem for found in bench.store.installed()}
    assert problems["u2netp"] is None
    assert "maskwright models get alpha" in str(problems["alpha"])
    assert bench.store.get("alpha").read_bytes() == CONTENTS["alpha"]
    assert bench.code("alpha") == "fine"


def test_links_are_refused(bench: Bench, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.onnx"
    elsewhere.write_bytes(CONTENTS["alpha"])
    path = bench.put("alpha/alpha.onnx", b"")
    for link in (path.symlink_to, path.hardlink_to):
        path.unlink()
        link(elsewhere)
        assert bench.code("alpha") == "model-linked"
    assert bench.store.get("alpha") == path
    assert not path.is_symlink()
    assert path.stat().st_nlink == 1
    assert bench.code("alpha") == "fine"
    (bench.root / "linked.onnx").symlink_to(elsewhere)
    bench.store.remove("alpha")
    assert bench.code("alpha") == "model-missing"


@pytest.mark.parametrize("name", ["any name.onnx", "alpha/model.onnx", "weights.bin"])
def test_a_dropped_in_file_is_recognised_by_its_hash(bench: Bench, name: str) -> None:
    dropped = bench.put(name, CONTENTS["alpha"])
    assert bench.store.path("alpha") == bench.root / "alpha" / "alpha.onnx"
    assert not dropped.exists()
    assert bench.again().path("alpha").read_bytes() == CONTENTS["alpha"]
    assert len(bench.hashed) == 1
    assert bench.fetched == []
    bench.store.remove("alpha")
    assert bench.code("alpha") == "model-missing"


def test_other_files_in_the_folder_are_hashed_once_and_left_alone(bench: Bench) -> None:
    holiday = bench.put("holiday.jpg", b"h" * 1000)  # as large as alpha and beta
    bench.put("notes.txt", b"n")
    for _ in range(3):
        assert [found.spec.id for found in bench.again().installed()] == ["u2netp"]
    assert bench.hashed.count("holiday.jpg") == 1
    assert "notes.txt" not in bench.hashed
    holiday.write_bytes(CONTENTS["beta"])
    assert [found.spec.id for found in bench.again().installed()] == ["u2netp", "beta"]


def test_half_a_download_is_not_a_model(bench: Bench) -> None:
    bench.put("alpha/alpha.onnx.part", CONTENTS["alpha"])
    assert bench.code("alpha") == "model-missing"


def test_a_folder_that_cannot_be_made_does_not_hide_a_file_that_is_there(bench: Bench) -> None:
    dropped = bench.put("alpha copy.onnx", CONTENTS["alpha"])
    bench.put("alpha", b"a file where the model's folder should be")
    bench.put("beta", b"likewise")
    assert bench.store.path("alpha") == dropped
    assert bench.store.path("alpha") == dropped
    assert len(bench.hashed) == 1
    with pytest.raises(ModelError) as caught:
        bench.store.get("beta")
    assert caught.value.code == "store-unwritable"


def test_a_models_folder_that_is_a_file_is_one_sentence(bench: Bench) -> None:
    bench.root.write_text("in the way", encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        bench.store.get("alpha")
    assert caught.value.code == "store-unwritable"
    assert [found.spec.id for found in bench.store.installed()] == ["u2netp"]


def test_removing_deletes_what_is_ours_and_nothing_else(bench: Bench) -> None:
    bench.store.get("alpha")
    bench.store.get("beta")
    other = bench.put("beta/readme.txt", b"mine")
    bench.store.remove("alpha")
    bench.store.remove("beta")
    assert not (bench.root / "alpha").exists()
    assert list((bench.root / "beta").iterdir()) == [other]
    with pytest.raises(ModelError) as caught:
        bench.store.remove("alpha")
    assert caught.value.code == "model-missing"


def test_waiting_for_another_download_can_be_cancelled(bench: Bench) -> None:
    token = CancelToken()
    with bench.store._shelf.lock("alpha", CancelToken()):
        threading.Timer(0.2, token.cancel).start()
        with pytest.raises(Cancelled):
            bench.store.get("alpha", cancel=token)
    assert bench.fetched == []
    assert bench.store.get("alpha").is_file()
