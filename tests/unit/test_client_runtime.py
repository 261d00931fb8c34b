"""A runtime file: what it must say, whose it must be, and what a client makes of a bad one."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from maskwright_client.codec import to_json
from maskwright_client.errors import ClientError, EngineAbsent, EngineRefused, VersionMismatch
from maskwright_client.places import Places, locate
from maskwright_client.protocol import RuntimeFile
from maskwright_client.runtime import Trace, check_versions, parse_trace, read_trace, traces
from wire_examples import FULL

GOOD = to_json(FULL["runtime-file"])
assert isinstance(FULL["runtime-file"], RuntimeFile)


def written(path: Path, **changes: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    path.write_text(json.dumps(GOOD | changes), encoding="utf-8")
    path.chmod(0o600)
    return path


def reading_error(path: Path) -> ClientError:
    with pytest.raises(ClientError) as caught:
        read_trace(path)
    return caught.value


def test_a_good_file(tmp_path: Path):
    found = read_trace(written(tmp_path / "run" / "engine.json"))
    assert found == Trace(40123, "x" * 43, "0123abcd", 1, 1)


def test_a_file_that_is_not_there(tmp_path: Path):
    assert isinstance(reading_error(tmp_path / "run" / "engine.json"), EngineAbsent)
    (tmp_path / "run").write_text("no folder")
    assert isinstance(reading_error(tmp_path / "run" / "engine.json"), EngineRefused)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1",
        "http://127.0.0.1:",
        "http://127.0.0.1:0",
        "http://127.0.0.1:080",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:80/",
        "http://127.0.0.1:80\n",
        "http://127.0.0.1:80@evil.example",
        "https://127.0.0.1:80",
        "HTTP://127.0.0.1:80",
        "http://localhost:80",
        "http://[::1]:80",
        "http://0.0.0.0:80",
        "http://127.1:80",
        "http://127.0.0.1.evil.example:80",
        "http://user@127.0.0.1:80",
        "http://127.0.0.1:\u0661\u0662",
        "",
    ],
)
def test_another_place_than_the_loopback_is_no_engine(url: str):
    with pytest.raises(EngineAbsent):
        parse_trace(json.dumps(GOOD | {"url": url}).encode())


@pytest.mark.parametrize(
    "token",
    ["", "short", "x" * 257, "x" * 42 + "\n", "x" * 40 + "\r\nA: b", "\u00e9" * 43, " " * 43],
)
def test_a_token_that_is_none_is_no_engine(token: str):
    with pytest.raises(EngineAbsent):
        parse_trace(json.dumps(GOOD | {"token": token}).encode())


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema":1}', b'{"schema":"1"}', b"\x00"])
def test_a_damaged_file_is_no_engine(content: bytes):
    """Starting one writes a good file."""
    with pytest.raises(EngineAbsent):
        parse_trace(content)


@pytest.mark.parametrize(
    ("schema", "code"), [(0, "engine-too-old"), (2, "plugin-too-old"), (99, "plugin-too-old")]
)
def test_another_schema_is_another_version(schema: int, code: str):
    with pytest.raises(VersionMismatch) as caught:
        parse_trace(json.dumps({"schema": schema, "all": "different"}).encode())
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("low", "high", "code"),
    [
        (1, 1, None),
        (0, 5, None),
        (0, 0, "engine-too-old"),
        (2, 2, "plugin-too-old"),
    ],
)
def test_versions_must_overlap(low: int, high: int, code: str | None):
    if code is None:
        check_versions(low, high)
        return
    with pytest.raises(VersionMismatch) as caught:
        check_versions(low, high)
    assert caught.value.code == code


def make_link(path: Path) -> None:
    path.rename(path.with_name("other"))
    path.symlink_to("other")


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


SPOILS: dict[str, tuple[Callable[[Path], object], str]] = {
    "readable by the group": (lambda path: path.chmod(0o640), "chmod go-rwx"),
    "readable by others": (lambda path: path.chmod(0o604), "chmod go-rwx"),
    "writable by others": (lambda path: path.chmod(0o602), "chmod go-rwx"),
    "a folder for the group": (lambda path: path.parent.chmod(0o770), "chmod go-w"),
    "a folder for all": (lambda path: path.parent.chmod(0o777), "chmod go-w"),
    "a link": (make_link, "a link"),
    "a folder": (make_folder, "no ordinary file"),
    "a pipe": (make_pipe, "no ordinary file"),
    "huge": (lambda path: os.truncate(path, 1 << 30), "too large"),
}


@pytest.mark.skipif(os.name != "posix", reason="about POSIX permissions")
@pytest.mark.parametrize(("spoil", "said"), SPOILS.values(), ids=SPOILS.keys())
def test_a_file_that_somebody_else_may_have_written_is_refused(
    tmp_path: Path, spoil: Callable[[Path], object], said: str
):
    path = written(tmp_path / "run" / "engine.json")
    spoil(path)
    error = reading_error(path)
    assert isinstance(error, EngineRefused)
    assert error.code == "unsafe-file"
    assert said in error.message
    assert str(path) in error.message or str(path.parent) in error.message


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("whose", ["file", "folder"])
def test_somebody_elses_file_is_refused(tmp_path: Path, whose: str):
    path = written(tmp_path / "run" / "engine.json")
    os.chown(path if whose == "file" else path.parent, 65534, 65534)
    error = reading_error(path)
    assert isinstance(error, EngineRefused)
    assert "another user" in error.message


@pytest.fixture
def places(home: Path) -> Places:
    return locate("linux", {}, home)


def ports(places: Places, environ: dict[str, str]) -> list[int]:
    return [trace.port for trace in traces(places, environ)]


def test_outside_of_a_snap_there_is_one_place(places: Places):
    assert ports(places, {}) == []
    written(places.runtime_file)
    assert ports(places, {}) == [40123]


def test_inside_a_snap_its_own_place_comes_first(places: Places, home: Path):
    environ = {"SNAP_USER_COMMON": str(home / "snap/gimp/common")}
    written(places.runtime_file)
    assert ports(places, environ) == [40123]
    copy = written(home / "snap/gimp/common/maskwright/engine.json", url="http://127.0.0.1:5")
    assert ports(places, environ) == [5, 40123]
    places.runtime_file.chmod(0o644)  # as unreadable as all hidden folders are for a snap
    assert ports(places, environ) == [5]
    copy.chmod(0o644)
    with pytest.raises(EngineRefused):
        ports(places, environ)


def test_a_token_is_in_no_picture_of_a_trace(tmp_path: Path):
    assert "xxx" not in repr(read_trace(written(tmp_path / "run" / "engine.json")))
