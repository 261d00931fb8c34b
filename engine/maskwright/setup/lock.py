"""One at a time."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from maskwright.setup.failure import InstallError


@contextmanager
def held(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold `path` as a lock; the system lets go of it even if the process dies.

    Raises `InstallError` if somebody else holds it, unless told to `wait`.
    """
    with path.open("ab") as file:
        try:
            _take(file, wait=wait)
        except OSError as error:
            raise InstallError(
                "Another installation of Maskwright is running: wait for its end, then try again."
            ) from error
        yield


if sys.platform == "win32":
    import msvcrt

    def _take(file: BinaryIO, *, wait: bool) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(file: BinaryIO, *, wait: bool) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
