"""What somebody painted on a mask is kept over a new one, exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maskwright_client.protocol import Combine
from maskwright_editor.record import Existing, Record
from maskwright_editor.strokes import carried_over, kept
from maskwright_editor.wish import Painted, Wish


def masks(length: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=length, max_size=length)


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(masks(n), masks(n), masks(n))))
def test_strokes_stay_and_the_rest_is_new(three: tuple[bytes, bytes, bytes]):
    written, now, new = three
    expected = bytes(c if c != w else n for w, c, n in zip(written, now, new, strict=True))
    assert kept(written, now, new) == expected


@pytest.mark.parametrize("value", [0, 1, 128, 255])
def test_without_strokes_all_of_it_is_new(value: int):
    new = bytes(range(256))
    assert kept(bytes([value]) * 256, bytes([value]) * 256, new) == new


def test_a_large_mask_takes_no_loop():
    rng = np.random.default_rng(0)
    written = rng.integers(0, 256, 4_000_000, np.uint8)
    now = written.copy()
    now[1_000_000:1_000_300] ^= 255
    new = rng.integers(0, 256, 4_000_000, np.uint8)
    result = np.frombuffer(kept(written.tobytes(), now.tobytes(), new.tobytes()), np.uint8)
    assert np.array_equal(result, np.where(now != written, now, new))


PAINTED = Existing(b"\x00\x09\xff", Record(Wish(), b"\x00\x00\xff"))


@pytest.mark.parametrize(
    ("wish", "existing", "expected"),
    [
        (Wish(), PAINTED, b"\x05\x09\x05"),
        (Wish(painted=Painted.discard), PAINTED, b"\x05\x05\x05"),
        (Wish(existing=Combine.add), PAINTED, b"\x05\x05\x05"),  # the engine has combined them
        (Wish(), Existing(PAINTED.mask), b"\x05\x05\x05"),
        (Wish(), None, b"\x05\x05\x05"),
    ],
)
def test_strokes_are_carried_over_where_they_are_wanted_and_known(
    wish: Wish, existing: Existing | None, expected: bytes
):
    assert carried_over(wish, existing, b"\x05\x05\x05") == expected
