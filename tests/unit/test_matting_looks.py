"""What further looks are worth: where they are to look, and where they count."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from looking_networks import Looking, contract_of, redness
from maskwright.cancel import CancelToken
from maskwright.matting.geometry import Box
from maskwright.matting.looks import (
    FAINT,
    LARGEST_WINDOW,
    MARGIN,
    SMALL_NETWORK,
    agreed,
    closer_window,
    is_small,
    kept,
    planned_runs,
    seen_in,
)
from maskwright.matting.photo import Photo
from maskwright.matting.prediction import Prediction, predict, predict_mirrored
from maskwright.models.contract import Resize, SizeRule
from true_mattes import Plane, composed, disc

SIDE = 100
WIDE, HIGH = 2000, 1000


def said(values: Plane, levels: tuple[float, float] = (0, 1)) -> Prediction:
    return Prediction(values.astype(np.float32), np.zeros((*values.shape, 3), np.uint8), levels)


def flat(value: float) -> Plane:
    return np.full((SIDE, SIDE), value, np.float32)


def block(box: Box, value: float = 1.0) -> Plane:
    values = flat(0)
    values[box.slices] = value
    return values


@pytest.mark.parametrize(("size", "small"), [(64, True), (320, True), (512, True), (513, False)])
def test_small_networks_look_again(size: int, small: bool) -> None:
    assert SMALL_NETWORK == 512
    contract = contract_of(size)
    assert is_small(contract) == small
    assert planned_runs(contract) == (3 if small else 1)


def test_a_subject_gets_a_closer_window_with_a_little_margin() -> None:
    assert MARGIN == 0.1
    window = closer_window(said(block(Box(20, 10, 80, 90))), WIDE, HIGH)
    assert window is not None
    # 60 x 80 of 100 x 100, and a tenth of that on every side.
    np.testing.assert_allclose(window, Box(280, 20, 1720, 980), atol=1)


def test_faint_parts_of_the_subject_are_in_the_window() -> None:
    assert FAINT == 0.3
    values = block(Box(20, 20, 60, 60)) + block(Box(60, 20, 80, 60), 0.31)
    with_faint = closer_window(said(values), WIDE, HIGH)
    without = closer_window(said(np.where(values == 1, values, values - 0.02)), WIDE, HIGH)
    assert with_faint is not None
    assert without is not None
    assert with_faint.width > 1.4 * without.width
    levelled = closer_window(said(values, (0.05, 0.95)), WIDE, HIGH)
    assert levelled == without


def test_a_window_that_is_nearly_the_frame_is_not_worth_a_look() -> None:
    assert LARGEST_WINDOW == 0.9
    assert closer_window(said(block(Box(11, 0, 100, 100))), WIDE, HIGH) is None
    assert closer_window(said(block(Box(22, 0, 100, 100))), WIDE, HIGH) is not None
    assert closer_window(said(flat(0)), WIDE, HIGH) is None


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (57, 31), (32_767, 3)])
def test_a_window_lies_in_the_photo(size: tuple[int, int]) -> None:
    for left, top in [(0, 0), (13, 71), (84, 5), (99, 99)]:
        box = Box(left, top, min(SIDE, left + 15), min(SIDE, top + 25))
        window = closer_window(said(block(box)), *size)
        if window is not None:
            assert 0 <= window.left < window.right <= size[0]
            assert 0 <= window.top < window.bottom <= size[1]


def test_the_whole_looks_the_same_on_the_closer_grid() -> None:
    whole = said(np.tile(np.linspace(0, 1, SIDE, dtype=np.float32), (SIDE, 1)))
    photo = Photo(np.zeros((HIGH, WIDE, 3), np.uint8))
    closer = said(np.zeros((30, 50), np.float32))
    part = seen_in(whole, Box(500, 200, 1500, 800), photo, closer)
    assert part.values.shape == (30, 50)
    assert part.pixels is closer.pixels
    np.testing.assert_allclose(part.values[7], np.linspace(0.25, 0.75, 50), atol=0.01)


def test_looks_that_say_the_same_are_the_same() -> None:
    values = np.random.default_rng(1).random((70, 90), np.float32)
    np.testing.assert_allclose(agreed(said(values), said(values)).values, values, atol=1e-5)
    np.testing.assert_allclose(kept(said(values), said(values)).values, values, atol=1e-5)


def test_where_looks_are_alike_it_is_the_mean() -> None:
    assert agreed(said(flat(0.45)), said(flat(0.55))).values == pytest.approx(0.5, abs=1e-4)


def test_a_sure_look_outweighs_one_that_wavers() -> None:
    # Few pixels, so that both are alike round about.
    first, second = flat(0), flat(0)
    first[50, 50], second[50, 50] = 0.5, 1
    assert agreed(said(first), said(second)).values[50, 50] > 0.85


def test_a_look_at_something_else_does_not_count() -> None:
    first, second = block(Box(10, 20, 40, 60)), block(Box(60, 20, 90, 60))
    merged = agreed(said(first), said(second)).values
    assert np.abs(merged - first).mean() < 0.02
    assert merged[30:50, 70:80].max() < 0.01
    assert merged[30:50, 20:30].min() > 0.99


def test_a_look_counts_where_it_agrees_even_if_it_does_not_elsewhere() -> None:
    first = block(Box(10, 20, 40, 60))
    second = block(Box(10, 21, 40, 61)) + block(Box(70, 70, 95, 95))
    merged = agreed(said(first), said(second)).values
    assert 0.2 < merged[20, 25] < 0.8
    assert 0.2 < merged[60, 25] < 0.8
    assert merged[75:90, 75:90].max() < 0.01


def test_what_a_closer_look_adds_counts() -> None:
    first, closer = block(Box(30, 30, 60, 60)), block(Box(30, 30, 60, 95))
    np.testing.assert_allclose(kept(said(first), said(closer)).values, closer, atol=1e-6)


def test_a_closer_look_may_trim_and_not_take_away() -> None:
    first = block(Box(30, 20, 60, 80))
    trimmed = block(Box(31, 21, 59, 79))
    assert kept(said(first), said(trimmed)).values[20, 35:55].max() < 0.2
    halved = block(Box(30, 20, 60, 50))
    assert kept(said(first), said(halved)).values[55:78, 32:58].min() > 0.95


@settings(max_examples=40, deadline=None)
@given(shape=st.tuples(st.integers(1, 90), st.integers(1, 90)), seed=st.integers(0, 9999))
def test_what_looks_agree_on_lies_between_them(shape: tuple[int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = (rng.integers(0, 4, shape).astype(np.float32) / np.float32(3) for _ in range(2))
    for merge in (agreed, kept):
        values = merge(said(first), said(second)).values
        assert values.dtype == np.float32
        assert (values >= np.minimum(first, second) - 1e-5).all()
        assert (values <= np.maximum(first, second) + 1e-5).all()


@pytest.mark.parametrize("rule", SizeRule)
@pytest.mark.parametrize("resize", Resize)
@pytest.mark.parametrize("size", [(300, 100), (100, 300), (97, 131)])
def test_a_mirrored_look_is_turned_back(
    rule: SizeRule, resize: Resize, size: tuple[int, int]
) -> None:
    width, height = size
    alpha = disc(width, height, 0.3 * min(size), (0.3 * width, 0.4 * height))
    photo = Photo(composed(alpha))
    network = Looking(redness, contract_of(64, rule, resize, multiple=16))
    first = predict(photo, network, CancelToken())
    turned = predict_mirrored(photo, first, network, CancelToken())
    np.testing.assert_array_equal(turned.values, first.values)
    assert turned.pixels is first.pixels
    assert network.shown[0].shape == network.shown[1].shape
    assert not np.array_equal(network.shown[0], network.shown[1])
