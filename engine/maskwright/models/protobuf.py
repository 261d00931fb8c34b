"""A reader for the protocol buffer wire format that trusts nothing and copies nothing.

Walks the fields of one message inside a buffer (usually a memory-mapped file): numbers are decoded,
byte strings are reported as positions, so that weights are stepped over without being read.
Stricter than the reference reader wherever the two could disagree about what a file says, since a
disagreement is where something could hide: over-long tags, numbers beyond 64 bits and groups are
errors here. Wire format: https://protobuf.dev/programming-guides/encoding/
"""

import mmap
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

Buffer = bytes | mmap.mmap


class BadMessage(ValueError):
    """The bytes are not a message in the wire format."""


class Wire(IntEnum):
    """How a field's value is encoded; groups (3 and 4) do not occur in proto3."""

    number = 0
    eight_bytes = 1
    span = 2
    four_bytes = 5


class Field(NamedTuple):
    """One field: `start` and `end` enclose its bytes, `value` is set for a plain number."""

    number: int
    wire: Wire
    value: int
    start: int
    end: int


_LAST_TAG = 0xFFFF_FFFF
_LAST_NUMBER = 0xFFFF_FFFF_FFFF_FFFF
_FIXED = {Wire.eight_bytes: 8, Wire.four_bytes: 4}
_WIRES = {wire.value: wire for wire in Wire}


def fields(buffer: Buffer, start: int, end: int) -> Iterator[Field]:
    """Every field of the message in buffer[start:end], in order; BadMessage when it is not one."""
    position = start
    while position < end:
        tag, position = _varint(buffer, position, min(end, position + 5), _LAST_TAG)
        wire = _WIRES.get(tag & 7)
        number = tag >> 3
        if wire is None or number == 0:
            raise BadMessage("a field of a kind that does not exist")
        if wire is Wire.number:
            value, after = _varint(buffer, position, min(end, position + 10), _LAST_NUMBER)
            yield Field(number, wire, value, position, after)
        else:
            if wire is Wire.span:
                size, position = _varint(buffer, position, min(end, position + 10), _LAST_NUMBER)
            else:
                size = _FIXED[wire]
            after = position + size
            if after > end:
                raise BadMessage("a field that is longer than what holds it")
            yield Field(number, wire, 0, position, after)
        position = after


def _varint(buffer: Buffer, position: int, end: int, last: int) -> tuple[int, int]:
    """The number at `position` and the position after it; at most `end - position` bytes long."""
    value = shift = 0
    while position < end:
        byte = buffer[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value > last:
                raise BadMessage("a number that is too large")
            return value, position
        shift += 7
    raise BadMessage("a number that does not end")


def text(buffer: Buffer, field: Field, *, limit: int = 4096) -> str:
    """The field's bytes as text; BadMessage when it is not a text of up to `limit` bytes."""
    if field.wire is not Wire.span or field.end - field.start > limit:
        raise BadMessage("a text that is not one")
    try:
        return bytes(buffer[field.start : field.end]).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadMessage("a text that is not one") from error
