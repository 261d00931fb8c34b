"""Knowing that a model file is the right one, without hashing it at every start.

A seal is a small JSON file beside the model: its size and time stamp when it was last hashed. While
both still fit and the seal is younger than a week, the file counts as checked; otherwise it is
hashed again from the first byte to the last.
"""

import contextlib
import hashlib
import json
import os
import stat
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from maskwright.cancel import CancelToken

WEEK_S: Final = 7 * 24 * 3600.0
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Seal:
    """What a file was when it was hashed: bytes, nanoseconds, hex digest, seconds since 1970."""

    size: int
    mtime_ns: int
    sha256: str
    checked_at: float

    def covers(self, info: os.stat_result, now: float) -> bool:
        """Whether the file is still as it was, and the check recent by a clock that went on."""
        age = now - self.checked_at
        return (
            self.size == info.st_size and self.mtime_ns == info.st_mtime_ns and 0.0 <= age < WEEK_S
        )


def sha256_of(path: Path, cancel: CancelToken | None = None) -> str:
    """Hex digest of a whole file; Cancelled when `cancel` says so."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if cancel is not None:
                cancel.check()
            digest.update(chunk)
    return digest.hexdigest()


def is_plain(path: Path) -> bool:
    """Whether `path` is a file of its own: not a link, and no second name for other bytes."""
    try:
        info = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(info.st_mode) and info.st_nlink == 1


def read_seal(path: Path) -> Seal | None:
    """The seal in that file, or None when it is missing or damaged."""
    return read_seals(path, single=True).get("")


def read_seals(path: Path, *, single: bool = False) -> dict[str, Seal]:
    """The seals in that file by name, without those that are damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    entries = {"": found} if single else found
    if not isinstance(entries, dict):
        return {}
    seals = {}
    for name, entry in entries.items():
        with contextlib.suppress(KeyError, TypeError, ValueError, OverflowError):
            seals[name] = Seal(
                int(entry["size"]),
                int(entry["mtime_ns"]),
                str(entry["sha256"]),
                float(entry["checked_at"]),
            )
    return seals


def write_seal(path: Path, seal: Seal) -> None:
    """Store a seal; a folder that cannot be written only means hashing again next time."""
    with contextlib.suppress(OSError):
        replace_text(path, json.dumps(asdict(seal)))


def write_seals(path: Path, seals: dict[str, Seal]) -> None:
    """Store seals by name, likewise."""
    with contextlib.suppress(OSError):
        replace_text(path, json.dumps({name: asdict(seal) for name, seal in seals.items()}))


def seal_of(path: Path, sha256: str, now: float) -> Seal:
    """The seal of a file whose digest has just been found."""
    info = path.stat()
    return Seal(info.st_size, info.st_mtime_ns, sha256, now)


def replace_text(path: Path, content: str, *, mode: int = 0o644) -> None:
    """Write a small text file whole or not at all; the file is never seen half written."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
