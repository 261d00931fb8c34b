"""Files that may be believed, and files that nobody else may read."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from maskwright_client import trust
from maskwright_client.errors import EngineRefused

pytestmark = pytest.mark.skipif(os.name != "posix", reason="about POSIX permissions")
as_root = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="only root gives files away"
)
STRANGER = 65534


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program as an installer leaves it: a link in a folder of ours to a file elsewhere."""
    (tmp_path / "env").mkdir(mode=0o755)
    (tmp_path / "usr").mkdir(mode=0o755)
    (tmp_path / "usr" / "python3").write_text("#!/bin/sh\n")
    (tmp_path / "usr" / "python3").chmod(0o755)
    (tmp_path / "env" / "python").symlink_to(tmp_path / "usr" / "python3")
    return tmp_path / "env" / "python"


def test_a_program_of_ones_own_is_believed(program: Path):
    trust.check_program(program)


PLACES = {
    "the link's folder": lambda path: path.parent,
    "the file": lambda path: path.resolve(),
    "the file's folder": lambda path: path.resolve().parent,
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
def test_a_program_that_others_can_change_is_not(
    program: Path, place: Callable[[Path], Path], mode: int
):
    place(program).chmod(mode)
    with pytest.raises(EngineRefused, match="chmod go-w"):
        trust.check_program(program)


@as_root
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_a_program_of_somebody_elses_is_not(
    program: Path, place: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trust, "_system", lambda: frozenset([0]))
    os.chown(place(program), STRANGER, STRANGER)
    with pytest.raises(EngineRefused, match="another user"):
        trust.check_program(program)


@as_root
def test_in_a_sandbox_that_knows_of_no_root_the_systems_files_are_nobodys(
    program: Path, monkeypatch: pytest.MonkeyPatch
):
    os.chown(program.resolve(), STRANGER, STRANGER)
    monkeypatch.setattr(trust, "_system", lambda: trust.system_owners("1000 1000 1\n", STRANGER))
    trust.check_program(program)


@pytest.mark.parametrize(
    ("uid_map", "owners"),
    [
        ("         0          0 4294967295\n", {0}),
        ("      1000       1000          1\n", {0, STRANGER}),  # Flatpak
        ("         0       1000          1\n", {0, STRANGER}),  # unshare --map-root-user
        ("0 0 1\n1 100000 65536\n", {0}),
        ("", {0}),
        ("nonsense\n", {0}),
    ],
)
def test_whom_the_systems_files_belong_to(uid_map: str, owners: set[int]):
    assert trust.system_owners(uid_map, STRANGER) == owners


def test_a_folder_is_no_program(tmp_path: Path):
    with pytest.raises(EngineRefused, match="no ordinary file"):
        trust.check_program(tmp_path)


def test_a_program_that_is_not_there(program: Path):
    program.resolve().unlink()
    with pytest.raises(FileNotFoundError):
        trust.check_program(program)


def test_what_all_may_read_can_still_be_believed(tmp_path: Path):
    path = tmp_path / "command.json"
    path.write_text("{}")
    path.chmod(0o644)
    assert trust.read_unforged(path, 10) == b"{}"
    with pytest.raises(EngineRefused):
        trust.read_private(path, 10)
    path.chmod(0o664)
    with pytest.raises(EngineRefused, match="chmod go-w"):
        trust.read_unforged(path, 10)


def test_no_more_is_read_than_is_wanted(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 10)
    path.chmod(0o600)
    assert trust.read_private(path, 10) == b"x" * 10
    with pytest.raises(EngineRefused, match="too large"):
        trust.read_private(path, 9)


def test_a_log_is_empty_private_and_appended_to(tmp_path: Path):
    path = tmp_path / "log"
    path.write_text("old")
    path.chmod(0o666)
    handles = [trust.create_private(path), trust.create_private(path)]
    for handle in (*handles, *handles):
        os.write(handle, b"x")
    for handle in handles:
        os.close(handle)
    assert path.read_bytes() == b"xxxx"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@as_root
def test_a_log_of_somebody_elses_is_not_written_to(tmp_path: Path):
    path = tmp_path / "log"
    path.write_text("theirs")
    os.chown(path, STRANGER, STRANGER)
    with pytest.raises(EngineRefused):
        trust.create_private(path)
    assert path.read_text() == "theirs"


def test_a_small_file_is_replaced_as_a_whole(tmp_path: Path):
    path = tmp_path / "file"
    for content in (b"one", b"two"):
        trust.replace_private(path, content)
        assert path.read_bytes() == content
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path):
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="directory"):
        trust.replace_private(tmp_path / "file", b"one")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_private_folder_is_made_once(tmp_path: Path):
    folder = tmp_path / "data" / "run"
    for _ in range(2):
        trust.make_private_folder(folder)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_link_is_no_private_folder(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EngineRefused):
        trust.make_private_folder(tmp_path / "run")
