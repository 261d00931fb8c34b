"""Cleaning a matte by what its regions are: stray specks, holes, second subjects, inner haze.

Distances that decide here are measured on a coarse grid of cells, as many chessboard-and-diamond
(octagonal) steps from one cell to the next; weights drawn from them are brought back to pixels
by bilinear interpolation. That makes every transition smooth and costs next to nothing.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from maskwright.matting.components import Flags, Runs, components, runs_between
from maskwright.matting.tiles import Matte, Tile, each_tile

# Alpha from which pixels hang together: an eighth. Lower than half so that hair, which is faint
# for stretches, stays with its head.
JOINED = 32
# Alpha below which a pixel is background for `solidify`: a tenth.
BACKGROUND = 26
# How far the soft skirt of a region reaches, and how wide the edge band is that `solidify` spares,
# in pixels of a full-size photo.
SKIRT_PX = 24.0

_OPAQUE = 255
# Alpha that counts as solid in `solidify`: 0.95.
_SOLID = 242
_STEPS = 6


def drop_regions(matte: Matte, up_to_px: float, *, largest: bool, skirt_px: float) -> Matte:
    """Clear regions of up to `up_to_px` pixels and, with `largest`, all but the largest one.

    matte: H x W, uint8. A region is an 8-connected set of pixels of alpha `JOINED` or more. Its
    skirt, the fainter pixels within `skirt_px` that lie nearer to it than to a region that stays,
    goes with it; its outer third fades out. Everything that stays is as it was.
    """
    runs = runs_between(matte, JOINED, _OPAQUE)
    found = components(runs, diagonal=True)
    dropped = found.area <= up_to_px
    if largest and dropped.size:
        dropped |= np.arange(dropped.size) != np.argmax(found.area)
    return _without(matte, runs, dropped[found.label], skirt_px)


def fill_holes(matte: Matte, up_to_px: float, *, skirt_px: float) -> Matte:
    """Make holes of up to `up_to_px` pixels opaque.

    matte: H x W, uint8. A hole is a 4-connected set of pixels of transparency `JOINED` or more
    that does not touch the picture's frame; its skirt goes with it as in `drop_regions`.
    """
    clear = 255 - matte
    runs = runs_between(clear, JOINED, _OPAQUE)
    found = components(runs, diagonal=False)
    dropped = (found.area <= up_to_px) & ~found.at_frame()
    return 255 - _without(clear, runs, dropped[found.label], skirt_px)


def solidify(matte: Matte, amount: float, *, skirt_px: float) -> Matte:
    """Raise the haze inside the subject towards opaque; `amount` is 0 .. 1.

    matte: H x W, uint8. Outside is what the background (alpha below `BACKGROUND`) reaches through
    pixels fainter than a threshold, which falls from 0.95 to 0.25 as `amount` rises: a veil at the
    rim is open to the background and is taken for inside only by a large amount. The edge band
    stays exactly as it was: the rest of the way up to 0.95, if that is within `skirt_px`, and half
    of `skirt_px` on. Another half further in, haze rises by all of the strength, which grows to 1
    over the first half of `amount`.
    """
    threshold = round(_SOLID - 0.7 * amount * _OPAQUE)
    runs = runs_between(matte, 0, threshold - 1)
    found = components(runs, diagonal=True)
    outside = found.containing(runs_between(matte, 0, BACKGROUND - 1))
    cell, steps = _grid(skirt_px)
    edge = runs.paint_cells(outside[found.label], cell)
    rising = runs_between(matte, 0, _SOLID - 1)
    may_rise = rising.paint_cells(np.ones(rising.start.size, np.bool_), cell)
    for step in range(steps):
        edge |= _spread(edge, diagonal=step % 2 == 1) & may_rise
    near = _nearness(edge, steps)
    strength = min(1.0, 2 * amount) * _fading(steps)
    weights = _levels(strength).take(near)
    image = Image.fromarray(weights)
    result = matte.copy()

    def raise_tile(tile: Tile) -> None:
        pixels = result[tile.slices]
        if not _cells_of(tile, weights, cell).any() or pixels.min() == _OPAQUE:
            return
        raised = ImageChops.screen(Image.fromarray(pixels), _enlarged(image, cell, tile))
        pixels[...] = np.asarray(raised)

    each_tile(matte.shape, raise_tile)
    return result


def _without(matte: Matte, runs: Runs, dropped: Flags, skirt_px: float) -> Matte:
    """The matte without the flagged runs and their skirts."""
    if not dropped.any():
        return matte
    cell, steps = _grid(skirt_px)
    near_dropped = _nearness(runs.paint_cells(dropped, cell), steps)
    near_kept = _nearness(runs.paint_cells(~dropped, cell), steps)
    # One index into the flat table is several times faster than a pair.
    pair = near_dropped * np.uint8(steps + 1) + near_kept
    weights = _levels(_kept_share(steps)).ravel().take(pair)
    gone = runs.paint(dropped)
    image = Image.fromarray(weights)
    result = matte.copy()

    def clear_tile(tile: Tile) -> None:
        if _cells_of(tile, weights, cell).min() == _OPAQUE:
            return
        pixels = result[tile.slices]
        faded = ImageChops.multiply(Image.fromarray(pixels), _enlarged(image, cell, tile))
        np.copyto(pixels, np.asarray(faded), where=pixels < JOINED)
        pixels[gone[tile.slices]] = 0

    each_tile(matte.shape, clear_tile)
    return result


def _grid(skirt_px: float) -> tuple[int, int]:
    """The side of a cell in pixels, and how many cells make `skirt_px`."""
    cell = max(1, round(skirt_px / _STEPS))
    return cell, max(1, round(skirt_px / cell))


def _nearness(cells: Flags, steps: int) -> Matte:
    """How much nearer than `steps` a cell is to a set one: `steps` in it, 0 far away."""
    covered = cells
    nearness = np.zeros(cells.shape, np.uint8)
    for step in range(steps):
        nearness += covered
        covered = _spread(covered, diagonal=step % 2 == 1)
    return nearness


def _spread(cells: Flags, *, diagonal: bool) -> Flags:
    """The set cells and their four or eight neighbours."""
    wide = cells.copy()
    wide[:, 1:] |= cells[:, :-1]
    wide[:, :-1] |= cells[:, 1:]
    source = wide if diagonal else cells
    spread = wide.copy()
    spread[1:] |= source[:-1]
    spread[:-1] |= source[1:]
    return spread


def _fading(steps: int) -> NDArray[np.float64]:
    """Weights by nearness: 0 within two thirds of the way, rising to 1 at its end."""
    distance = steps - np.arange(steps + 1)
    return np.clip(3 * distance / steps - 2, 0, 1)


def _kept_share(steps: int) -> NDArray[np.float64]:
    """What stays of a skirt, by nearness to what is dropped and by nearness to what is kept."""
    nearness = np.arange(steps + 1)
    nearer_to_kept = 0.5 + (nearness[None, :] - nearness[:, None]) / 2
    return np.clip(np.maximum(nearer_to_kept, _fading(steps)[:, None]), 0, 1)


def _levels(weights: NDArray[np.float64]) -> Matte:
    """Weights of 0 .. 1 in 8 bits."""
    return np.round(weights * _OPAQUE).astype(np.uint8)


def _cells_of(tile: Tile, weights: Matte, cell: int) -> Matte:
    """The weights that `_enlarged` can draw on for a tile."""
    first_row, first_column = max(0, tile.top // cell - 1), max(0, tile.left // cell - 1)
    return weights[
        first_row : tile.bottom // cell + 2,
        first_column : tile.right // cell + 2,
    ]


def _enlarged(weights: Image.Image, cell: int, tile: Tile) -> Image.Image:
    """Weights of cells as weights of a tile's pixels."""
    box = (tile.left / cell, tile.top / cell, tile.right / cell, tile.bottom / cell)
    size = (tile.right - tile.left, tile.bottom - tile.top)
    return weights.resize(size, Image.Resampling.BILINEAR, box=box)
