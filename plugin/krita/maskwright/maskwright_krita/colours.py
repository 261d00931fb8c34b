"""A layer's samples in Krita's order and in the engine's, and those where a mask is soft.

There is no NumPy in Krita's Python: long slices do in moments what a loop would take minutes for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from maskwright_editor.pixels import Samples

STRIP_PIXELS = 1 << 20
"""Krita converts so many in a quarter of a second, and must not be busy for much longer."""

STRIP_BYTES = 16 << 20
"""So many are read or written in a tenth of a second if nothing is converted."""

_SOFT = re.compile(rb"[^\x00\xff]+")


def strips(width: int, height: int, pixels: int) -> Iterator[range]:
    """The rows of strips that together cover the height, none with more pixels or of one row."""
    rows = max(1, pixels // width)
    for top, bottom in pairwise([*range(0, height, rows), height]):
        yield range(top, bottom)


def swapped(samples: Samples, sample_bytes: int) -> bytearray:
    """Pixels of four channels with the first and the third exchanged: BGRA for RGBA, and back."""
    pixel, third = 4 * sample_bytes, 2 * sample_bytes
    found = bytearray(samples)
    for at in range(sample_bytes):
        found[at::pixel] = samples[third + at :: pixel]
        found[third + at :: pixel] = samples[at::pixel]
    return found


def soft_runs(mask: bytes) -> Iterator[tuple[int, int]]:
    """First pixel and the one after the last of every run where a mask neither hides nor shows.

    A run may end where a part of the mask does: other threads wait while one part is searched.
    """
    for start in range(0, len(mask), STRIP_PIXELS):
        for run in _SOFT.finditer(mask, start, min(start + STRIP_PIXELS, len(mask))):
            yield run.span()


def picked(samples: Samples, mask: bytes, pixel_bytes: int) -> bytes:
    """The pixels where a mask is soft, one after the other."""
    whole = memoryview(samples)
    runs = soft_runs(mask)
    return b"".join(whole[first * pixel_bytes : last * pixel_bytes] for first, last in runs)


def put_back(samples: Samples, mask: bytes, soft: Samples, pixel_bytes: int) -> bytes:
    """The same samples with others where the mask is soft; `soft` as `picked` gives them."""
    found, at = bytearray(samples), 0
    for first, last in soft_runs(mask):
        length = (last - first) * pixel_bytes
        found[first * pixel_bytes : last * pixel_bytes] = soft[at : at + length]
        at += length
    return bytes(found)


def with_alpha_of(colours: Samples, own: Samples, pixel_bytes: int, alpha_bytes: int) -> bytes:
    """Colours with other pixels' alpha, which is the last channel wherever Krita has one."""
    found = bytearray(colours)
    for at in range(pixel_bytes - alpha_bytes, pixel_bytes):
        found[at::pixel_bytes] = own[at::pixel_bytes]
    return bytes(found)
