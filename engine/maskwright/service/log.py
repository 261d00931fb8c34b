"""The engine's log: small, its user's only, and without token, pixels or paths of pictures."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from maskwright.service.instance import unusable

_BYTES: Final = 512 * 1024
_OLD_FILES: Final = 2


class _PrivateFile(RotatingFileHandler):
    def _open(self):  # type: ignore[no-untyped-def]
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        return open(os.open(self.baseFilename, flags, 0o600), "a", encoding="utf-8")


@contextmanager
def log_to(path: Path) -> Iterator[None]:
    """Send what the engine and its libraries have to say to `path` while the body runs.

    Raises ModelError `unsafe-folder`.
    """
    try:
        handler = _PrivateFile(path, maxBytes=_BYTES, backupCount=_OLD_FILES, encoding="utf-8")
    except OSError as error:
        raise unusable(path, error) from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    # A line for each bad request would let any page in a browser fill it.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()
