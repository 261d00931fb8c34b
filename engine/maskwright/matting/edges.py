"""Edge settings: what a designer changes on a finished matte without running a network again."""

import math
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from maskwright.errors import InputError
from maskwright.matting import regions
from maskwright.matting.photo import Samples
from maskwright.matting.shift import shift_edge
from maskwright.matting.tiles import Matte, in_tiles

# Larger than any picture: an area limit without a limit.
MAX_AREA_PX = 2.0**30

# Cells to a standard deviation that make a reduced blur as good as the full one.
_SIGMA_CELLS = 4

_RANGES = {
    "shift": (-10.0, 10.0),
    "feather": (0.0, 20.0),
    "contrast": (0.0, 1.0),
    "midpoint": (0.0, 1.0),
    "solidify": (0.0, 1.0),
    "fill_holes": (0.0, MAX_AREA_PX),
    "drop_specks": (0.0, MAX_AREA_PX),
}


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """Neutral by default; applied in the order of `apply_edges`, not of the fields.

    shift:       -10 .. 10 px, positive grows the subject; fractions count.
    feather:     0 .. 20 px, the standard deviation of a Gaussian.
    contrast:    0 .. 1; alpha is spread about the midpoint by 1 / (1 - contrast), 1 is a hard edge.
    midpoint:    0 .. 1, the alpha that contrast leaves where it is.
    solidify:    0 .. 1, see `regions.solidify`.
    fill_holes:  holes of up to this many pixels become opaque.
    drop_specks: separate regions of up to this many pixels go.
    largest:     only the largest region stays.
    invert:      subject and background change places.
    scale:       pixels of the matte at hand per pixel of the photo, 1 unless `scaled`; no setting
                 of a designer's.

    Raises InputError `bad-setting` for a value outside its range.
    """

    shift: float = 0.0
    feather: float = 0.0
    contrast: float = 0.0
    midpoint: float = 0.5
    solidify: float = 0.0
    fill_holes: float = 0.0
    drop_specks: float = 0.0
    largest: bool = False
    invert: bool = False
    scale: float = 1.0

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            # Written so that NaN fails, too.
            if not low <= value <= high:
                raise InputError(
                    "bad-setting",
                    f"The edge setting {name} goes from {low:g} to {high:g}; it was {value:g}. "
                    "Choose a value in this range.",
                )
        if not 0 < self.scale <= 1:
            raise InputError("bad-setting", "A preview's scale is above 0 and at most 1.")

    @property
    def is_neutral(self) -> bool:
        """Whether a matte stays exactly as it is."""
        return self == EdgeSettings(midpoint=self.midpoint, scale=self.scale)

    def scaled(self, factor: float) -> "EdgeSettings":
        """The settings that do to a matte shrunk by `factor` (0 < factor <= 1) what these do to it.

        Lengths shrink by the factor, areas by its square. The rest is as it was.
        """
        area = factor * factor
        return replace(
            self,
            shift=self.shift * factor,
            feather=self.feather * factor,
            fill_holes=self.fill_holes * area,
            drop_specks=self.drop_specks * area,
            scale=self.scale * factor,
        )


class Combine(Enum):
    """How a new matte meets the mask that is already there."""

    replace = "replace"
    intersect = "intersect"
    add = "add"
    subtract = "subtract"


def apply_edges(matte: Matte, settings: EdgeSettings) -> Matte:
    """A matte, H x W, uint8, with the edge settings applied; the very same array if neutral.

    The order: drop specks and all but the largest region, fill holes, solidify, shift, feather,
    contrast, invert. So regions are judged as the network drew them, a hole is whole again before
    it is measured, feathering follows the moved edge and contrast firms up the feathered one.

    The array given is never written to; the result may be read-only.
    Raises InputError `bad-matte` for another kind of array.
    """
    return shape_edges(clean_regions(matte, settings), settings)


def clean_regions(matte: Matte, settings: EdgeSettings) -> Matte:
    """The first half of `apply_edges`: drop, largest, fill, solidify.

    The regions are those of the array given: a part of a picture has others.
    """
    _check(matte)
    skirt_px = regions.SKIRT_PX * settings.scale
    if settings.drop_specks or settings.largest:
        matte = regions.drop_regions(
            matte, settings.drop_specks, largest=settings.largest, skirt_px=skirt_px
        )
    if settings.fill_holes:
        matte = regions.fill_holes(matte, settings.fill_holes, skirt_px=skirt_px)
    if settings.solidify:
        matte = regions.solidify(matte, settings.solidify, skirt_px=skirt_px)
    return matte


def shape_edges(matte: Matte, settings: EdgeSettings) -> Matte:
    """The second half of `apply_edges`: shift, feather, contrast, invert.

    All local: a part of a picture cut out with `edge_reach` around it comes out as in the whole,
    if its left and top are multiples of the reach's grid.
    """
    matte = feathered(shift_edge(matte, settings.shift), settings.feather)
    if settings.contrast:
        matte = contrasted(matte, settings.contrast, settings.midpoint)
    return 255 - matte if settings.invert else matte


