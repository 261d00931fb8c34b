"""Sliders reach every value that matters, and come back to where they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maskwright_editor.settings import MOST_PIXELS
from maskwright_krita.sliders import STEPS, digits, position, step, value

RANGES = [(-10, 10), (0, 20), (0, 1), (0, MOST_PIXELS)]


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_both_ends_and_the_start_are_reached(low: float, high: float):
    assert [value(at, low, high) for at in (0, STEPS)] == [low, high]
    assert [position(at, low, high) for at in (low, high)] == [0, STEPS]
    assert value(position(0, low, high), low, high) == 0


@given(st.sampled_from(RANGES), st.integers(0, STEPS))
def test_a_position_comes_back(ends: tuple[float, float], at: int):
    # Where several positions have the same value, the value is what comes back.
    assert value(position(value(at, *ends), *ends), *ends) == pytest.approx(
        value(at, *ends), abs=2 * 10.0 ** -digits(*ends) + 0.02 * value(at, *ends)
    )


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_larger_positions_have_no_smaller_values(low: float, high: float):
    values = [value(at, low, high) for at in range(STEPS + 1)]
    assert values == sorted(values)


def test_small_specks_have_much_of_the_slider():
    assert position(1000, 0, MOST_PIXELS) == STEPS // 10


def test_a_value_beside_the_range_is_at_its_end():
    assert position(99, 0, 20) == STEPS
    assert position(-99, 0, 20) == 0


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_a_step_is_seen(low: float, high: float):
    assert round(step(low, high), digits(low, high)) > 0
