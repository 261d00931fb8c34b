"""EXIF: which way is up, and the block that goes with an upright picture.

Exif 2.32 (CIPA DC-008), sections 4.5.2 and 4.6; the block is patched in place, as rewriting it
would break the offsets inside makers' notes.
"""

import struct
from collections.abc import Iterator

from maskwright.matting.photo import Samples

_PREFIX = b"Exif\0\0"
_ORIENTATION = 0x0112
_THUMBNAIL_OFFSET = 0x0201
_THUMBNAIL_BYTES = 0x0202
_SHORT = 3


def without_prefix(exif: bytes | None) -> bytes | None:
    """The TIFF-structured block itself, whichever way a file format wraps it."""
    if not exif:
        return None
    return exif.removeprefix(_PREFIX) or None


def orientation_of(exif: bytes | None) -> int:
    """The orientation, 1 to 8; 1 where there is none or it makes no sense."""
    if exif is None:
        return 1
    try:
        order, first = _header(exif)
        for tag, kind, _count, value in _entries(exif, first, order):
            if tag == _ORIENTATION and kind == _SHORT:
                (orientation,) = struct.unpack_from(order + "H", exif, value)
                return orientation if 1 <= orientation <= 8 else 1
    except (struct.error, ValueError):
        return 1
    return 1


def upright(exif: bytes | None) -> bytes | None:
    """The block with its orientation reset and its thumbnail removed; None if it is damaged.

    The thumbnail shows the picture uncut and unturned.
    """
    if exif is None:
        return None
    block = bytearray(exif)
    try:
        order, first = _header(exif)
        for tag, kind, _count, value in _entries(exif, first, order):
            if tag == _ORIENTATION and kind == _SHORT:
                struct.pack_into(order + "H", block, value, 1)
        _remove_thumbnail(block, order, first)
    except (struct.error, ValueError):
        return None
    return bytes(block)


def turned(samples: Samples, orientation: int) -> Samples:
    """A view of H x W (x C) samples, turned and mirrored as EXIF's `orientation` asks."""
    if orientation >= 5:
        samples = samples.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    return samples


def _header(exif: bytes) -> tuple[str, int]:
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        raise ValueError("neither little nor big endian")
    (first,) = struct.unpack_from(order + "I", exif, 4)
    return order, first


def _entries(exif: bytes, start: int, order: str) -> Iterator[tuple[int, int, int, int]]:
    """Yield tag, type, count and the position of the value field of each entry."""
    (count,) = struct.unpack_from(order + "H", exif, start)
    for at in range(start + 2, start + 2 + 12 * count, 12):
        yield *struct.unpack_from(order + "HHI", exif, at), at + 8


def _remove_thumbnail(block: bytearray, order: str, first: int) -> None:
    (count,) = struct.unpack_from(order + "H", block, first)
    link = first + 2 + 12 * count
    if link + 4 > len(block):
        return
    (second,) = struct.unpack_from(order + "I", block, link)
    if second == 0:
        return
    where = {
        tag: struct.unpack_from(order + "I", block, value)[0]
        for tag, _kind, _count, value in _entries(bytes(block), second, order)
        if tag in (_THUMBNAIL_OFFSET, _THUMBNAIL_BYTES)
    }
    start = where.get(_THUMBNAIL_OFFSET, 0)
    end = min(start + where.get(_THUMBNAIL_BYTES, 0), len(block))
    if start > 8:
        block[start:end] = bytes(max(0, end - start))
    struct.pack_into(order + "I", block, link, 0)
