"""What somebody painted on a mask, kept over a new one.

Masks are 8 bits, one byte for each pixel. There is no NumPy in the editors' Python, and a loop
over 24 million bytes would take seconds; long numbers do it in a fraction of one.
"""

from __future__ import annotations

from maskwright_client.protocol import Combine

from maskwright_editor.record import Existing
from maskwright_editor.wish import Painted, Wish

_CHANGED = bytes([0]) + bytes([255]) * 255
_PART = 1 << 20  # several numbers of that length are in memory at once


def carried_over(wish: Wish, existing: Existing | None, new: bytes) -> bytes:
    """The new mask with what somebody painted on the one that is there, if that is wanted.

    A mask that remembers nothing is none of ours, and nobody can tell its strokes.
    """
    replaced = wish.existing is Combine.replace and wish.painted is Painted.keep
    if not replaced or existing is None or existing.record is None:
        return new
    return kept(existing.record.written, existing.mask, new)


def kept(written: bytes, now: bytes, new: bytes) -> bytes:
    """`new`, but as it is `now` wherever that differs from what was `written`; all of one size."""
    parts = range(0, len(now), _PART)
    return b"".join(_kept(*(mask[at : at + _PART] for mask in (written, now, new))) for at in parts)


def _kept(written: bytes, now: bytes, new: bytes) -> bytes:
    if written == now:
        return new
    difference = _number(written) ^ _number(now)
    painted = _number(_bytes(difference, len(now)).translate(_CHANGED))
    whole = (1 << 8 * len(now)) - 1
    return _bytes(_number(now) & painted | _number(new) & (whole ^ painted), len(now))


def _number(mask: bytes) -> int:
    return int.from_bytes(mask, "little")


def _bytes(number: int, length: int) -> bytes:
    return number.to_bytes(length, "little")
