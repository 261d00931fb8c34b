"""Where pixels go: boxes in a photo, the network's input size, resizing arrays."""

from itertools import pairwise
from math import ceil
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskwright.matting.tiles import cores, on_cores
from maskwright.models.contract import Contract, Resize, SizeRule

# A dynamic network's longer side never passes this multiple of its nominal size: an extreme
# panorama would otherwise ask for any amount of memory.
_LONGEST = 4
# How much larger than what the network sees a photo still is when Lanczos takes over.
_REDUCED: Final = 1.5
_BAND_ROWS: Final = 32


class Box(NamedTuple):
    """A rectangle of pixels; right and bottom lie just outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def slices(self) -> tuple[slice, slice]:
        """What takes the box out of an array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def is_within(self, other: "Box") -> bool:
        """Whether the other box holds all of it."""
        return (
            self.left >= other.left
            and self.top >= other.top
            and self.right <= other.right
            and self.bottom <= other.bottom
        )


def box_of(subject: NDArray[np.bool_]) -> Box | None:
    """The smallest box that holds all of the subject, h x w; None without one."""
    rows, columns = np.flatnonzero(subject.any(axis=1)), np.flatnonzero(subject.any(axis=0))
    if not rows.size:
        return None
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def window_around(box: Box, grid: tuple[int, ...], margin: float, width: int, height: int) -> Box:
    """A box on a grid of `grid` (rows, columns) as a part of the `width` x `height` photo.

    With `margin` of the box's own size on each side, as far as the frame.
    """
    rows, columns = grid
    top, bottom = box.top / rows, box.bottom / rows
    left, right = box.left / columns, box.right / columns
    across, down = margin * (right - left), margin * (bottom - top)
    return Box(
        int(max(0, left - across) * width),
        int(max(0, top - down) * height),
        min(width, ceil((right + across) * width)),
        min(height, ceil((bottom + down) * height)),
    )


def input_size(contract: Contract, width: int, height: int) -> tuple[int, int]:
    """Width and height of the network's input for a photo of `width` x `height` pixels."""
    size, multiple = contract.size, contract.multiple
    if contract.size_rule in (SizeRule.fixed, SizeRule.multiple):
        return size, size
    side = min(width, height) if contract.size_rule is SizeRule.short_side else max(width, height)

    def fitted(length: int) -> int:
        wanted = min(length * size / side, size * _LONGEST)
        return max(multiple, round(wanted / multiple) * multiple)

    return fitted(width), fitted(height)


def content_box(contract: Contract, photo: tuple[int, int], network: tuple[int, int]) -> Box:
    """The part of the network's input that shows the photo; sizes are (width, height)."""
    if contract.resize is Resize.stretch:
        return Box(0, 0, *network)
    scale = min(network[0] / photo[0], network[1] / photo[1])
    width = max(1, round(photo[0] * scale))
    height = max(1, round(photo[1] * scale))
    left, top = (network[0] - width) // 2, (network[1] - height) // 2
    return Box(left, top, left + width, top + height)


def shrink(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Resize H x W x C uint8 pixels to `height` x `width` with Lanczos (anti-aliased).

    A large photo is box-reduced first, band by band and each axis by itself, to one and a half
    times the size or a little more: the difference is below what a network notices (0.3 of 255
    levels in the mean), and there is no second copy of the photo.
    """
    rows, columns, _ = pixels.shape
    across = max(1, int(columns / (_REDUCED * width)))
    down = max(1, int(rows / (_REDUCED * height)))
    if across * down > 1:
        pixels = _reduce(pixels, across, down)
    picture = Image.fromarray(pixels)
    # The last reduced pixels may stand for fewer than `across`: what is beyond is not the photo.
    x, y = columns / across, rows / down / height

    def band(part: tuple[int, int]) -> NDArray[np.uint8]:
        top, bottom = part
        box = (0, top * y, x, bottom * y)
        size = (width, bottom - top)
        return np.asarray(picture.resize(size, Image.Resampling.LANCZOS, box=box))

    edges = [round(height * number / cores()) for number in range(cores() + 1)]
    parts = [(top, bottom) for top, bottom in pairwise(edges) if bottom > top]
    return np.concatenate(on_cores(band, parts))


def _reduce(pixels: NDArray[np.uint8], across: int, down: int) -> NDArray[np.uint8]:
    # Few, as a thread keeps what its largest band took until the process ends.
    rows = max(1, _BAND_ROWS // down) * down

    def band(top: int) -> NDArray[np.uint8]:
        return np.asarray(Image.fromarray(pixels[top : top + rows]).reduce((across, down)))

    return np.concatenate(on_cores(band, range(0, pixels.shape[0], rows)))


def resize_plane(plane: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Resize an h x w float32 plane bilinearly to `height` x `width`; anti-aliased when smaller."""
    return Enlarged(plane, width, height).part(Box(0, 0, width, height))


def resize_part(
    plane: NDArray[np.float32], box: tuple[float, ...], width: int, height: int
) -> NDArray[np.float32]:
    """What is in a box (left, top, right, bottom) of an h x w plane, as `resize_plane` does it."""
    left, top, right, bottom = box
    rows, columns = plane.shape
    # Rounding must not take the box beyond the plane.
    within = (max(0.0, left), max(0.0, top), min(columns, right), min(rows, bottom))
    picture = Image.fromarray(plane)
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR, box=within))


class Enlarged:
    """An h x w float32 plane as it looks at `width` x `height` pixels, computed part by part."""

    def __init__(self, plane: NDArray[np.float32], width: int, height: int) -> None:
        self._picture = Image.fromarray(plane)
        self._x, self._y = plane.shape[1] / width, plane.shape[0] / height

    def part(self, box: Box) -> NDArray[np.float32]:
        """The box's pixels, bilinear, as if cut out of the whole; a new array."""
        x, y = self._x, self._y
        source = (box.left * x, box.top * y, box.right * x, box.bottom * y)
        size = (box.width, box.height)
        return np.array(self._picture.resize(size, Image.Resampling.BILINEAR, box=source))

    def source(self, box: Box) -> tuple[slice, slice]:
        """What of the plane reaches into the box when it is enlarged."""
        return (
            slice(max(0, int(box.top * self._y) - 1), int(box.bottom * self._y) + 2),
            slice(max(0, int(box.left * self._x) - 1), int(box.right * self._x) + 2),
        )
