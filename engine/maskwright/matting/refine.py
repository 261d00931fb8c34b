"""Prediction to matte: from the network's few pixels to the photo's many."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskwright.cancel import CancelToken
from maskwright.matting.geometry import Box, Enlarged, resize_plane
from maskwright.matting.guided import Coefficients, guided_coefficients
from maskwright.matting.photo import Photo, Samples
from maskwright.matting.prediction import BACKDROP, Prediction
from maskwright.matting.tiles import Tile, each_tile


def refine(photo: Photo, prediction: Prediction, cancel: CancelToken) -> Samples:
    """Bring a prediction to the photo's size, its edges moved to where the photo has them.

    Returns the matte, H x W, the photo's dtype, full range. A guided upsampling (He and Sun, Fast
    Guided Filter, 2015): around the edge the matte is a local linear function of the photo's
    colour, fitted at the prediction's resolution; elsewhere it is the prediction, bilinear.
    Raises Cancelled between tiles.
    """
    rows, columns = prediction.values.shape
    levelled, pixels = prediction.levelled, prediction.pixels
    if rows > photo.height or columns > photo.width:
        columns, rows = min(columns, photo.width), min(rows, photo.height)
        levelled = resize_plane(levelled, columns, rows)
        picture = Image.fromarray(pixels)
        pixels = np.asarray(picture.resize((columns, rows), Image.Resampling.BILINEAR))
    return _applied(photo, guided_coefficients(pixels, levelled), cancel)


def _applied(photo: Photo, fit: Coefficients, cancel: CancelToken) -> Samples:
    """Evaluate the linear model at every pixel of the photo."""
    size, depth = (photo.width, photo.height), np.iinfo(photo.rgb.dtype).max
    matte: Samples = np.empty((photo.height, photo.width), photo.rgb.dtype)
    offset, slopes = Enlarged(fit.offset, *size), [Enlarged(s, *size) for s in fit.slope]

    def work(tile: Tile) -> None:
        cancel.check()
        part = Box(tile.left, tile.top, tile.right, tile.bottom)
        near = offset.source(part)
        least, most = fit.offset[near].min(), fit.offset[near].max()
        edge = bool(fit.active[near].any())
        if not edge and (most <= 0 or least >= 1):
            matte[tile.slices] = 0 if most <= 0 else depth
            return
        alpha = offset.part(part) * np.float32(depth)
        if edge:
            colours = _colours(photo, tile)
            for channel, slope in enumerate(slopes):
                alpha += slope.part(part) * colours[..., channel]
        alpha += np.float32(0.5)
        matte[tile.slices] = np.clip(alpha, 0, depth)

    each_tile(matte.shape, work)
    return matte


def _colours(photo: Photo, tile: Tile) -> Samples | NDArray[np.float32]:
    """The tile's colours in the photo's range, transparency laid over what the network saw there.

    Without that the colours of fully transparent pixels, which mean nothing, would draw the edge.
    """
    rgb = photo.rgb[tile.slices]
    if photo.alpha is None:
        return rgb
    depth = np.iinfo(rgb.dtype).max
    opacity = photo.alpha[tile.slices][..., np.newaxis] / np.float32(depth)
    backdrop = np.float32(BACKDROP * depth / 255)
    return backdrop + opacity * (rgb - backdrop)
