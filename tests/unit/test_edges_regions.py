import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from maskwright.matting.edges import EdgeSettings, apply_edges
from maskwright.matting.tiles import TILE_HEIGHT, TILE_WIDTH
from numpy.typing import NDArray

Matte = NDArray[np.uint8]

QUICK = settings(derandomize=True, deadline=None, max_examples=60)
# Long flat stretches of few alphas, so that regions of many pixels come up.
MATTES = arrays(
    np.uint8,
    st.tuples(st.integers(1, 24), st.integers(1, 24)),
    elements=st.sampled_from([0, 10, 40, 128, 220, 255]),
    fill=st.sampled_from([0, 255, 200]),
)


def blob(shape: tuple[int, int], centre: tuple[int, int], radius: float, softness: float) -> Matte:
    y, x = np.mgrid[: shape[0], : shape[1]]
    distance = np.hypot(y - centre[0], x - centre[1])
    alpha = np.clip((radius - distance) / softness + 0.5, 0, 1)
    return np.asarray(np.round(alpha * 255), np.uint8)


def around(shape: tuple[int, int], centre: tuple[int, int], radius: float) -> NDArray[np.bool_]:
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.asarray(np.hypot(y - centre[0], x - centre[1]) < radius)


SHAPE = (300, 400)
SUBJECT = blob(SHAPE, (150, 150), 80, 24)
SPECK = blob(SHAPE, (60, 330), 6, 6)


def test_a_speck_goes_with_its_skirt_and_the_subject_stays() -> None:
    matte = np.maximum(SUBJECT, SPECK)
    np.testing.assert_array_equal(apply_edges(matte, EdgeSettings(drop_specks=300)), SUBJECT)


def test_a_speck_above_the_size_stays() -> None:
    matte = np.maximum(SUBJECT, SPECK)
    area = int(np.count_nonzero(SPECK >= 32))
    np.testing.assert_array_equal(apply_edges(matte, EdgeSettings(drop_specks=area - 1)), matte)
    assert not apply_edges(matte, EdgeSettings(drop_specks=area))[SPECK > 0].any()


def test_a_speck_on_haze_leaves_no_cut_line() -> None:
    matte = np.maximum(np.maximum(SUBJECT, SPECK), 20)
    cleaned = apply_edges(matte, EdgeSettings(drop_specks=300)).astype(int)
    background = SUBJECT == 0
    for axis in (0, 1):
        steps = np.abs(np.diff(cleaned, axis=axis))
        both = background.take(range(1, SHAPE[axis]), axis) & background.take(
            range(SHAPE[axis] - 1), axis
        )
        assert steps[both].max() <= 4
    assert cleaned[60, 330] == 0
    far = ~around(SHAPE, (60, 330), 40)
    np.testing.assert_array_equal(cleaned[far], matte[far])


def test_a_speck_beside_the_subject_takes_none_of_its_opaque_part() -> None:
    close = blob(SHAPE, (150, 252), 5, 2)
    matte = np.maximum(SUBJECT, close)
    cleaned = apply_edges(matte, EdgeSettings(drop_specks=200))
    assert not cleaned[close >= 32].any()
    kept = SUBJECT >= 32
    np.testing.assert_array_equal(cleaned[kept], SUBJECT[kept])


def test_faint_hair_stays_with_its_head() -> None:
    matte = SUBJECT.copy()
    matte[148:152, 225:300] = 40
    matte[146:154, 290:300] = 200
    np.testing.assert_array_equal(apply_edges(matte, EdgeSettings(drop_specks=500)), matte)
    np.testing.assert_array_equal(apply_edges(matte, EdgeSettings(largest=True)), matte)


def test_the_largest_subject_stays_whole() -> None:
    second = blob(SHAPE, (150, 320), 40, 16)
    third = blob(SHAPE, (270, 30), 12, 6)
    matte = np.maximum.reduce([SUBJECT, second, third])
    np.testing.assert_array_equal(apply_edges(matte, EdgeSettings(largest=True)), SUBJECT)
    mirrored = apply_edges(np.ascontiguousarray(matte[::-1, ::-1]), EdgeSettings(largest=True))
    np.testing.assert_array_equal(mirrored, SUBJECT[::-1, ::-1])


def test_one_of_two_equal_subjects_stays() -> None:
    matte = np.zeros((60, 200), np.uint8)
    matte[10:50, 10:50] = matte[10:50, 150:190] = 255
    kept = apply_edges(matte, EdgeSettings(largest=True))
    assert np.count_nonzero(kept) == 1600
    assert kept[30, 30] == 255


def test_small_holes_close_and_large_ones_stay() -> None:
    small, large = blob(SHAPE, (150, 110), 5, 5), blob(SHAPE, (150, 180), 14, 5)
    matte = np.minimum(SUBJECT, 255 - np.maximum(small, large))
    filled = apply_edges(matte, EdgeSettings(fill_holes=200))
    np.testing.assert_array_equal(filled, np.minimum(SUBJECT, 255 - large))
    np.testing.assert_array_equal(apply_edges(matte, EdgeSettings(fill_holes=2000)), SUBJECT)


