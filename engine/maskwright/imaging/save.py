"""Putting a finished file in its place: whole or not at all, and never over something unasked."""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from maskwright.errors import InputError

_NO_SPACE = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
_NO_RIGHT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_HARD_LINKS = frozenset(
    {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOTSUP}
)


def check_target(target: Path, *, overwrite: bool, source: Path | None = None) -> None:
    """Refuse a target that cannot or may not be written, before any work is done.

    Raises InputError: `output-is-input` (whatever `overwrite` says), `output-exists`,
    `output-not-a-file`, `no-such-folder`, `cannot-write`.
    """
    try:
        _check(target, overwrite, source)
    except (OSError, ValueError) as error:
        raise _cannot_write(target, error) from error


def write_atomically(
    target: Path,
    write: Callable[[BinaryIO], None],
    *,
    overwrite: bool,
    source: Path | None = None,
) -> None:
    """Let `write` fill a temporary file beside `target`, then give it its name.

    Whatever happens, `target` is the old file or the whole new one and nothing else is left
    behind; without `overwrite` a file that appears meanwhile is not touched. Raises what
    `check_target` raises, and InputError `disk-full`, `no-permission`; what `write` raises passes.
    """
    check_target(target, overwrite=overwrite, source=source)
    part = target.with_name(f".maskwright-{secrets.token_hex(8)}.part")
    try:
        _fill(part, write)
        _publish(part, target, overwrite)
        _sync_folder(target.parent)
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _check(target: Path, overwrite: bool, source: Path | None) -> None:
    if not target.parent.is_dir():
        raise InputError(
            "no-such-folder", f"There is no folder {target.parent}; make it first, or name another."
        )
    try:
        target.lstat()
    except FileNotFoundError:
        return
    if source is not None and source.exists() and target.exists() and target.samefile(source):
        raise InputError(
            "output-is-input", f"{target} is the photo itself; name another file for the result."
        )
    if target.exists() and not stat.S_ISREG(target.stat().st_mode):
        raise InputError(
            "output-not-a-file",
            f"{target} is a folder or a device; name a file, or - for standard output.",
        )
    if not overwrite:
        raise _exists(target)


def _fill(part: Path, write: Callable[[BinaryIO], None]) -> None:
    with open(part, "x+b", opener=_open_private) as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())


def _open_private(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _publish(part: Path, target: Path, overwrite: bool) -> None:
    """Give the part its name; without `overwrite` fails if the name was taken meanwhile."""
    try:
        if overwrite:
            part.replace(target)
        elif os.name == "nt":
            part.rename(target)
        else:
            _link(part, target)
    except FileExistsError as error:
        raise _exists(target) from error


def _link(part: Path, target: Path) -> None:
    try:
        os.link(part, target)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        # FAT and some network folders: take the name first, which only one can, then fill it.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        try:
            part.replace(target)
        except BaseException:
            target.unlink()
            raise


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    # Some network folders cannot sync; the file itself is on the disk already.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _exists(target: Path) -> InputError:
    return InputError(
        "output-exists", f"{target} exists already; add --force to overwrite it, or name another."
    )


def _cannot_write(target: Path, error: OSError | ValueError) -> InputError:
    number = (error.errno if isinstance(error, OSError) else None) or errno.EINVAL
    if number in _NO_SPACE:
        return InputError(
            "disk-full", f"The disk is full, {target} was not written; make room and try again."
        )
    if number in _NO_RIGHT:
        return InputError(
            "no-permission", f"{target} may not be written; check the folder's permissions."
        )
    return InputError("cannot-write", f"{target} could not be written: {os.strerror(number)}.")
