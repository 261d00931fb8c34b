"""Small pictures for the preview: sizes, cut-outs and samples, all in bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter

from maskwright_client.protocol import Region, preview_size

from maskwright_editor.pixels import Samples

_STRIP_ROWS = 32
_DIM = bytes(value * 2 // 5 for value in range(256))


@dataclass(frozen=True)
class Frame:
    """The part of a layer that is shown pixel for pixel: where it begins, and its size."""

    left: int
    top: int
    width: int
    height: int

    @property
    def region(self) -> Region:
        """The same as the engine calls it."""
        return Region(self.left, self.top, self.width, self.height)


def fitted(width: int, height: int, box: tuple[int, int]) -> tuple[int, int]:
    """Width and height of the whole layer in a box; never larger than the layer."""
    return preview_size(width, height, longest_side(width, height, box))


def longest_side(width: int, height: int, box: tuple[int, int]) -> int:
    """The longest side of the whole layer in a box."""
    scale = min(box[0] / width, box[1] / height, 1.0)
    return max(1, int(scale * max(width, height)))


def framed(width: int, height: int, box: tuple[int, int], centre: tuple[float, float]) -> Frame:
    """The part around a centre (0..1 of the layer each) that fills a box, inside the layer."""
    wide, high = min(box[0], width), min(box[1], height)
    left = min(max(0, round(centre[0] * width - wide / 2)), width - wide)
    top = min(max(0, round(centre[1] * height - high / 2)), height - high)
    return Frame(left, top, wide, high)


def strips(height: int, wanted: int) -> Iterator[tuple[int, range]]:
    """How to shrink rows in parts: how many rows each part becomes, and of which it is made."""
    parts = -(-wanted // _STRIP_ROWS)
    for part in range(parts):
        first, last = part * _STRIP_ROWS, min((part + 1) * _STRIP_ROWS, wanted)
        yield last - first, range(first * height // wanted, last * height // wanted)


def cut(samples: Samples, width: int, channels: int, frame: Frame) -> bytes:
    """A frame's samples out of the whole layer's."""
    row = width * channels
    first = frame.left * channels
    length = frame.width * channels
    whole = memoryview(samples)
    starts = (first + y * row for y in range(frame.top, frame.top + frame.height))
    return b"".join(whole[start : start + length] for start in starts)


def sampled(mask: bytes, width: int, height: int, size: tuple[int, int]) -> bytes:
    """A mask in a smaller size; every sample is one of the mask's own."""
    columns = itemgetter(*(x * width // size[0] for x in range(size[0])), 0)
    rows = (y * height // size[1] * width for y in range(size[1]))
    return b"".join(bytes(columns(mask[row : row + width])[:-1]) for row in rows)


def with_alpha(colours: bytes, channels: int, alpha: bytes) -> bytes:
    """RGBA of colours (3 or 4 channels) and a mask; a layer's own alpha counts as well."""
    rgba = bytearray(4 * len(alpha))
    for channel in range(3):
        rgba[channel::4] = colours[channel::channels]
    rgba[3::4] = alpha if channels == 3 else _product(alpha, colours[3::4])
    return bytes(rgba)


def dimmed(rgba: bytes) -> bytes:
    """RGB of the same colours, darker, opaque."""
    dark = rgba.translate(_DIM)
    rgb = bytearray(3 * (len(rgba) // 4))
    for channel in range(3):
        rgb[channel::3] = dark[channel::4]
    return bytes(rgb)


def _product(first: bytes, second: bytes) -> bytes:
    if second.count(255) == len(second):
        return first
    return bytes(a * b // 255 for a, b in zip(first, second, strict=True))
