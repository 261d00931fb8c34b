"""A result is there whole or not at all, and nothing that was there is harmed unasked."""

import errno
import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest
from maskwright.errors import InputError
from maskwright.imaging.save import check_target, write_atomically
from privileges import unprivileged

POSIX_ONLY = pytest.mark.skipif(os.name == "nt", reason="Windows has none of this")


def fill(data: bytes) -> Callable[[BinaryIO], None]:
    def write(file: BinaryIO) -> None:
        file.write(data)

    return write


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def refusal(target: Path, *, overwrite: bool = False, source: Path | None = None) -> InputError:
    """The error of both the check and the write, which must not call the writer."""

    def never(_file: BinaryIO) -> None:
        raise AssertionError

    with pytest.raises(InputError) as early:
        check_target(target, overwrite=overwrite, source=source)
    with pytest.raises(InputError) as late:
        write_atomically(target, never, overwrite=overwrite, source=source)
    assert early.value.code == late.value.code
    assert str(early.value).endswith(".")
    return early.value


@pytest.mark.parametrize("overwrite", [False, True])
def test_new_file(tmp_path: Path, overwrite: bool) -> None:
    write_atomically(tmp_path / "a.png", fill(b"new"), overwrite=overwrite)
    assert contents(tmp_path) == {"a.png": b"new"}


def test_existing_file_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"old")
    error = refusal(tmp_path / "a.png")
    assert error.code == "output-exists"
    assert "--force" in str(error)
    assert contents(tmp_path) == {"a.png": b"old"}


def test_existing_file_is_replaced_if_asked(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"old and longer")
    write_atomically(tmp_path / "a.png", fill(b"new"), overwrite=True)
    assert contents(tmp_path) == {"a.png": b"new"}


def test_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "a.png"

    def slow(file: BinaryIO) -> None:
        file.write(b"mine")
        target.write_bytes(b"somebody else's")

    with pytest.raises(InputError) as failure:
        write_atomically(target, slow, overwrite=False)
    assert failure.value.code == "output-exists"
    assert contents(tmp_path) == {"a.png": b"somebody else's"}


@pytest.mark.parametrize("overwrite", [False, True])
def test_the_photo_is_never_the_result(tmp_path: Path, overwrite: bool) -> None:
    photo = tmp_path / "a.png"
    photo.write_bytes(b"photo")
    names = [photo, tmp_path / "." / "a.png"]
    if os.name != "nt":
        (tmp_path / "link.png").symlink_to("a.png")
        os.link(photo, tmp_path / "hard.png")
        names += [tmp_path / "link.png", tmp_path / "hard.png"]
    for name in names:
        assert refusal(name, overwrite=overwrite, source=photo).code == "output-is-input"
    assert photo.read_bytes() == b"photo"


def test_another_photo_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"photo")
    (tmp_path / "a.png").write_bytes(b"old")
    write_atomically(
        tmp_path / "a.png", fill(b"new"), overwrite=True, source=tmp_path / "photo.jpg"
    )
    assert contents(tmp_path) == {"a.png": b"new", "photo.jpg": b"photo"}


class Unplugged(Exception):
    """Something no code of ours raises."""


@pytest.mark.parametrize("error", [Unplugged, KeyboardInterrupt, MemoryError, SystemExit])
@pytest.mark.parametrize("overwrite", [False, True])
def test_failure_leaves_everything_as_it_was(
    tmp_path: Path, overwrite: bool, error: type[BaseException]
) -> None:
    (tmp_path / "a.png").write_bytes(b"old")
    target = tmp_path / ("a.png" if overwrite else "b.png")

    def half(file: BinaryIO) -> None:
        file.write(b"half a pic")
        raise error

    with pytest.raises(error):
        write_atomically(target, half, overwrite=overwrite)
    assert contents(tmp_path) == {"a.png": b"old"}


