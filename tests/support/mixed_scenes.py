"""Photos mixed of a subject and a background that are known everywhere, by a true matte.

No set of photographs with true alpha has the subject's true colours at soft edges, so they are
chosen, and the photo is made with them: by a texture, which is another photograph and as rich in
detail as can be, or by what PyMatting's closed-form method finds in the photo of that matte, which
is as the subject is.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps
from pymatting_peer import PyMatting
from reference_photos import DATA, references

SETS = ("gt-odd", "panels-odd")
GREEN = np.array([0.1, 0.65, 0.2], np.float32)

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scene:
    """alpha: H x W; subject and ground: H x W x 3; all float32, 0..1."""

    name: str
    alpha: Plane
    subject: Plane
    ground: Plane

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """What a camera would have seen, mixed in the samples' own encoding."""
        share = self.alpha[..., np.newaxis]
        return np.asarray(
            np.rint((share * self.subject + (1 - share) * self.ground) * 255), np.uint8
        )

    @property
    def matte(self) -> NDArray[np.uint8]:
        """The true matte as the product has it."""
        return np.asarray(np.rint(self.alpha * 255), np.uint8)

    def error(self, colours: NDArray[Any]) -> float:
        """How far off soft pixels are, on the mean, whatever is put behind them.

        Two pictures with one matte differ on any background by alpha times what their colours
        differ. `colours` are samples of 8 bits, or 0..1.
        """
        scale = 255 if colours.dtype == np.uint8 else 1
        soft = (self.alpha > 0) & (self.alpha < 1)
        off = np.abs(colours[soft] / np.float32(scale) - self.subject[soft])
        return float((self.alpha[soft][:, np.newaxis] * off).mean())


def textured_scenes() -> Iterator[Scene]:
    """The true mattes, each with two photographs that have nothing to do with it."""
    for name in SETS:
        for reference in references(name):
            key, size = reference.path.stem, reference.alpha.shape
            yield Scene(key, reference.alpha, _photo(key, 1, size), _photo(key, 2, size))


def natural_scenes(peer: PyMatting, folder: Path) -> Iterator[Scene]:
    """The true mattes with their own subjects, before a photograph, a blurred one, and green."""
    photos = {
        reference.path.stem: (reference.pixels, reference.alpha)
        for name in SETS
        for reference in references(name)
    }
    subjects = peer.foregrounds("closed-form", photos, folder).colours
    for key, (_, alpha) in photos.items():
        subject = np.clip(subjects[key], 0, 1)
        grounds = {
            "sharp": _photo(key, 2, alpha.shape),
            "blurred": _photo(key, 3, alpha.shape, blur_px=12),
            "green": np.broadcast_to(GREEN, subject.shape),
        }
        for kind, ground in grounds.items():
            yield Scene(f"{key}-{kind}", alpha, subject, ground)


def _photo(key: str, number: int, size: tuple[int, ...], blur_px: float = 0) -> Plane:
    """One of the photographs of objects, the same each time, cut to that size."""
    paths: list[Path] = sorted((DATA / "objects" / "im").iterdir())
    path = paths[(zlib.crc32(key.encode()) + 7919 * number) % len(paths)]
    with Image.open(path) as photo:
        fitted = ImageOps.fit(photo.convert("RGB"), (size[1], size[0]))
    if blur_px:
        fitted = fitted.filter(ImageFilter.GaussianBlur(blur_px))
    return np.asarray(fitted, np.float32) / np.float32(255)
