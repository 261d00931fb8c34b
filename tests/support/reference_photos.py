"""Photographs with true alpha, where a checkout has them beside it; benchmarks only."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SETS = ("gt-odd", "panels-odd", "composites", "objects")


@dataclass(frozen=True, slots=True)
class Reference:
    """A photo's path, and its truth: H x W, float32, 0..1."""

    path: Path
    alpha: NDArray[np.float32]

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The photo, H x W x 3, at the truth's size."""
        height, width = self.alpha.shape
        with Image.open(self.path) as photo:
            return np.asarray(photo.convert("RGB").resize((width, height)))

    @property
    def is_small(self) -> bool:
        """Whether the subject's box takes less than a quarter of the frame."""
        subject = self.alpha > 0.5
        rows, columns = np.flatnonzero(subject.any(axis=1)), np.flatnonzero(subject.any(axis=0))
        if not rows.size:
            return False
        box = (rows[-1] + 1 - rows[0]) * (columns[-1] + 1 - columns[0])
        return bool(box < subject.size / 4)


def references(name: str) -> Iterator[Reference]:
    """The pictures of one set."""
    truths = {path.stem: path for path in (DATA / name / "gt").iterdir()}
    for path in sorted((DATA / name / "im").iterdir()):
        with Image.open(truths[path.stem]) as truth:
            alpha = np.asarray(truth.convert("L"), np.float32) / np.float32(255)
        yield Reference(path, alpha)
