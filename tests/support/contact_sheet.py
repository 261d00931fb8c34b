"""Photos and their mattes in rows, to look at: what no figure says."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Pixels = NDArray[np.uint8]

CELL = 320
_CAPTION = 16
_RED = (220, 30, 40)
_BLACK = (0, 0, 0)
_COLUMNS = ("photo", "plain", "refined", "on red", "on black", "1:1", "plain 1:1", "red 1:1")


@dataclass(frozen=True, slots=True)
class Shown:
    """A photo, H x W x 3, with the plain mask and the refined matte of one network, H x W."""

    title: str
    photo: Pixels
    plain: Pixels
    refined: Pixels


def save_contact_sheet(path: Path, rows: Sequence[Shown]) -> None:
    """A row for each: the whole picture five times, then its softest part, pixel for pixel."""
    height = CELL + _CAPTION
    sheet = Image.new("RGB", (CELL * len(_COLUMNS), height * len(rows)), (90, 90, 90))
    draw = ImageDraw.Draw(sheet)
    for number, row in enumerate(rows):
        top = number * height
        for column, cell in enumerate(_cells(row)):
            sheet.paste(cell, (column * CELL, top + _CAPTION))
            name = f"{_COLUMNS[column]}  {row.title if column == 0 else ''}"
            draw.text((column * CELL + 4, top + 2), name, fill=(255, 255, 255))
    sheet.save(path)


def _cells(row: Shown) -> list[Image.Image]:
    red = over(row.photo, row.refined, _RED)
    whole = [row.photo, row.plain, row.refined, red, over(row.photo, row.refined, _BLACK)]
    part = softest(row.refined, CELL)
    close = [row.photo, row.plain, red]
    return [_fitted(pixels) for pixels in whole] + [Image.fromarray(p[part]) for p in close]


def over(photo: Pixels, matte: Pixels, ground: tuple[int, int, int]) -> Pixels:
    """The photo's own colours, shown with a matte on a ground of one colour."""
    share = (matte / np.float32(255))[..., np.newaxis]
    mixed = share * photo + (1 - share) * np.array(ground, np.float32)
    return np.asarray(np.rint(mixed), np.uint8)


def softest(matte: Pixels, side: int) -> tuple[slice, slice]:
    """The square, or less at the frame, in which most is neither subject nor background."""
    soft = 1 - np.abs(matte / np.float32(127.5) - 1)
    sums = np.pad(soft, ((1, 0), (1, 0))).cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    down, across = min(side, matte.shape[0]), min(side, matte.shape[1])
    squares = sums[down:, across:] - sums[:-down, across:] - sums[down:, :-across]
    squares += sums[:-down, :-across]
    top, left = np.unravel_index(squares.argmax(), squares.shape)
    return slice(int(top), int(top) + down), slice(int(left), int(left) + across)


def _fitted(pixels: Pixels) -> Image.Image:
    picture = Image.fromarray(pixels)
    picture.thumbnail((CELL, CELL), Image.Resampling.LANCZOS)
    return picture
