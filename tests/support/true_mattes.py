"""Photos whose matte is known exactly: a soft disc of one colour over a ground of another."""

import numpy as np
from maskwright.matting.photo import Samples
from maskwright.matting.prediction import Prediction
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float32]
Colour = tuple[int, int, int]
Depth = type[np.uint8] | type[np.uint16]

RED: Colour = (220, 30, 40)
TEAL: Colour = (40, 110, 130)


def disc(
    width: int, height: int, radius: float, centre: tuple[float, float] | None = None
) -> Plane:
    """The share of each pixel inside a disc, by its distance: H x W, 0..1."""
    x, y = centre or (width / 2, height / 2)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32) + np.float32(0.5)
    inside = radius + 0.5 - np.hypot(columns - x, rows - y)
    return np.asarray(np.clip(inside, 0, 1), np.float32)


def composed(alpha: Plane, subject: Colour = RED, ground: Colour = TEAL) -> Pixels:
    """H x W x 3: one colour over another."""
    mix = alpha[..., np.newaxis]
    colours = mix * np.array(subject, np.float32) + (1 - mix) * np.array(ground, np.float32)
    return np.asarray(np.rint(colours), np.uint8)


def small_prediction(
    pixels: Pixels,
    alpha: Plane,
    width: int,
    height: int,
    levels: tuple[float, float] = (0.0, 1.0),
) -> Prediction:
    """What a network of that size without fault would say: the true matte, averaged."""
    size = (width, height)
    values = np.asarray(Image.fromarray(alpha).resize(size, Image.Resampling.BOX))
    seen = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))
    return Prediction(np.clip(values, 0, 1), seen, levels)


def full_range(samples: NDArray[np.generic], depth: Depth) -> Samples:
    """Whole numbers as samples of 8 or 16 bits; the numbers stay."""
    return samples.astype(np.uint8) if depth is np.uint8 else samples.astype(np.uint16)


def noise(width: int, height: int, depth: Depth = np.uint8, seed: int = 0) -> Samples:
    """H x W of nothing but noise, full range."""
    return noisy_photo(width, height, depth, seed)[..., 0]


def noisy_photo(width: int, height: int, depth: Depth = np.uint8, seed: int = 0) -> Samples:
    """H x W x 3 of nothing but noise, full range."""
    rng, most = np.random.default_rng(seed), np.iinfo(depth).max
    return full_range(rng.integers(0, most, (height, width, 3), endpoint=True), depth)


def widened(samples: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """8 bits as 16."""
    return samples.astype(np.uint16) * np.uint16(257)
