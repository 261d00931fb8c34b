"""What somebody painted on a mask, kept over a new one.

Masks are 8 bits, one byte for each pixel. There is no NumPy in GIMP's Python, and a loop over 24
million bytes would take seconds; numbers as long as the mask do it in a fraction of one.
"""

from __future__ import annotations

_CHANGED = bytes([0]) + bytes([255]) * 255


def were_painted(written: bytes, now: bytes) -> bool:
    """Whether a mask is not any more as we wrote it."""
    return written != now


def kept(written: bytes, now: bytes, new: bytes) -> bytes:
    """`new`, but as it is `now` wherever that differs from what was `written`; all of one size."""
    difference = _number(written) ^ _number(now)
    painted = _number(_bytes(difference, len(now)).translate(_CHANGED))
    whole = (1 << 8 * len(now)) - 1
    return _bytes(_number(now) & painted | _number(new) & (whole ^ painted), len(now))


def _number(mask: bytes) -> int:
    return int.from_bytes(mask, "little")


def _bytes(number: int, length: int) -> bytes:
    return number.to_bytes(length, "little")
