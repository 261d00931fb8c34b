"""How far a matte is from the truth; both are H x W, 0..1."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from reference_photos import Reference

Plane = NDArray[np.float32]

_LEAST = 1e-3  # so that a perfect matte has a ratio, too
_SIGMA = 1.4
_REACH = 6


def sad(alpha: NDArray[np.floating], truth: Plane) -> float:
    """The sum of absolute differences, in thousands of pixels."""
    return float(np.abs(alpha - truth).sum() / 1000) + _LEAST


def gradient_error(alpha: Plane, truth: Plane) -> float:
    """How differently steep both are: Rhemann et al., A Perceptually Motivated Online Benchmark for
    Image Matting, 2009, scaled as in the evaluation of P3M (a kernel whose sum is one, / 10)."""
    return float(np.square(_steepness(alpha) - _steepness(truth)).sum() / 10) + _LEAST


def _steepness(plane: Plane) -> Plane:
    offsets = np.arange(-_REACH, _REACH + 1, dtype=np.float32)
    bell = np.exp(-np.square(offsets / _SIGMA) / 2)
    bell /= bell.sum()
    slope = bell * offsets / np.float32(_SIGMA**2)
    along = _filtered(_filtered(plane, bell, 0), slope, 1)
    down = _filtered(_filtered(plane, slope, 0), bell, 1)
    return np.asarray(np.hypot(along, down))


def _filtered(plane: Plane, kernel: Plane, axis: int) -> Plane:
    widths = [(0, 0), (0, 0)]
    widths[axis] = (_REACH, _REACH)
    padded = np.pad(plane, widths, mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.size, axis=axis)
    return np.asarray(windows @ kernel)


def edge_band(reference: Reference) -> NDArray[np.bool_]:
    """The trimap's unknown zone where there is one, otherwise 1 % of the long side about edges."""
    alpha = reference.alpha
    height, width = alpha.shape
    trimap = reference.path.parents[1] / "trimap2" / f"{reference.path.stem}.png"
    if trimap.is_file():
        with Image.open(trimap) as picture:
            grey = np.asarray(picture.convert("L").resize((width, height)))
        return (grey > 60) & (grey < 200)
    solid = Image.fromarray(np.asarray(alpha >= 0.5, np.uint8))
    inner = np.asarray(solid.filter(ImageFilter.MinFilter(3)))
    unsure = ((alpha > 0.02) & (alpha < 0.98)) | (np.asarray(solid) != inner)
    radius = max(3, round(0.01 * max(width, height)))
    grown = Image.fromarray(np.asarray(unsure, np.uint8)).filter(
        ImageFilter.MaxFilter(2 * radius + 1)
    )
    return np.asarray(grown) > 0


def geometric_mean(ratios: NDArray[np.floating] | list[float]) -> float:
    """Of positive numbers."""
    return float(np.exp(np.mean(np.log(ratios))))


def rank_correlation(one: list[float], other: list[float]) -> float:
    """Spearman's."""
    ranks = np.array([np.argsort(np.argsort(values)) for values in (one, other)])
    return float(np.corrcoef(ranks)[0, 1])
