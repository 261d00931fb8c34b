"""A layer as the engine wants to see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Union

Samples = Union[bytes, bytearray]  # noqa: UP007  # evaluated, and Python 3.10


@dataclass(frozen=True)
class Pixels:
    """A layer's samples, 8 bits, sRGB, rows from top to bottom; 3 channels, or 4 with alpha."""

    width: int
    height: int
    channels: int
    samples: Samples = field(repr=False)
