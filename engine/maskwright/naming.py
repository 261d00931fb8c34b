"""What a result is called and where it goes; names only, no file is touched."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import PurePath
from typing import TypeVar

from maskwright.errors import InputError

P = TypeVar("P", bound=PurePath)


class Product(Enum):
    """What is written for a photo."""

    cutout = "cutout"  # the photo's own pixels with the matte as alpha
    mask = "mask"  # the matte alone, grey


def result_name(photo: PurePath, product: Product, *, keep_suffix: bool = False) -> str:
    """Name the result: `cat.jpg` becomes `cat-cutout.png`, or `cat.jpg-cutout.png`."""
    stem = photo.name if keep_suffix else photo.stem
    return f"{stem}-{product.value}.png"


def plan_results(photos: Sequence[P], product: Product, folder_of: Callable[[P], P]) -> dict[P, P]:
    """Give every photo its own result path.

    Photos that share a folder and a stem (`a.jpg` beside `a.png`) all keep their suffix in the
    result's name, whatever their order. Case and Unicode form do not make names different: two
    results must not meet on a file system that ignores them. Raises InputError `same-result` for
    the rest, where even that leaves two results with one name.
    """
    short = {photo: folder_of(photo) / result_name(photo, product) for photo in photos}
    shared = Counter(_folded(path) for path in short.values())
    plan: dict[P, P] = {}
    taken: dict[str, P] = {}
    for photo, path in short.items():
        if shared[_folded(path)] > 1:
            path = folder_of(photo) / result_name(photo, product, keep_suffix=True)
        other = taken.setdefault(_folded(path), photo)
        if other is not photo:
            raise InputError(
                "same-result",
                f"{other} and {photo} would both become {path}; rename one of them, or give them "
                "separate runs.",
            )
        plan[photo] = path
    return plan


def looks_like_result(name: str, neighbours: frozenset[str]) -> bool:
    """Whether `name` is what an earlier run calls the result of a neighbour in its folder.

    `neighbours` holds the folder's file names and their stems.
    """
    path = PurePath(name)
    if path.suffix.lower() != ".png":
        return False
    for product in Product:
        owner = path.stem.removesuffix(f"-{product.value}")
        if owner != path.stem and owner in neighbours:
            return True
    return False


def _folded(path: PurePath) -> str:
    return unicodedata.normalize("NFC", str(path)).casefold()
