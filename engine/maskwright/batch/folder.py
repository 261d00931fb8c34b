"""Which files of a folder are photos to work on."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from maskwright.naming import looks_like_result

SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".heic")
) | {".heif", ".avif"}


@dataclass(frozen=True, slots=True)
class Found:
    """Photos relative to the folder, sorted; `results` are earlier results left out of them."""

    photos: tuple[Path, ...]
    results: tuple[Path, ...]


def find_photos(folder: Path, out: Path, *, recursive: bool) -> Found:
    """List the photos of `folder`.

    Left out: hidden files and folders, links to folders (they may lead in circles), everything
    under `out` where that is inside `folder`, and files named like a result of a photo beside them.
    """
    photos: list[Path] = []
    results: list[Path] = []
    for where, names in _folders(folder, out, recursive):
        stems = {os.path.splitext(name)[0] for name in names}
        neighbours = frozenset(stems.union(names))
        for name in names:
            listed = results if looks_like_result(name, neighbours) else photos
            listed.append(Path(where, name).relative_to(folder))
    return Found(tuple(sorted(photos)), tuple(sorted(results)))


def _folders(folder: Path, out: Path, recursive: bool) -> Iterator[tuple[str, list[str]]]:
    """Each folder with the names of the photos in it."""
    avoid = os.path.realpath(out)
    for where, below, names in os.walk(folder):
        yield where, [name for name in names if _is_photo(where, name)]
        below[:] = [
            name
            for name in below
            if recursive
            and not name.startswith(".")
            and os.path.realpath(os.path.join(where, name)) != avoid
        ]


def _is_photo(where: str, name: str) -> bool:
    if name.startswith(".") or os.path.splitext(name)[1].lower() not in SUFFIXES:
        return False
    path = os.path.join(where, name)
    # A link that leads nowhere stays in: it fails with a sentence instead of vanishing. A pipe or
    # a device would be waited for without end.
    return os.path.isfile(path) or os.path.islink(path)
