"""What a mask of ours remembers: with which wish it was made, and what was written then.

It travels with the mask, as a parasite. The mask as it was written is in there, compressed, so that
what somebody painted since then can be told from what we wrote, and be kept.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, field

from maskwright_client.codec import WireError, dumps, loads

from maskwright_editor.wish import Wish

NAME = "maskwright-mask"

_SCHEMA = 1


@dataclass(frozen=True)
class Record:
    """The wish, and the mask's bytes (8 bits, rows from top to bottom) when it was made."""

    wish: Wish
    written: bytes = field(repr=False)


@dataclass(frozen=True)
class Existing:
    """A mask that is there, and what it remembers if it is ours; 8 bits, of the layer's size."""

    mask: bytes = field(repr=False)
    record: Record | None = None


@dataclass(frozen=True)
class _Content:
    """The same as JSON; `written` is compressed and in base 64."""

    schema: int
    wish: Wish
    written: str


def pack(record: Record) -> bytes:
    """A record as the bytes of a parasite, all ASCII: GIMP takes no others from Python."""
    # Level 1: masks are flat for the most part, and this waits between a click and its mask.
    written = base64.b64encode(zlib.compress(record.written, 1)).decode("ascii")
    return dumps(_Content(_SCHEMA, record.wish, written))


def unpack(data: bytes, mask_bytes: int) -> Record | None:
    """The record in a parasite of a mask of that size; None if it is damaged or not of our time.

    A mask that was resized since has none: its strokes cannot be told any more.
    """
    try:
        content = loads(_Content, data)
        packed = base64.b64decode(content.written, validate=True)
        written = zlib.decompressobj().decompress(packed, mask_bytes + 1)
    except (WireError, ValueError, zlib.error):
        return None
    if content.schema != _SCHEMA or len(written) != mask_bytes:
        return None
    return Record(content.wish, written)
