"""Doubt about a matte, and the places to look at."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maskwright.matting.geometry import Box
from maskwright.matting.prediction import Prediction
from maskwright.matting.review import MOST_SPOTS, Spot, review
from numpy.typing import NDArray
from true_mattes import Plane, disc

SIDE = 320
FRAME = Box(0, 0, 1600, 1200)


def said(values: NDArray[np.floating]) -> Prediction:
    pixels = np.zeros((*values.shape, 3), np.uint8)
    return Prediction(values.astype(np.float32), pixels, (0, 1))


def subject(softness: float = 0.0, haze: float = 0.0) -> Plane:
    """A disc whose edge is soft over that many pixels and which is see-through by `haze`."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    distance = 80 - np.hypot(columns - SIDE / 2, rows - SIDE / 2)
    alpha = np.clip(distance / softness + 0.5, 0, 1) if softness else (distance > 0).astype(float)
    return np.asarray(alpha * (1 - haze), np.float32)


def test_a_binary_prediction_leaves_no_doubt() -> None:
    verdict = review(said(subject()), FRAME)
    assert verdict.doubt == 0
    assert verdict.spots == ()


def test_doubt_grows_with_haze() -> None:
    doubts = [review(said(subject(haze=haze)), FRAME).doubt for haze in (0, 0.05, 0.1, 0.2, 0.4)]
    assert all(less < more for less, more in pairwise(doubts))
    assert doubts[-1] > 0.5


def test_doubt_grows_with_the_softness_of_the_edge() -> None:
    doubts = [review(said(subject(soft)), FRAME).doubt for soft in (0, 2, 4, 8, 16, 32, 64)]
    assert all(less < more for less, more in pairwise(doubts))
    assert doubts[1] < 0.15


def test_levels_decide_what_is_sure() -> None:
    values = subject() * np.float32(0.97)
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    assert review(Prediction(values, pixels, (0, 0.97)), FRAME).doubt == 0
    assert review(Prediction(values, pixels, (0, 1)), FRAME).doubt > 0


@pytest.mark.parametrize("side", [640, 1024])
def test_networks_of_other_sizes_are_judged_alike(side: int) -> None:
    small, large = disc(320, 320, 80), disc(side, side, side / 4)
    soft = [np.clip(alpha * np.float32(0.9), 0, 1) for alpha in (small, large)]
    doubts = [review(said(alpha), FRAME).doubt for alpha in soft]
    assert doubts[0] == pytest.approx(doubts[1], rel=0.05)


def test_the_doubtful_place_is_named() -> None:
    values = subject()
    values[96:128, 192:224] = 0.5  # cells 6 and 7, 12 and 13
    (spot, *others) = review(said(values), FRAME).spots
    assert spot.doubt == pytest.approx(1)
    assert 960 <= spot.x < spot.x + spot.width <= 1120
    assert 360 <= spot.y < spot.y + spot.height <= 480
    assert others == []


def test_spots_of_a_window_lie_in_the_window() -> None:
    values = subject()
    values[96:128, 192:224] = 0.5
    window = Box(400, 300, 400 + SIDE, 300 + SIDE)
    (spot,) = review(said(values), window).spots
    assert (spot.width, spot.height) == (16, 16)
    assert 400 + 192 <= spot.x < 400 + 224
    assert 300 + 96 <= spot.y < 300 + 128


def test_spots_come_worst_first_and_never_too_many() -> None:
    rng = np.random.default_rng(1)
    values = rng.random((20, 20)).repeat(16, axis=0).repeat(16, axis=1)
    spots = review(said(values), FRAME).spots
    assert len(spots) == MOST_SPOTS == 20
    assert all(worse.doubt >= better.doubt for worse, better in pairwise(spots))


def apart(one: Spot, other: Spot) -> bool:
    across = one.x + one.width <= other.x or other.x + other.width <= one.x
    down = one.y + one.height <= other.y or other.y + other.height <= one.y
    return across or down


def test_no_two_spots_are_neighbours() -> None:
    spots = review(said(np.full((SIDE, SIDE), 0.5)), Box(0, 0, SIDE, SIDE)).spots
    assert len(spots) == MOST_SPOTS
    for one, other in combinations(spots, 2):
        assert max(abs(one.x - other.x), abs(one.y - other.y)) > 16


@pytest.mark.parametrize("shape", [(17, 17), (33, 20), (213, 320), (5, 300)])
def test_the_last_cells_count_like_the_others(shape: tuple[int, int]) -> None:
    values = np.zeros(shape, np.float32)
    values[shape[0] // 16 * 16 :, :] = 0.5
    values[:, shape[1] // 16 * 16 :] = 0.5
    window = Box(0, 0, shape[1], shape[0])
    spots = review(said(values), window).spots
    assert spots
    assert spots[0].doubt == pytest.approx(1)


@settings(max_examples=80)
@given(
    st.tuples(st.integers(1, 400), st.integers(1, 400)),
    st.tuples(st.integers(0, 900), st.integers(0, 900), st.integers(1, 900), st.integers(1, 900)),
    st.sampled_from(["random", "flat", "steps"]),
    st.integers(0, 999),
)
def test_every_review_is_in_range_and_inside(
    shape: tuple[int, int], place: tuple[int, int, int, int], kind: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    values = np.full(shape, rng.random(), np.float32)
    if kind != "flat":
        values = rng.random(shape, np.float32)
    if kind == "steps":
        values = np.asarray(np.rint(values * 3) / 3, np.float32)
    left, top, width, height = place
    window = Box(left, top, left + width, top + height)
    verdict = review(said(values), window)
    assert 0 <= verdict.doubt <= 1
    assert len(verdict.spots) <= MOST_SPOTS
    for spot in verdict.spots:
        assert 0 < spot.doubt <= 1
        assert left <= spot.x < spot.x + spot.width <= window.right
        assert top <= spot.y < spot.y + spot.height <= window.bottom
    assert all(apart(one, other) for one, other in combinations(verdict.spots, 2))
