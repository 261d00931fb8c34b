"""Small made-up photos in which a network finds a subject: a bright ball on a dim, noisy ground."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def ball(width: int = 240, height: int = 180, seed: int = 1) -> NDArray[np.uint8]:
    """H x W x 3: an orange ball with a highlight in the middle of a blue-grey slope with noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    radius = 0.3 * min(width, height)
    distance = np.hypot(x - width / 2, y - height / 2)
    inside = np.clip(radius - distance + 0.5, 0, 1)[..., np.newaxis]
    shine = np.exp(-((x - width * 0.45) ** 2 + (y - height * 0.42) ** 2) / (radius**2 / 4))
    subject = np.array([230.0, 120, 30]) + shine[..., np.newaxis] * np.array([20, 100, 160])
    ground = np.array([60.0, 70, 90]) + (30 * y / height)[..., np.newaxis]
    pixels = inside * subject + (1 - inside) * ground + rng.normal(0, 3, (height, width, 1))
    return np.asarray(np.clip(pixels, 0, 255), np.uint8)


def save_ball(path: Path, *, seed: int = 1, size: tuple[int, int] = (240, 180), **how: Any) -> Path:
    """Write a ball in the format that the name asks for; returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(ball(*size, seed=seed)).save(path, **how)
    return path
