"""Prediction to matte: from the network's few pixels to the photo's many."""

from collections.abc import Callable
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskwright.cancel import CancelToken
from maskwright.matting.geometry import Box, Enlarged, resize_part, resize_plane
from maskwright.matting.guided import Coefficients, guided_coefficients
from maskwright.matting.photo import Photo, Samples
from maskwright.matting.prediction import BACKDROP, Prediction
from maskwright.matting.sides import Sharpness, Sides, find_sides, sharpened
from maskwright.matting.tiles import Tile, each_tile

Plane = NDArray[np.float32]

# All of these are the best of several tried on photos with true alpha; see DEVELOPMENT.md.
# The sides of an edge are found on a grid with so many cells for each network pixel, and so many
# network pixels around.
CELLS = 2.5
REACH = 0.7
# Photo pixels for each network pixel, along a line, up to which a network is fine, and from which
# it is coarse; and how much the edges of each are sharpened.
_FINE, _COARSE = 0.7, 1.2
_BLUR = (0.0, 0.05)
_DOUBT = (16.0, 2.0)

# A prediction that varies less than this has no edge.
_EVEN = 1e-3


def refine(
    photo: Photo,
    prediction: Prediction,
    cancel: CancelToken,
    told: Callable[[float], None] | None = None,
    covered: Box | None = None,
) -> Samples:
    """Bring a prediction to the photo's size, its edges moved to where the photo has them.

    Returns the matte, H x W, the photo's dtype, full range. First a guided upsampling (He and Sun,
    Fast Guided Filter, 2015): around the edge the matte is a local linear function of the photo's
    colour, fitted at the prediction's resolution; elsewhere it is the prediction, bilinear. Then,
    where the colours on an edge's two sides differ, it is the pixel's share of each: all the more
    the coarser the network is for the photo. `told` hears what share is done, 0..1; where something
    else will cover the matte, it may stay empty. Raises Cancelled between tiles.
    """
    rows, columns = prediction.values.shape
    sharpness = sharpness_at(sqrt(photo.height * photo.width / (rows * columns)))
    levelled, pixels = prediction.levelled, prediction.pixels
    if rows > photo.height or columns > photo.width:
        columns, rows = min(columns, photo.width), min(rows, photo.height)
        levelled = resize_plane(levelled, columns, rows)
        picture = Image.fromarray(pixels)
        pixels = np.asarray(picture.resize((columns, rows), Image.Resampling.BILINEAR))
    fit = guided_coefficients(pixels, levelled)
    cancel.check()
    size, depth = (photo.width, photo.height), np.iinfo(photo.rgb.dtype).max
    matte: Samples = np.zeros((photo.height, photo.width), photo.rgb.dtype)
    model, grid = _Model(fit, *size), _Grid(photo, fit, sharpness)

    def work(tile: Tile) -> None:
        cancel.check()
        part = Box(tile.left, tile.top, tile.right, tile.bottom)
        if covered is not None and part.is_within(covered):
            return
        outer = grid.around(part)
        near = model.source(outer)
        least, most = fit.offset[near].min(), fit.offset[near].max()
        edge = bool(fit.active[near].any())
        if not edge and (most <= 0 or least >= 1):
            matte[tile.slices] = 0 if most <= 0 else depth
            return
        around = _colours(photo, outer)
        down, across = part.top - outer.top, part.left - outer.left
        colours = around[:, down : down + part.height, across : across + part.width]
        alpha = model.alpha(part, colours)
        if edge or most - least > _EVEN:
            alpha = sharpened(alpha, colours, grid.sides(part, around), sharpness.blur)
        matte[tile.slices] = np.clip(alpha, 0, 1) * np.float32(depth) + np.float32(0.5)

    each_tile(matte.shape, work, told)
    return matte


