import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from maskwright.matting.shift import shift_edge
from maskwright.matting.tiles import TILE_HEIGHT, TILE_WIDTH
from numpy.typing import NDArray

Matte = NDArray[np.uint8]

MATTES = arrays(np.uint8, st.tuples(st.integers(1, 16), st.integers(1, 16)))
QUICK = settings(derandomize=True, deadline=None, max_examples=60)


def brute_dilation(matte: Matte, radius: int) -> Matte:
    height, width = matte.shape
    result = matte.copy()
    for y in range(height):
        for x in range(width):
            for dy in range(-radius, radius + 1):
                for dx in range(-radius, radius + 1):
                    near = dy * dy + dx * dx <= radius * radius
                    if near and 0 <= y + dy < height and 0 <= x + dx < width:
                        result[y, x] = max(result[y, x], matte[y + dy, x + dx])
    return result


@QUICK
@given(MATTES, st.integers(0, 4))
def test_whole_pixels_are_a_dilation_with_a_disc(matte: Matte, radius: int) -> None:
    np.testing.assert_array_equal(shift_edge(matte, radius), brute_dilation(matte, radius))
    eroded = 255 - brute_dilation(255 - matte, radius)
    np.testing.assert_array_equal(shift_edge(matte, -radius), eroded)


@pytest.mark.parametrize("radius", range(1, 11))
def test_a_point_becomes_a_disc(radius: int) -> None:
    matte = np.zeros((23, 25), np.uint8)
    matte[11, 12] = 200
    y, x = np.mgrid[-11:12, -12:13]
    disc = np.where(x * x + y * y <= radius * radius, 200, 0)
    np.testing.assert_array_equal(shift_edge(matte, radius), disc)


@QUICK
@given(MATTES, st.integers(0, 3), st.floats(0, 1))
def test_between_whole_pixels_lies_the_linear_blend(matte: Matte, radius: int, part: float) -> None:
    lower = brute_dilation(matte, radius).astype(float)
    upper = brute_dilation(matte, radius + 1)
    blend = lower + (upper - lower) * part
    # Half a level for rounding and half a subpixel of 1/256.
    assert np.abs(shift_edge(matte, radius + part) - blend).max() <= 1.0


@QUICK
@given(MATTES, st.floats(-10, 10), st.floats(-10, 10))
def test_a_larger_shift_never_lowers_alpha(matte: Matte, a: float, b: float) -> None:
    assert (shift_edge(matte, min(a, b)) <= shift_edge(matte, max(a, b))).all()


@pytest.mark.parametrize("shift", [-6, -2.5, 3, 7.25])
def test_a_soft_edge_travels_and_keeps_its_profile(shift: float) -> None:
    profile = np.clip((np.arange(80) - 30) * 12, 0, 255)
    matte = np.tile(profile.astype(np.uint8), (30, 1))
    expected = np.interp(np.arange(80) + shift, np.arange(80), profile)
    middle = slice(12, 68)
    assert np.abs(shift_edge(matte, shift)[15, middle] - expected[middle]).max() <= 1


def test_a_subject_cut_by_the_frame_does_not_shrink_away_from_it() -> None:
    matte = np.zeros((40, 40), np.uint8)
    matte[:, :20] = 255
    shrunk = shift_edge(matte, -5)
    np.testing.assert_array_equal(shrunk, np.where(np.arange(40) < 15, 255, 0) * np.ones((40, 1)))


def test_tiles_leave_no_trace() -> None:
    rng = np.random.default_rng(3)
    matte = np.zeros((TILE_HEIGHT + 60, TILE_WIDTH + 60), np.uint8)
    near_seams = (slice(TILE_HEIGHT - 30, TILE_HEIGHT + 30), slice(TILE_WIDTH - 30, None))
    matte[near_seams] = rng.integers(0, 256, matte[near_seams].shape) ** 4 // 255**3
    seen = matte[TILE_HEIGHT - 50 : TILE_HEIGHT + 50, TILE_WIDTH - 50 :]
    grown = shift_edge(matte, 4)[TILE_HEIGHT - 50 : TILE_HEIGHT + 50, TILE_WIDTH - 50 :]
    np.testing.assert_array_equal(grown, brute_dilation(seen, 4))
