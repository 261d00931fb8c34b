"""How doubtful a matte is, and where."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from maskwright.matting.geometry import Box, resize_plane
from maskwright.matting.prediction import Prediction

MOST_SPOTS = 20

_GRID = 320  # doubt is judged at this size, so that all networks are judged alike
_CELL = 16
_HALF_DOUBT = 0.13  # the raw score that reads as 0.5: an eighth of real photos lie above it
_SPOT_DOUBT = 0.15


@dataclass(frozen=True, slots=True)
class Spot:
    """A place to look at: a box in photo pixels, doubt in 0..1."""

    x: int
    y: int
    width: int
    height: int
    doubt: float


@dataclass(frozen=True, slots=True)
class Review:
    """Doubt about a whole matte, 0 (sure) to 1, and at most `MOST_SPOTS` places, worst first."""

    doubt: float
    spots: tuple[Spot, ...]


NOTHING_TO_JUDGE = Review(1.0, ())


def review(prediction: Prediction, window: Box) -> Review:
    """Judge a prediction by its own uncertainty; `window` is the part of the photo it shows.

    A value of a is worth 4 a (1 - a) of uncertainty. The raw score is the geometric mean of
    uncertainty over the frame (the error to expect per pixel) and over the subject (the error to
    expect of it); alone, each ranks only one of the two.
    """
    alpha = prediction.alpha
    height, width = (min(_GRID, side) for side in alpha.shape)
    alpha = np.clip(resize_plane(alpha, width, height), 0, 1)
    unsure = 4 * alpha * (1 - alpha)
    subject = max(float(alpha.mean()), 1 / alpha.size)
    raw = sqrt(float(unsure.mean()) * float(unsure.mean()) / subject)
    return Review(raw / (raw + _HALF_DOUBT), _spots(unsure, window))


def _spots(unsure: NDArray[np.float32], window: Box) -> tuple[Spot, ...]:
    """The most uncertain cells of a coarse grid, no two of them neighbours."""
    rows, columns = unsure.shape
    # No finer than the photo, so that cells do not share its pixels.
    unsure = resize_plane(unsure, min(columns, window.width), min(rows, window.height))
    cells = _cell_means(_cell_means(unsure).T).T
    scale_x, scale_y = window.width / unsure.shape[1], window.height / unsure.shape[0]
    spots: list[Spot] = []
    while len(spots) < MOST_SPOTS and cells.max() >= _SPOT_DOUBT:
        row, column = (int(i) for i in np.unravel_index(cells.argmax(), cells.shape))
        left, top = int(column * _CELL * scale_x), int(row * _CELL * scale_y)
        right = min(window.width, round((column + 1) * _CELL * scale_x))
        bottom = min(window.height, round((row + 1) * _CELL * scale_y))
        doubt = min(1.0, float(cells[row, column]))
        size = (max(1, right - left), max(1, bottom - top))
        spots.append(Spot(window.left + left, window.top + top, *size, doubt))
        cells[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = 0
    return tuple(spots)


def _cell_means(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of every `_CELL` rows; the last cell may have fewer."""
    starts = np.arange(0, len(plane), _CELL)
    counts = np.diff(starts, append=len(plane))[:, np.newaxis]
    return (np.add.reduceat(plane, starts) / counts).astype(np.float32)