def sharpness_at(scale: float) -> Sharpness:
    """For a network with one pixel for `scale` of the photo's, along a line."""
    coarse = min(1.0, max(0.0, (scale - _FINE) / (_COARSE - _FINE)))
    blur, doubt = ((1 - coarse) * fine + coarse * most for fine, most in (_BLUR, _DOUBT))
    return Sharpness(blur, doubt)


class _Model:
    """The guided filter's model of a prediction, at the resolution of a photo."""

    def __init__(self, fit: Coefficients, width: int, height: int) -> None:
        self._offset = Enlarged(fit.offset, width, height)
        self._slopes = [Enlarged(slope, width, height) for slope in fit.slope]
        self.source = self._offset.source

    def alpha(self, part: Box, colours: Plane) -> Plane:
        """Alpha for the 3 x h x w colours, 0..1, of a part; beyond 0..1 where it is sure."""
        alpha = self._offset.part(part)
        for slope, channel in zip(self._slopes, colours, strict=True):
            alpha += slope.part(part) * channel
        return alpha


class _Grid:
    """The sides of a photo's edges, found on a coarser grid of cells, part by part."""

    def __init__(self, photo: Photo, fit: Coefficients, sharpness: Sharpness) -> None:
        rows, columns = fit.offset.shape
        self._photo, self._sharpness = photo, sharpness
        self._columns = min(photo.width, round(CELLS * columns))
        self._rows = min(photo.height, round(CELLS * rows))
        self._model = _Model(fit, self._columns, self._rows)
        self._x, self._y = self._columns / photo.width, self._rows / photo.height
        cells = sqrt(self._columns * self._rows / (rows * columns))
        self._radius = max(1, int(REACH * cells + 0.5))

    def around(self, part: Box) -> Box:
        """What of the photo reaches into a part."""
        # A window's cells, one and a half for the way to the grid and as many for the way back.
        halo = 2 * self._radius + 3
        across, down = ceil(halo / self._x), ceil(halo / self._y)
        return Box(
            max(0, part.left - across),
            max(0, part.top - down),
            min(self._photo.width, part.right + across),
            min(self._photo.height, part.bottom + down),
        )

    def sides(self, part: Box, colours: Plane) -> Sides:
        """The sides near each pixel of a part, from the colours of what is around it."""
        outer = self.around(part)
        cells = Box(
            -(-outer.left * self._columns // self._photo.width),
            -(-outer.top * self._rows // self._photo.height),
            outer.right * self._columns // self._photo.width,
            outer.bottom * self._rows // self._photo.height,
        )
        inside = (
            cells.left / self._x - outer.left,
            cells.top / self._y - outer.top,
            cells.right / self._x - outer.left,
            cells.bottom / self._y - outer.top,
        )
        guide = np.stack([resize_part(c, inside, cells.width, cells.height) for c in colours])
        alpha = self._model.alpha(cells, guide)
        sides = find_sides(guide, alpha, self._radius, self._sharpness)
        back = (
            part.left * self._x - cells.left,
            part.top * self._y - cells.top,
            part.right * self._x - cells.left,
            part.bottom * self._y - cells.top,
        )

        def enlarged(plane: Plane) -> Plane:
            return resize_part(plane, back, part.width, part.height)

        slope = np.stack([enlarged(plane) for plane in sides.slope])
        return Sides(slope, *(enlarged(p) for p in (sides.offset, sides.trust, sides.edge)))


def _colours(photo: Photo, part: Box) -> Plane:
    """A part's colours, 3 x h x w, 0..1, transparency laid over what the network saw there.

    Without that the colours of fully transparent pixels, which mean nothing, would draw the edge.
    """
    rgb = photo.rgb[part.slices].transpose(2, 0, 1)
    depth = np.float32(np.iinfo(photo.rgb.dtype).max)
    colours: Plane = np.divide(rgb, depth, dtype=np.float32, order="C")
    if photo.alpha is None:
        return colours
    opacity = photo.alpha[part.slices] / depth
    backdrop = np.float32(BACKDROP / 255)
    return backdrop + opacity * (colours - backdrop)
