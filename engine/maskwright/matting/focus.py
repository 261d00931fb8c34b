"""Focus: a second look at a subject that is small in the frame."""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from maskwright.matting.geometry import Box, box_of, window_around
from maskwright.matting.photo import Photo, Samples
from maskwright.matting.prediction import Prediction
from maskwright.matting.tiles import Tile, each_tile

# Chosen on photos with true alpha; tests/bench prints what they bring.
LARGEST_SUBJECT = 0.4  # of the frame, by the box of everything more likely subject than not
MARGIN = 0.4  # of the subject's box, on each side: networks need context
LARGEST_WINDOW = 0.7  # of the frame: a larger one shows nothing new
LEAST_DETAIL = 0.5  # photo pixels per network pixel: fewer is only a blown-up picture
_CUT_OFF = 0.1  # of a window's side: a subject that leaves the window was not the subject
_FEATHER = 0.08  # of the window's shorter side


def focus_window(prediction: Prediction, width: int, height: int) -> Box | None:
    """The part of a `width` x `height` photo that deserves a run of its own, if any."""
    likely = prediction.alpha > 0.5
    box = box_of(likely)
    if box is None or box.width * box.height > LARGEST_SUBJECT * likely.size:
        return None
    window = window_around(box, likely.shape, MARGIN, width, height)
    area = window.width * window.height
    detail = sqrt(area / likely.size)
    if area > LARGEST_WINDOW * width * height or detail < LEAST_DETAIL:
        return None
    return window


def crop(photo: Photo, window: Box) -> Photo:
    """The window's pixels; nothing is copied."""
    alpha = None if photo.alpha is None else photo.alpha[window.slices]
    return Photo(photo.rgb[window.slices], alpha)


def agrees(closer: Prediction, window: Box, width: int, height: int) -> bool:
    """Whether the second look may replace the first: it found a subject that ends in the window.

    A subject that runs across the window's border, where the first look saw background, would be
    cut with a visible seam.
    """
    likely = closer.alpha > 0.5
    if not likely.any():
        return False
    rim = max(1, round(0.02 * min(likely.shape)))
    inner_sides = [
        (window.top > 0, likely[:rim].any(axis=0)),
        (window.bottom < height, likely[-rim:].any(axis=0)),
        (window.left > 0, likely[:, :rim].any(axis=1)),
        (window.right < width, likely[:, -rim:].any(axis=1)),
    ]
    return all(side.mean() <= _CUT_OFF for inside, side in inner_sides if inside)


def blend(matte: Samples, closer: Samples, window: Box) -> None:
    """Put `closer` (the window's matte) into `matte`, both of one dtype, in place, without a seam.

    Inside it is `closer` alone; towards sides that are not the frame's it fades into `matte`.
    """
    height, width = matte.shape
    feather = _feather(window)
    down = _fade(window.height, window.top > 0, window.bottom < height, feather)
    across = _fade(window.width, window.left > 0, window.right < width, feather)
    target = matte[window.slices]

    def work(tile: Tile) -> None:
        rows, columns = tile.slices
        weight = np.minimum(down[rows, None], across[None, columns])
        if weight.min() == 1:
            target[tile.slices] = closer[tile.slices]
            return
        mixed = target[tile.slices] * (1 - weight) + closer[tile.slices] * weight
        target[tile.slices] = np.rint(mixed)

    each_tile(closer.shape, work)


def covered(window: Box, width: int, height: int) -> Box:
    """The part of a window in which `blend` leaves nothing of a `width` x `height` matte."""
    feather = _feather(window)
    return Box(
        window.left + feather * (window.left > 0),
        window.top + feather * (window.top > 0),
        window.right - feather * (window.right < width),
        window.bottom - feather * (window.bottom < height),
    )


def _feather(window: Box) -> int:
    return max(1, int(_FEATHER * min(window.width, window.height)))


def _fade(length: int, at_start: bool, at_end: bool, feather: int) -> NDArray[np.float32]:
    weights = np.ones(length, np.float32)
    ramp = ((np.arange(feather) + 0.5) / feather).astype(np.float32)[:length]
    if at_start:
        weights[: ramp.size] = np.minimum(weights[: ramp.size], ramp)
    if at_end:
        weights[length - ramp.size :] = np.minimum(weights[length - ramp.size :], ramp[::-1])
    return weights