@dataclass(frozen=True, slots=True)
class Reach:
    """How far from a pixel `shape_edges` looks, and on which grid it works; both in pixels."""

    halo: int
    grid: int


def edge_reach(settings: EdgeSettings) -> Reach:
    """What of a matte `shape_edges` needs to see for one pixel."""
    cell = max(1, int(settings.feather / _SIGMA_CELLS))
    blur = 4 * (math.ceil(settings.feather) + cell) if settings.feather else 0
    return Reach(math.ceil(abs(settings.shift)) + blur, cell)


def with_edges(matte: Samples, settings: EdgeSettings) -> Samples:
    """A matte, H x W, uint8 or uint16, with the edge settings applied, of the same dtype.

    Edge settings are defined on 8 bits: a 16-bit matte keeps its depth only while they are neutral,
    and is otherwise taken to 8 bits, set, and widened by 257.
    """
    if settings.is_neutral:
        return matte
    if matte.dtype == np.uint8:
        return apply_edges(matte.view(np.uint8), settings)
    return widened(apply_edges(narrowed(matte), settings))


def narrowed(matte: Samples) -> Matte:
    """A matte, H x W, uint8 or uint16, in 8 bits: divided by 257 and rounded."""
    if matte.dtype == np.uint8:
        return matte.view(np.uint8)
    narrow: Matte = np.floor_divide(matte + np.uint32(128), 257).astype(np.uint8)
    return narrow


def widened(matte: Matte) -> NDArray[np.uint16]:
    """A matte, H x W, uint8, in 16 bits: times 257, so that opaque stays opaque."""
    return matte.astype(np.uint16) * np.uint16(257)


def feathered(matte: Matte, sigma_px: float) -> Matte:
    """A matte, H x W, uint8, blurred by a Gaussian of standard deviation `sigma_px`.

    Pillow's three box blurs stand in for the Gaussian (Gwosdek et al., Theoretical Foundations of
    Gaussian Convolution by Extended Box Filtering, 2011), in 8 bits, with the frame repeated. A
    wide blur runs on a reduced matte; the blur that reducing and enlarging add is subtracted.
    """
    if sigma_px == 0:
        return matte
    cell = int(sigma_px / _SIGMA_CELLS)
    if cell < 2:
        return in_tiles(matte, 3 * math.ceil(sigma_px + 1), partial(_blurred, sigma_px=sigma_px))
    height, width = matte.shape
    # A box of n pixels has the variance n^2 / 12, the triangle of bilinear enlarging n^2 / 6.
    sigma_cells = math.sqrt(sigma_px**2 - cell**2 / 4) / cell
    small = Image.fromarray(matte).reduce(cell).filter(ImageFilter.GaussianBlur(sigma_cells))
    box = (0.0, 0.0, width / cell, height / cell)
    return np.asarray(small.resize((width, height), Image.Resampling.BILINEAR, box=box))


def _blurred(matte: Matte, sigma_px: float) -> Matte:
    return np.asarray(Image.fromarray(matte).filter(ImageFilter.GaussianBlur(sigma_px)))


def contrasted(matte: Matte, contrast: float, midpoint: float) -> Matte:
    """A matte, H x W, uint8, spread about `midpoint` by 1 / (1 - contrast); 0 and 255 stay."""
    distance = np.arange(256) - midpoint * 255
    if contrast < 1:
        spread = midpoint * 255 + distance / (1 - contrast)
    else:
        spread = np.select([distance < 0, distance > 0], [0.0, 255.0], midpoint * 255)
    table = np.round(np.clip(spread, 0, 255)).astype(np.uint8)
    return np.asarray(Image.fromarray(matte).point(table.tolist()))


def combine(old: Matte, new: Matte, mode: Combine) -> Matte:
    """An existing mask and a new matte as one mask; all H x W, uint8, exact.

    Replace gives the new one itself, intersect the smaller and add the larger alpha of the two,
    subtract the smaller of the old one and what the new one leaves.
    Raises InputError `bad-matte` if the sizes differ.
    """
    _check(old)
    _check(new)
    if old.shape != new.shape:
        raise InputError(
            "bad-matte",
            f"The mask is {old.shape[1]} x {old.shape[0]} pixels and the matte is "
            f"{new.shape[1]} x {new.shape[0]}; make the mask as large as its layer first.",
        )
    match mode:
        case Combine.replace:
            return new
        case Combine.intersect:
            return np.minimum(old, new)
        case Combine.add:
            return np.maximum(old, new)
        case Combine.subtract:
            return np.minimum(old, 255 - new)


def _check(matte: Matte) -> None:
    if matte.ndim != 2 or matte.dtype != np.uint8 or matte.size == 0:
        raise InputError("bad-matte", "Edge settings and masks take H x W samples of 8 bits.")
