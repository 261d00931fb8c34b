"""What a document remembers of a mask comes back, also where the layer has grown or moved."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maskwright_editor import record
from maskwright_editor.record import Record
from maskwright_editor.wish import Wish
from maskwright_krita.memory import (
    CleanLayer,
    Memory,
    Place,
    pack,
    pack_clean,
    seen_at,
    unpack,
    unpack_clean,
)

MEMORY = Memory(Place(-3, 40, 7, 5), Record(Wish(model="modnet"), bytes(range(35))))
PACKED = pack(MEMORY.place, record.pack(MEMORY.record))


def test_a_memory_comes_back_as_it_was():
    assert unpack(PACKED) == MEMORY


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"\n",
        PACKED[:-9],
        PACKED.replace(b'"width":7', b'"width":8'),
        PACKED.replace(b'"width":7', b'"width":-7'),
        PACKED.replace(b'"width":7', b'"width":7000000000'),
        PACKED.partition(b"\n")[2],
    ],
)
def test_what_is_damaged_is_no_memory(data: bytes):
    assert unpack(data) is None


def test_what_a_layer_was_made_of_comes_back():
    layer = CleanLayer("{0b4d1f5e}", 4_294_967_295)
    assert unpack_clean(pack_clean(layer)) == layer


@pytest.mark.parametrize("data", [b"", b"{}", b'{"original": 3, "fingerprint": 1}', PACKED])
def test_what_is_damaged_was_made_of_nothing(data: bytes):
    assert unpack_clean(data) is None


sides = st.integers(1, 6)
offsets = st.integers(-8, 8)
places = st.builds(Place, offsets, offsets, sides, sides)


@given(places, places)
def test_a_mask_is_seen_at_another_place_and_hidden_beside_it(place: Place, wanted: Place):
    samples = bytes(range(1, place.pixels + 1))
    canvas = np.zeros((40, 40), np.uint8)

    def part(one: Place):
        top, left = one.top + 16, one.left + 16
        return canvas[top : top + one.height, left : left + one.width]

    part(place)[:] = np.frombuffer(samples, np.uint8).reshape(place.height, place.width)
    assert seen_at(place, samples, wanted) == part(wanted).tobytes()
