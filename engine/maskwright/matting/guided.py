"""The colour guided filter's local linear model of a prediction."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

# Window radius in the prediction's pixels, and how much colour variance (0..1 squared) counts as
# noise: the best of the radii 1..8 and epsilons 1e-6..1e-2 tried on photos with true alpha.
RADIUS = 2
EPSILON = 5e-5

# A window whose mean is this close to 0 or 1 is sure; rounding in the mean is far smaller.
_SURE = 1e-4

# A slope below this moves no 8-bit value.
_FLAT = 1e-4


@dataclass(frozen=True, slots=True)
class Coefficients:
    """alpha = slope . colour + offset, colour in 0..1.

    slope:  3 x h x w, float32.
    offset: h x w, float32.
    active: h x w, bool: where the slope matters.
    """

    slope: Plane
    offset: Plane
    active: NDArray[np.bool_]


def guided_coefficients(
    pixels: NDArray[np.uint8], values: Plane, radius: int = RADIUS, epsilon: float = EPSILON
) -> Coefficients:
    """Fit `values` by the colours of `pixels` in each window.

    values: h x w, float32; 0..1, or beyond where the prediction is sure.
    pixels: h x w x 3, uint8.

    He, Sun and Tang, Guided Image Filtering, TPAMI 2013, equations 19 to 21 (colour guide), with
    the mean of the overlapping windows' models. A window in which the prediction is flat, or sure
    of one side (nothing above 0, or nothing below 1), has no edge to move: its slope is zero.
    What the colours leave unexplained of a prediction stays in it.
    """
    guide = np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32) / np.float32(255)
    mean = box_mean(guide, radius)
    mean_value = box_mean(values, radius)
    spread = np.stack(
        [box_mean(guide[c] * values, radius) - mean[c] * mean_value for c in range(3)]
    )
    clear = box_mean(np.clip(values, 0, 1), radius)
    doubtful = np.minimum(clear, 1 - clear) > _SURE
    steep = (np.abs(spread).max(axis=0) > 1e-6) & doubtful
    slope = np.zeros_like(guide)
    if steep.any():
        variance = {
            (a, b): (box_mean(guide[a] * guide[b], radius) - mean[a] * mean[b])[steep]
            for a in range(3)
            for b in range(a, 3)
        }
        slope[:, steep] = _solve(variance, spread[:, steep], np.float32(epsilon))
    offset = mean_value - (slope * mean).sum(axis=0)
    slope, offset = box_mean(slope, radius), box_mean(offset, radius)
    variance_value = box_mean(values * values, radius) - mean_value * mean_value
    explained = (slope * spread).sum(axis=0) / np.maximum(variance_value, 1e-6)
    # The square is the best of the powers 0 to 4 on photos with true alpha.
    unexplained = np.square(1 - np.clip(explained, 0, 1))
    offset += unexplained * (values - offset - (slope * guide).sum(axis=0))
    return Coefficients(slope, offset, np.abs(slope).max(axis=0) > _FLAT)


def _solve(variance: dict[tuple[int, int], Plane], spread: Plane, epsilon: np.float32) -> Plane:
    """Solve (variance + epsilon) x = spread for each pixel, by LDL': stable in float32."""
    d0 = variance[0, 0] + epsilon
    l10, l20 = variance[0, 1] / d0, variance[0, 2] / d0
    d1 = variance[1, 1] + epsilon - l10 * variance[0, 1]
    l21 = (variance[1, 2] - l10 * variance[0, 2]) / d1
    d2 = variance[2, 2] + epsilon - l20 * variance[0, 2] - l21 * l21 * d1
    # Rounding may eat the last of epsilon; the true pivots are never below it.
    d1, d2 = np.maximum(d1, epsilon), np.maximum(d2, epsilon)
    y0 = spread[0]
    y1 = spread[1] - l10 * y0
    y2 = spread[2] - l20 * y0 - l21 * y1
    x2 = y2 / d2
    x1 = y1 / d1 - l21 * x2
    x0 = y0 / d0 - l10 * x1 - l20 * x2
    return np.stack((x0, x1, x2))


def box_mean(planes: Plane, radius: int) -> Plane:
    """Mean over (2 radius + 1) squared pixels along the last two axes; the edge is repeated."""
    for axis in (-2, -1):
        widths = [(0, 0)] * planes.ndim
        widths[axis] = (radius, radius)
        padded = np.pad(planes, widths, mode="edge")
        length = planes.shape[axis]
        total = np.zeros_like(planes)
        for start in range(2 * radius + 1):
            window = [slice(None)] * planes.ndim
            window[axis] = slice(start, start + length)
            total += padded[tuple(window)]
        planes = total / np.float32(2 * radius + 1)
    return planes