def test_the_background_is_no_hole_however_small() -> None:
    matte = np.full((30, 30), 255, np.uint8)
    matte[:3, :3] = 0
    matte[20:, 29] = 0
    matte[10:13, 10:13] = 0
    filled = apply_edges(matte, EdgeSettings(fill_holes=10_000))
    expected = np.full((30, 30), 255, np.uint8)
    expected[:3, :3] = 0
    expected[20:, 29] = 0
    np.testing.assert_array_equal(filled, expected)


def test_a_ring_closed_only_at_corners_still_encloses_its_hole() -> None:
    matte = np.zeros((9, 9), np.uint8)
    for y, x in [(2, 4), (3, 3), (3, 5), (4, 2), (4, 6), (5, 3), (5, 5), (6, 4)]:
        matte[y, x] = 255
    filled = apply_edges(matte, EdgeSettings(fill_holes=5))
    assert filled[3:6, 4].tolist() == [255, 255, 255]
    assert np.count_nonzero(filled) == 13


@QUICK
@given(MATTES, st.integers(0, 60), st.integers(0, 60))
def test_sizes_are_monotone_and_one_sided(matte: Matte, a: int, b: int) -> None:
    small, large = sorted((a, b))
    drop = [apply_edges(matte, EdgeSettings(drop_specks=size)) for size in (small, large)]
    assert (drop[0] <= matte).all()
    assert (drop[1] <= drop[0]).all()
    fill = [apply_edges(matte, EdgeSettings(fill_holes=size)) for size in (small, large)]
    assert (fill[0] >= matte).all()
    assert (fill[1] >= fill[0]).all()


@QUICK
@given(MATTES, st.floats(0, 1), st.floats(0, 1), st.floats(0.05, 0.3))
def test_solidify_only_raises_and_raises_more_with_more(
    matte: Matte, a: float, b: float, scale: float
) -> None:
    less = apply_edges(matte, EdgeSettings(solidify=min(a, b), scale=scale))
    more = apply_edges(matte, EdgeSettings(solidify=max(a, b), scale=scale))
    assert (matte <= less).all()
    assert (less <= more).all()
    assert (more[matte < 26] == matte[matte < 26]).all()


HAZE = blob(SHAPE, (150, 150), 20, 10)


def hazy(alpha: float) -> Matte:
    return np.round(SUBJECT * (1 - HAZE / 255 * (1 - alpha))).astype(np.uint8)


@pytest.mark.parametrize("alpha", [0.3, 0.7, 0.97])
def test_solidify_makes_inner_haze_opaque_and_spares_the_edge(alpha: float) -> None:
    matte = hazy(alpha)
    for amount in (0.5, 0.8, 1.0):
        solid = apply_edges(matte, EdgeSettings(solidify=amount))
        assert solid[around(SHAPE, (150, 150), 34)].min() == 255
        edge = ~around(SHAPE, (150, 150), 66)
        np.testing.assert_array_equal(solid[edge], matte[edge])


def test_little_solidify_raises_haze_a_little() -> None:
    matte = hazy(0.5)
    raised = apply_edges(matte, EdgeSettings(solidify=0.1))[150, 150]
    assert raised == pytest.approx(128 + 0.2 * 127, abs=2)


def test_a_veil_at_the_rim_is_solid_only_at_a_large_amount() -> None:
    veil = (SUBJECT < 140) & around(SHAPE, (150, 250), 80)
    matte = np.where(veil, np.uint8(140), SUBJECT)
    for amount in (0.1, 0.3, 0.5):
        solid = apply_edges(matte, EdgeSettings(solidify=amount))
        np.testing.assert_array_equal(solid[veil], matte[veil])
    assert apply_edges(matte, EdgeSettings(solidify=1))[150, 270] == 255


def test_a_real_hole_is_not_haze() -> None:
    matte = np.minimum(SUBJECT, 255 - blob(SHAPE, (150, 150), 20, 10))
    np.testing.assert_array_equal(apply_edges(matte, EdgeSettings(solidify=1)), matte)


def test_tiles_leave_no_trace() -> None:
    shape = (TILE_HEIGHT + 70, TILE_WIDTH + 70)
    matte = np.full(shape, 20, np.uint8)
    speck = blob(shape, (TILE_HEIGHT, TILE_WIDTH), 10, 6)
    cleaned = apply_edges(np.maximum(matte, speck), EdgeSettings(drop_specks=600))
    top, left = TILE_HEIGHT - 52, TILE_WIDTH - 52
    part = np.maximum(matte, speck)[top : top + 104, left : left + 104]
    alone = apply_edges(part, EdgeSettings(drop_specks=600))
    difference = cleaned[top : top + 104, left : left + 104].astype(int) - alone
    assert np.abs(difference).max() <= 1
