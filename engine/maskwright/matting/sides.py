"""The colours of an edge's two sides, and what share of each a pixel between them has."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskwright.matting.guided import box_mean

Plane = NDArray[np.float32]

# A pixel speaks for a side by the cube of its alpha for it: one in the middle hardly speaks.
_CERTAINTY = 3
# The least share of a window that must speak for each side before its colour is believed.
_LEAST_SHARE = np.float32(0.05)
# Colour distance, 0..1 squared, below which sides are too alike to be told apart.
_ALIKE = np.float32(1e-3)
# Variance of alpha in a window above which it holds an edge and not an even veil.
_EDGE = np.float32(3e-3)
_TINY = np.float32(1e-6)


@dataclass(frozen=True, slots=True)
class Sides:
    """trust x the subject's share = slope . colour + offset, colour in 0..1.

    slope:  3 x h x w, float32.
    offset: h x w, float32.
    trust:  h x w, float32, 0..1: how well the colours tell the sides apart.
    edge:   h x w, float32, 0..1: whether there is an edge nearby at all.

    With the trust in it, the model can be enlarged: where it means nothing, it weighs nothing.
    """

    slope: Plane
    offset: Plane
    trust: Plane
    edge: Plane


@dataclass(frozen=True, slots=True)
class Sharpness:
    """How much an edge is sharpened.

    blur:  what the prediction draws of an edge is wider than the edge by this much of 0..1 at each
           end.
    doubt: how much the scatter of a side's colours counts against the distance between the sides.
    """

    blur: float
    doubt: float


def find_sides(guide: Plane, alpha: Plane, radius: int, sharpness: Sharpness) -> Sides:
    """How far along the line from the ground's colour to the subject's each colour lies.

    guide: 3 x h x w, float32, 0..1. alpha: h x w, float32, beyond 0..1 where it is sure.

    The sides' colours are local means, weighted by alpha; the share is the projection of
    sampling-based matting (Chuang et al., A Bayesian Approach to Digital Matting, 2001, equation
    8). A fit to alpha, such as the guided filter's, inherits the blur of alpha; the projection runs
    from 0 to 1 wherever the colours do.
    """
    clear = np.clip(alpha, 0, 1)
    mean = _window(np.stack((clear, clear * clear)), radius)
    edge = np.clip((mean[1] - mean[0] * mean[0]) / _EDGE, 0, 1)
    clear += edge * (steepened(alpha, sharpness.blur) - clear)
    subject = _Side(guide, clear, radius)
    ground = _Side(guide, 1 - clear, radius)
    across = subject.colour - ground.colour
    distance = np.square(across).sum(axis=0)
    scatter = subject.scatter + ground.scatter
    trust = distance / (distance + np.float32(sharpness.doubt) * scatter + _ALIKE)
    trust *= np.minimum(1, np.minimum(subject.share, ground.share) / _LEAST_SHARE)
    slope = trust / np.maximum(distance, _TINY) * across
    halfway = (subject.colour + ground.colour) / np.float32(2)
    offset = trust / np.float32(2) - (slope * halfway).sum(axis=0)
    return Sides(slope, offset, trust, edge)


def sharpened(alpha: Plane, colours: Plane, sides: Sides, blur: float) -> Plane:
    """Alpha, h x w, beyond 0..1 where it is sure, of 3 x h x w colours: with its edges sharp."""
    clear = np.clip(alpha, 0, 1)
    clear += sides.edge * (steepened(alpha, blur) - clear)
    share = (sides.slope * colours).sum(axis=0) + sides.offset
    share /= np.maximum(sides.trust, _TINY)
    clear += sides.trust * (steepened(share, blur) - clear)
    return clear


def steepened(alpha: Plane, blur: float) -> Plane:
    """Alpha without an edge's blur: `blur` and below becomes 0, 1 - `blur` and above 1."""
    narrow = (alpha - np.float32(blur)) / np.float32(1 - 2 * blur)
    result: Plane = np.clip(narrow, 0, 1, out=narrow)
    return result


class _Side:
    """Weighted window statistics: mean colour, variance per channel, share of the window."""

    def __init__(self, guide: Plane, alpha: Plane, radius: int) -> None:
        weight = alpha**_CERTAINTY
        sums = np.stack((weight, *(weight * guide), weight * np.square(guide).sum(axis=0)))
        sums = _window(sums, radius)
        self.share = sums[0]
        means = sums[1:] / np.maximum(self.share, _TINY)
        self.colour = means[:3]
        self.scatter = np.maximum(means[3] - np.square(self.colour).sum(axis=0), 0) / np.float32(3)


def _window(planes: Plane, radius: int) -> Plane:
    """Means over a window that fades towards its border: 4 `radius` + 1 pixels across."""
    return box_mean(box_mean(planes, radius), radius)
