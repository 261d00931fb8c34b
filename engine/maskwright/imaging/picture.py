"""What a picture file holds, before and after it is understood."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import InputError
from maskwright.matting.photo import MAX_SIDE, Photo, Samples

DEFAULT_MAX_PIXELS = 120_000_000
HARD_MAX_PIXELS = 400_000_000
_MAX_DPI = 1e6

Dpi = tuple[float, float]
SizeCheck = Callable[[int, int], None]
"""Called with width and height before anything is decoded; raises InputError `too-large`."""


@dataclass(frozen=True, slots=True)
class PictureWarning:
    """Something a reader should know about how a file was understood."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file's own samples, as a decoder hands them over.

    colour: H x W x 1 (grey), 3 (RGB) or 4 (CMYK, 0 is no ink), uint8 or uint16, in the file's
            own colour space and stored orientation.
    alpha:  H x W, the same dtype, or None.
    orientation: EXIF's 1 to 8, how the stored samples are to be turned.
    png_colour:  PNG chunks (type, data) that say what the numbers mean besides a profile.
    """

    format: str
    colour: Samples
    alpha: Samples | None = None
    orientation: int = 1
    icc: bytes | None = None
    dpi: Dpi | None = None
    exif: bytes | None = None
    png_colour: tuple[tuple[bytes, bytes], ...] = ()
    frames: int = 1


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo for the analysis, and the original it came from, both upright.

    photo:  sRGB samples and the file's alpha; shares memory with `pixels` when nothing had to be
            converted.
    pixels: H x W x 1 (grey) or 3 (RGB), the file's own numbers in its own colour space, without
            alpha. Of a CMYK file these are its sRGB conversion. Read-only.
    icc:    the profile `pixels` are meant in, or None.
    dpi:    horizontal and vertical pixels per inch, or None.
    exif:   a TIFF-structured block without "Exif" prefix, its orientation reset to upright and
            its thumbnail removed, or None.
    cutout_warnings: what matters only if the colours are written again, not for a matte.
    """

    format: str
    photo: Photo
    pixels: Samples
    icc: bytes | None
    dpi: Dpi | None
    exif: bytes | None
    png_colour: tuple[tuple[bytes, bytes], ...]
    warnings: tuple[PictureWarning, ...]
    cutout_warnings: tuple[PictureWarning, ...]


def size_check(name: str, max_pixels: int) -> SizeCheck:
    """A check of width and height against `max_pixels`, at most HARD_MAX_PIXELS."""
    limit = min(max_pixels, HARD_MAX_PIXELS)

    def check(width: int, height: int) -> None:
        if width < 1 or height < 1:
            raise InputError("damaged-photo", f"{name} is damaged: it has no size.")
        if width > MAX_SIDE or height > MAX_SIDE or width * height > limit:
            raise InputError(
                "too-large",
                f"{name} has {width} x {height} pixels, and the limit is {limit / 1e6:g} "
                f"megapixels and {MAX_SIDE} along a side; make it smaller first.",
            )

    return check


def plausible_dpi(x: float, y: float) -> Dpi | None:
    """The resolution as a pair, or None where no device has it and no format could hold it."""
    plausible = all(math.isfinite(value) and 0 < value <= _MAX_DPI for value in (x, y))
    return (x, y) if plausible else None


def strip_height(row_bytes: int, strip_bytes: int = 1 << 20) -> int:
    """How many rows of `row_bytes` make a strip of about a megabyte: what stays in the cache."""
    return max(1, strip_bytes // max(1, row_bytes))


def full_scale(samples: NDArray[np.uint8] | NDArray[np.uint16]) -> int:
    """The number that stands for 1.0: 255 or 65535."""
    return int(np.iinfo(samples.dtype).max)
