"""What a document remembers of what we made: of a mask, the record, and where the mask lay.

A layer of Krita's grows when somebody paints beside it, and moves together with its masks. What was
written then is therefore kept with its place, seen from the mask's own position, which moves along.
Of a layer with clean edges it is what that was made of.
"""

from __future__ import annotations

from dataclasses import dataclass

from maskwright_client.codec import WireError, dumps, loads
from maskwright_editor import record
from maskwright_editor.record import Record

# As many pixels as an engine takes at most, whatever it is told.
_MOST_PIXELS = 400_000_000


@dataclass(frozen=True)
class Place:
    """A rectangle of whole pixels; it may lie beside the canvas."""

    left: int
    top: int
    width: int
    height: int

    @property
    def pixels(self) -> int:
        """How many there are."""
        return self.width * self.height

    def moved(self, across: int, down: int) -> Place:
        """The same size elsewhere."""
        return Place(self.left + across, self.top + down, self.width, self.height)


@dataclass(frozen=True)
class Memory:
    """A mask's record, and the place of its bytes, seen from the mask's position."""

    place: Place
    record: Record


@dataclass(frozen=True)
class CleanLayer:
    """The id of the layer that one with clean edges was made of, and its own fingerprint then."""

    original: str
    fingerprint: int


def pack_clean(layer: CleanLayer) -> bytes:
    """The same as the bytes of an annotation."""
    return dumps(layer)


def unpack_clean(data: bytes) -> CleanLayer | None:
    """What is in an annotation; None if it is damaged."""
    try:
        return loads(CleanLayer, data)
    except WireError:
        return None


def pack(place: Place, packed: bytes) -> bytes:
    """A memory as the bytes of an annotation; `packed` is its record, which takes time to pack."""
    return dumps(place) + b"\n" + packed


def unpack(data: bytes) -> Memory | None:
    """The memory in an annotation; None if it is damaged or not of our time."""
    head, _, rest = data.partition(b"\n")
    try:
        place = loads(Place, head)
    except WireError:
        return None
    if min(place.width, place.height) < 1 or place.pixels > _MOST_PIXELS:
        return None
    found = record.unpack(rest, place.pixels)
    return None if found is None else Memory(place, found)


def seen_at(place: Place, samples: bytes, wanted: Place) -> bytes:
    """Of a mask whose samples lie at a place, what lies at another one; 0 (hidden) beside it."""
    if place == wanted:
        return samples
    across, down = place.left - wanted.left, place.top - wanted.top
    first, last = max(0, -across), min(place.width, wanted.width - across)
    if first >= last:
        return bytes(wanted.pixels)
    before, after = bytes(first + across), bytes(wanted.width - last - across)
    empty, rows = bytes(wanted.width), []
    for row in range(-down, wanted.height - down):
        start = row * place.width
        inside = 0 <= row < place.height
        rows.append(before + samples[start + first : start + last] + after if inside else empty)
    return b"".join(rows)