@POSIX_ONLY
def test_interrupt_from_the_keyboard_leaves_nothing(tmp_path: Path) -> None:
    def interrupted(file: BinaryIO) -> None:
        file.write(b"half")
        signal.raise_signal(signal.SIGINT)
        file.write(b"more")

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a.png", interrupted, overwrite=False)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk-full"),
        (errno.EACCES, "no-permission"),
        (errno.EIO, "cannot-write"),
    ],
)
def test_what_the_system_says_becomes_a_sentence(tmp_path: Path, number: int, code: str) -> None:
    def failing(file: BinaryIO) -> None:
        file.write(b"half")
        raise OSError(number, os.strerror(number))

    with pytest.raises(InputError) as failure:
        write_atomically(tmp_path / "a.png", failing, overwrite=False)
    assert failure.value.code == code
    assert str(failure.value).endswith(".")
    assert contents(tmp_path) == {}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full device")
def test_a_device_that_is_full(tmp_path: Path) -> None:
    def to_full_device(_file: BinaryIO) -> None:
        with open("/dev/full", "wb") as full:
            full.write(b"x")

    with pytest.raises(InputError) as failure:
        write_atomically(tmp_path / "a.png", to_full_device, overwrite=False)
    assert failure.value.code == "disk-full"
    assert contents(tmp_path) == {}


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    error = refusal(tmp_path / "no" / "a.png")
    assert error.code == "no-such-folder"
    (tmp_path / "file").write_bytes(b"")
    assert refusal(tmp_path / "file" / "a.png").code == "no-such-folder"


@pytest.mark.parametrize("overwrite", [False, True])
def test_folder_as_target(tmp_path: Path, overwrite: bool) -> None:
    assert refusal(tmp_path, overwrite=overwrite).code == "output-not-a-file"


@POSIX_ONLY
@pytest.mark.parametrize("overwrite", [False, True])
def test_devices_and_pipes_are_not_replaced(tmp_path: Path, overwrite: bool) -> None:
    os.mkfifo(tmp_path / "pipe")
    for target in (Path("/dev/null"), tmp_path / "pipe"):
        assert refusal(target, overwrite=overwrite).code == "output-not-a-file"
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_impossible_names(tmp_path: Path) -> None:
    with pytest.raises(InputError) as failure:
        write_atomically(tmp_path / ("x" * 300), fill(b""), overwrite=False)
    assert failure.value.code == "cannot-write"
    with pytest.raises(InputError) as failure:
        write_atomically(tmp_path / "nul\0byte", fill(b""), overwrite=False)
    assert failure.value.code == "cannot-write"
    assert contents(tmp_path) == {}


def test_a_long_name_is_possible(tmp_path: Path) -> None:
    name = "ü" * 120 + ".png"
    write_atomically(tmp_path / name, fill(b"new"), overwrite=False)
    assert contents(tmp_path) == {name: b"new"}


@POSIX_ONLY
def test_folder_that_may_not_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    tmp_path.chmod(0o755)
    with unprivileged(), pytest.raises(InputError) as failure:
        write_atomically(folder / "a.png", fill(b""), overwrite=False)
    assert failure.value.code == "no-permission"
    assert contents(folder) == {}


@POSIX_ONLY
def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a.png", fill(b""), overwrite=False)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o640


@POSIX_ONLY
def test_without_hard_links_the_name_is_still_taken_by_one_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", no_links)
    target = tmp_path / "a.png"
    write_atomically(target, fill(b"new"), overwrite=False)
    assert contents(tmp_path) == {"a.png": b"new"}

    def late(file: BinaryIO) -> None:
        file.write(b"mine")
        (tmp_path / "b.png").write_bytes(b"theirs")

    with pytest.raises(InputError) as failure:
        write_atomically(tmp_path / "b.png", late, overwrite=False)
    assert failure.value.code == "output-exists"
    assert contents(tmp_path) == {"a.png": b"new", "b.png": b"theirs"}
