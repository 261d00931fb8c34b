"""Moving the edge of a matte in or out: grey-scale dilation and erosion with a disc.

Grey-scale morphology as in Serra, Image Analysis and Mathematical Morphology (1982): each alpha
becomes the largest (smallest) one within the disc, so an edge profile travels as it is and a soft
edge keeps its softness. The disc of radius r holds the pixels with dx^2 + dy^2 <= r^2 and is built
from horizontal maxima that grow from row to row of the disc.
"""

import math
from functools import partial

import numpy as np

from maskwright.matting.tiles import Matte, in_tiles

# Steps between two whole pixels: 8-bit blending cannot tell finer ones apart.
_SUBPIXELS = 256


def shift_edge(matte: Matte, shift_px: float) -> Matte:
    """Grow (positive) or shrink (negative) the subject of a matte, H x W, uint8, by `shift_px`.

    Between whole pixels the two neighbouring results are blended linearly. Beyond the picture's
    frame nothing is assumed: a subject that the frame cuts does not shrink away from it.
    """
    if shift_px == 0:
        return matte
    if shift_px < 0:
        # Erosion is the dilation of the complement.
        return 255 - shift_edge(255 - matte, -shift_px)
    steps = round(shift_px * _SUBPIXELS)
    whole, part = divmod(steps, _SUBPIXELS)
    return in_tiles(matte, math.ceil(shift_px), partial(_dilated, whole=whole, part=part))


def _dilated(matte: Matte, whole: int, part: int) -> Matte:
    """The dilation by `whole` + `part` / 256 pixels."""
    radii = (whole, whole + 1) if part else (whole,)
    discs = _disc_maxima(matte, radii)
    if not part:
        return discs[0]
    lower, upper = discs
    rise = (upper - lower).astype(np.uint16)
    rise *= np.uint16(part)
    rise += np.uint16(_SUBPIXELS // 2)
    rise >>= 8
    return lower + rise.astype(np.uint8)


def _disc_maxima(matte: Matte, radii: tuple[int, ...]) -> list[Matte]:
    """The maxima over discs of the given radii; rows of maxima are shared between the discs."""
    results = [matte.copy() for _ in radii]
    row_maxima = matte
    for reach in range(max(radii) + 1):
        if reach:
            row_maxima = _widened(row_maxima)
        for radius, result in zip(radii, results, strict=True):
            for dy in _rows_of_disc(radius, reach):
                _raise_by_rows(result, row_maxima, dy)
    return results


def _widened(row_maxima: Matte) -> Matte:
    """Maxima over a horizontal span that is one pixel longer on either side."""
    wider = row_maxima.copy()
    np.maximum(wider[:, 1:], row_maxima[:, :-1], out=wider[:, 1:])
    np.maximum(wider[:, :-1], row_maxima[:, 1:], out=wider[:, :-1])
    return wider


def _rows_of_disc(radius: int, reach: int) -> list[int]:
    """The distances dy >= 0 from the centre at which a disc extends `reach` to either side."""
    return [dy for dy in range(radius + 1) if math.isqrt(radius**2 - dy**2) == reach]


def _raise_by_rows(result: Matte, row_maxima: Matte, dy: int) -> None:
    """Raise `result` in place to what lies `dy` rows above and below."""
    if dy == 0:
        np.maximum(result, row_maxima, out=result)
        return
    np.maximum(result[dy:], row_maxima[:-dy], out=result[dy:])
    np.maximum(result[:-dy], row_maxima[dy:], out=result[:-dy])
