"""Where `cut` writes: from `-o`, or beside the photo."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from maskwright.naming import Product, plan_results, result_name

STREAM = Path("-")

_FILE_SUFFIXES = frozenset({".png", ".tif", ".tiff", ".webp", ".jpg", ".jpeg", ".bmp"})


@dataclass(frozen=True, slots=True)
class Targets:
    """Each photo (once) with its target, and the folder that must be there for them, if any."""

    by_photo: dict[Path, Path]
    folder: Path | None = None


def plan_targets(photos: Sequence[Path], out: str | None, product: Product) -> Targets:
    """Say where the results go; `-` stands for standard input and output.

    Raises click.UsageError where `out` does not fit the photos, InputError `same-result` where two
    photos would become one file.
    """
    photos = list(dict.fromkeys(photos))
    if len(photos) == 1:
        return _for_one(photos[0], out, product)
    if STREAM in photos:
        raise click.UsageError("- (standard input) is one photo and stands alone.")
    if out is None:
        return Targets(plan_results(photos, product, lambda photo: photo.parent))
    folder = _folder_for_several(out)
    return Targets(plan_results(photos, product, lambda _: folder), folder)


def _for_one(photo: Path, out: str | None, product: Product) -> Targets:
    if out == "-" or (out is None and photo == STREAM):
        return Targets({photo: STREAM})
    if out is None:
        return Targets({photo: photo.parent / result_name(photo, product)})
    if not _is_folder(out):
        return Targets({photo: Path(out)})
    if photo == STREAM:
        raise click.UsageError(f"{out} is a folder; a photo from standard input needs a file name.")
    return Targets({photo: Path(out) / result_name(photo, product)}, Path(out))


def _folder_for_several(out: str) -> Path:
    path = Path(out)
    if out == "-":
        raise click.UsageError("With several photos, -o names a folder, not standard output.")
    if path.exists() and not path.is_dir():
        raise click.UsageError(f"With several photos, -o names a folder, and {out} is a file.")
    if path.suffix.lower() in _FILE_SUFFIXES and not _is_folder(out):
        raise click.UsageError(
            f"With several photos, -o names a folder, and {out} looks like a file; write {out}/ to "
            "have a folder of that name."
        )
    return path


def _is_folder(out: str) -> bool:
    return out.endswith(("/", os.sep)) or Path(out).is_dir()
