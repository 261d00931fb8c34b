"""Which files may be believed: those that no other user of the computer can have written.

Owner and permissions are looked at on POSIX. On Windows the files lie in a folder that is the
user's alone anyway.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path

from maskwright_client.errors import EngineRefused

_OTHERS_READ_OR_WRITE = 0o077
_OTHERS_WRITE = 0o022
# Links are not followed, a named pipe does not block, Windows leaves line ends alone.
_SAFE = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


def read_private(path: Path, most: int) -> bytes:
    """The content of a file that only this user can read, in a folder that nobody else can change.

    Raises FileNotFoundError, PermissionError, EngineRefused.
    """
    me = _me()
    _check(path.parent, path.parent.lstat(), me, _OTHERS_WRITE, stat.S_IFDIR)
    return _read(path, most, me, _OTHERS_READ_OR_WRITE)


def read_unforged(path: Path, most: int) -> bytes:
    """The content of a file that only this user or the system can have written; likewise."""
    owners = _me() | _system()
    _check(path.parent, path.parent.stat(), owners, _OTHERS_WRITE, stat.S_IFDIR)
    return _read(path, most, owners, _OTHERS_WRITE)


def check_program(path: Path) -> None:
    """Raise EngineRefused if somebody else could have put another program there, or the OSError."""
    owners = _me() | _system()
    target = path.resolve(strict=True)
    for folder in (path.parent, target.parent):
        _check(folder, folder.stat(), owners, _OTHERS_WRITE, stat.S_IFDIR)
    _check(target, target.stat(), owners, _OTHERS_WRITE, stat.S_IFREG)


def make_private_folder(path: Path) -> None:
    """Make a folder for this user alone, or see that it is one; EngineRefused, OSError."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check(path, path.lstat(), _me(), _OTHERS_WRITE, stat.S_IFDIR)


def create_private(path: Path) -> int:
    """Empty a file that only this user can read, or make it; gives a handle that appends."""
    handle = _open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        _check(path, os.fstat(handle), _me(), 0, stat.S_IFREG)
        if os.name == "posix":
            os.fchmod(handle, 0o600)
        os.ftruncate(handle, 0)
    except BaseException:
        os.close(handle)
        raise
    return handle


def replace_private(path: Path, content: bytes) -> None:
    """Write a small file for this user alone, whole or not at all."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    try:
        with os.fdopen(_open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def system_owners(uid_map: str, overflow: int) -> frozenset[int]:
    """Whom the system's files belong to: root, and in a sandbox that knows of no root, nobody.

    `uid_map` is what /proc/self/uid_map says: first number inside, first one outside, how many.
    """
    outside = [line.split()[1] for line in uid_map.splitlines() if len(line.split()) == 3]
    return frozenset([0]) if "0" in outside or not outside else frozenset([0, overflow])


def _read(path: Path, most: int, owners: frozenset[int], forbidden: int) -> bytes:
    handle = _open(path, os.O_RDONLY)
    try:
        _check(path, os.fstat(handle), owners, forbidden, stat.S_IFREG)
        with os.fdopen(handle, "rb", closefd=False) as file:
            content = file.read(most + 1)
    finally:
        os.close(handle)
    if len(content) > most:
        raise EngineRefused("unsafe-file", f"{path} is far too large; delete it and try again.")
    return content


def _open(path: Path, flags: int) -> int:
    if not hasattr(os, "O_NOFOLLOW") and path.is_symlink():
        raise _is_link(path)
    try:
        return os.open(path, flags | _SAFE, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _is_link(path) from error
        raise


def _check(
    path: Path, info: os.stat_result, owners: Iterable[int], forbidden: int, kind: int
) -> None:
    """Raise EngineRefused unless it is of that kind, of one of the owners, and not for others."""
    if stat.S_IFMT(info.st_mode) != kind:
        what = "folder" if kind == stat.S_IFDIR else "file"
        raise EngineRefused("unsafe-file", f"{path} is no ordinary {what}; delete it, try again.")
    if os.name != "posix":
        return
    if info.st_uid not in owners:
        raise EngineRefused(
            "unsafe-file",
            f"{path} belongs to another user of this computer; have it deleted, then run the "
            "installer again.",
        )
    if info.st_mode & forbidden:
        bits = "go-rwx" if forbidden == _OTHERS_READ_OR_WRITE else "go-w"
        verb = "read or change" if forbidden == _OTHERS_READ_OR_WRITE else "change"
        raise EngineRefused(
            "unsafe-file",
            f"Other users of this computer can {verb} {path}; run: chmod {bits} '{path}'",
        )


def _is_link(path: Path) -> EngineRefused:
    return EngineRefused("unsafe-file", f"{path} is a link to another file; delete it, try again.")


def _me() -> frozenset[int]:
    return frozenset([os.geteuid()]) if os.name == "posix" else frozenset()


def _system() -> frozenset[int]:
    try:
        uid_map = Path("/proc/self/uid_map").read_text(encoding="ascii")
        overflow = int(Path("/proc/sys/kernel/overflowuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return frozenset([0])
    return system_owners(uid_map, overflow)
