"""The unfinished file of a download, and what must be known to go on with it later."""

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from io import BufferedWriter
from pathlib import Path
from typing import Final

from maskwright.errors import ModelError
from maskwright.models.seal import is_plain, replace_text

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def too_little_space(folder: Path, needed: int) -> ModelError:
    """ModelError `disk-full` for a folder that needs that many bytes."""
    megabytes = -(-needed // 1_000_000)
    return ModelError(
        "disk-full",
        f"The disk is too full: about {megabytes} MB are needed in {folder}; make room and try "
        "again.",
    )


def storage_error(error: OSError, folder: Path, needed: int) -> ModelError:
    """What to say when the models folder could not be written: `disk-full`, `store-unwritable`."""
    if error.errno in _FULL:
        return too_little_space(folder, needed)
    return ModelError(
        "store-unwritable",
        f"The folder {folder} cannot be written; check its permissions, or choose another folder "
        "with MASKWRIGHT_MODELS.",
    )


class Part:
    """`NAME.part` beside the file it is to become, with a note of where its bytes came from.

    The note is written before the first byte and the file emptied before the note, so that a kill
    at any moment leaves either no bytes or bytes that the note describes.
    """

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self._note = target.with_name(f"{target.name}.part.json")

    def refuse_links(self) -> None:
        """Remove a part file that is a link or a second name: writing would go elsewhere."""
        if not is_plain(self.path):
            self.path.unlink(missing_ok=True)

    @property
    def size(self) -> int:
        """Bytes that are there."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def validator(self, url: str) -> str | None:
        """The strong ETag under which `url` gave these bytes, or None when that is not known."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            return str(note["etag"]) if note["url"] == url and note["etag"] else None
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def begin(self, url: str, etag: str | None) -> None:
        """Empty the file, and note where the bytes to come are from."""
        self.path.write_bytes(b"")
        replace_text(self._note, json.dumps({"url": url, "etag": etag}))

    @contextlib.contextmanager
    def appending(self) -> Iterator[BufferedWriter]:
        """The file open for adding bytes; they are on the disk when the body ends well."""
        with self.path.open("ab") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())

    def discard(self) -> None:
        """Remove the file and its note."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        """Give the file its final name; its bytes must have been verified."""
        self.path.replace(target)
        self._note.unlink(missing_ok=True)
        if os.name == "posix":  # the new name itself must survive a power cut
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
