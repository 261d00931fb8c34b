"""What a mask remembers survives the way into a parasite and back, and nothing else does."""

import json

import pytest
from maskwright_client.protocol import Combine, Edges
from maskwright_editor.record import Record, pack, unpack
from maskwright_editor.wish import Painted, Wish

WISH = Wish(
    model="modnet",
    existing=Combine.subtract,
    painted=Painted.discard,
    focus=False,
    edges=Edges(shift=-2.5, largest=True, drop_specks=40),
    edit_mask=True,
    locked=True,
)
MASK = bytes(range(256)) * 10


@pytest.mark.parametrize("wish", [Wish(), WISH])
def test_a_record_comes_back_as_it_was(wish: Wish):
    packed = pack(Record(wish, MASK))
    assert packed.isascii()
    assert unpack(packed, len(MASK)) == Record(wish, MASK)


def test_a_mask_of_another_size_has_no_record():
    packed = pack(Record(WISH, MASK))
    assert unpack(packed, len(MASK) - 1) is None
    assert unpack(packed, len(MASK) + 1) is None


def test_a_flat_mask_takes_next_to_nothing():
    assert len(pack(Record(Wish(), b"\xff" * 1_000_000))) < 20_000


def changed(**values: object) -> bytes:
    return json.dumps({**json.loads(pack(Record(WISH, MASK))), **values}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"\xff\xfe",
        pack(Record(WISH, MASK))[:-10],
        changed(schema=2),
        changed(written="no base 64!"),
        changed(written="AAAA"),
        changed(wish={"existing": "burn"}),
        changed(wish=None),
    ],
)
def test_what_is_damaged_counts_as_nothing(data: bytes):
    assert unpack(data, len(MASK)) is None


def test_a_newer_plug_ins_wish_is_read_as_far_as_it_is_known():
    packed = json.loads(pack(Record(WISH, MASK)))
    packed["wish"]["later"] = 1
    assert unpack(json.dumps(packed).encode(), len(MASK)) == Record(WISH, MASK)
