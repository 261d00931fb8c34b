"""What the preview shows, worked out in bytes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maskwright_editor.picture import (
    Frame,
    cut,
    dimmed,
    fitted,
    framed,
    sampled,
    strips,
    with_alpha,
)

SIDES = st.integers(1, 3000)


@given(SIDES, SIDES, st.integers(1, 800), st.integers(1, 800))
def test_the_whole_layer_fits_and_never_grows(width: int, height: int, wide: int, high: int):
    small = fitted(width, height, (wide, high))
    assert 1 <= small[0] <= min(width, wide)
    assert 1 <= small[1] <= min(height, high)


@given(SIDES, SIDES, st.floats(-1, 2), st.floats(-1, 2))
def test_a_frame_stays_inside_the_layer(width: int, height: int, x: float, y: float):
    frame = framed(width, height, (500, 400), (x, y))
    assert (frame.width, frame.height) == (min(500, width), min(400, height))
    assert 0 <= frame.left <= width - frame.width
    assert 0 <= frame.top <= height - frame.height


@pytest.mark.parametrize("channels", [3, 4])
def test_a_frame_is_cut_out(channels: int):
    layer = np.random.default_rng(0).integers(0, 256, (40, 60, channels), np.uint8)
    found = cut(bytearray(layer.tobytes()), 60, channels, Frame(7, 5, 20, 11))
    assert found == layer[5:16, 7:27].tobytes()


def test_a_mask_becomes_the_alpha_of_the_colours():
    rng = np.random.default_rng(1)
    colours, alpha = (
        rng.integers(0, 256, (8, 9, 3), np.uint8),
        rng.integers(0, 256, (8, 9), np.uint8),
    )
    rgba = with_alpha(colours.tobytes(), 3, alpha.tobytes())
    assert rgba == np.dstack((colours, alpha)).tobytes()


def test_a_layers_own_alpha_counts_as_well():
    colours = np.full((2, 2, 4), 200, np.uint8)
    colours[..., 3] = [[255, 128], [0, 51]]
    rgba = with_alpha(colours.tobytes(), 4, bytes([255, 255, 255, 100]))
    assert list(rgba[3::4]) == [255, 128, 0, 20]
    colours[..., 3] = 255
    assert list(with_alpha(colours.tobytes(), 4, bytes([9, 8, 7, 6]))[3::4]) == [9, 8, 7, 6]


def test_the_dimmed_original_is_darker_and_opaque():
    rgba = bytes([100, 200, 50, 0, 255, 0, 10, 255])
    assert dimmed(rgba) == bytes([40, 80, 20, 102, 0, 4])


@given(SIDES, st.integers(1, 3000))
def test_strips_cover_every_row_and_every_wanted_row_once(height: int, wanted: int):
    wanted = min(wanted, height)
    parts = list(strips(height, wanted))
    assert [row for _, rows in parts for row in rows] == list(range(height))
    assert sum(rows for rows, _ in parts) == wanted
    assert all(rows > 0 for rows, _ in parts)


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 90))
def test_a_sampled_mask_is_made_of_its_own_samples(width: int, height: int, longest: int):
    mask = np.arange(width * height, dtype=np.uint32).astype(np.uint8).reshape(height, width)
    size = fitted(width, height, (longest, longest))
    found = np.frombuffer(sampled(mask.tobytes(), width, height, size), np.uint8)
    rows = np.arange(size[1]) * height // size[1]
    columns = np.arange(size[0]) * width // size[0]
    assert np.array_equal(found.reshape(size[1], size[0]), mask[rows][:, columns])
