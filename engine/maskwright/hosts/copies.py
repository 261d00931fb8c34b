"""Copies of our plug-ins: which files are ours, of whatever version, and where they lie."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .files import entries

_MOST = 1 << 16
_DEEPEST = 5  # a copy of the whole repository has a plug-in that deep


@dataclass(frozen=True, slots=True)
class Mark:
    """What a copy of a plug-in is known by: the file that an editor starts, and a word in it."""

    name: str
    word: bytes

    def is_on(self, file: Path) -> bool:
        """Whether a file, which may have another name, is that file of ours."""
        return self.word in beginning(file)

    def copies(self, folder: Path) -> Iterator[Path]:
        """That file, wherever it lies in a folder."""
        for place, below, files in os.walk(folder):
            if len(Path(place).relative_to(folder).parts) == _DEEPEST:
                below.clear()
            named = [Path(place, name) for name in files if name.lower() == self.name]
            yield from filter(self.is_on, named)

    def is_foreign(self, folder: Path, own_names: Iterable[str]) -> bool:
        """Whether a folder for a plug-in has nothing of ours, and something else."""
        start = folder / self.name
        if start.exists():
            return not self.is_on(start)
        if not folder.is_dir():
            return folder.exists()
        names = {entry.name for entry in entries(folder)} - {"__pycache__"}
        return bool(names) and not names & set(own_names) and not any(self.copies(folder))


def beginning(file: Path) -> bytes:
    """The first 64 KiB of a file; nothing if it cannot be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST)
    except OSError:
        return b""
