import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from maskwright.matting.components import Components, components, runs_between
from numpy.typing import NDArray

Matte = NDArray[np.uint8]

# Clear as often as set, and with long spans: the shapes that join late.
PICTURES = arrays(
    np.uint8,
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    elements=st.sampled_from([0, 255]),
    fill=st.sampled_from([0, 255]),
)
QUICK = settings(derandomize=True, deadline=None, max_examples=150)


def flooded(picture: Matte, *, diagonal: bool) -> list[set[tuple[int, int]]]:
    left = {(int(y), int(x)) for y, x in np.argwhere(picture > 0)}
    steps = [
        (dy, dx)
        for dy, dx in itertools.product((-1, 0, 1), repeat=2)
        if diagonal or abs(dy) + abs(dx) == 1
    ]
    found = []
    while left:
        component: set[tuple[int, int]] = set()
        front = {min(left)}
        while front:
            component |= front
            front = {(y + dy, x + dx) for y, x in front for dy, dx in steps} & left - component
        left -= component
        found.append(component)
    return found


def pixels(found: Components, number: int) -> set[tuple[int, int]]:
    return {(int(y), int(x)) for y, x in np.argwhere(found.runs.paint(found.label == number))}


def assert_same_components(picture: Matte, *, diagonal: bool) -> None:
    found = components(runs_between(picture, 1, 255), diagonal=diagonal)
    expected = flooded(picture, diagonal=diagonal)
    assert [pixels(found, number) for number in range(found.area.size)] == expected
    assert found.area.tolist() == [len(component) for component in expected]
    height, width = picture.shape
    at_frame = [
        any(y in (0, height - 1) or x in (0, width - 1) for y, x in component)
        for component in expected
    ]
    assert found.at_frame().tolist() == at_frame


@QUICK
@given(PICTURES, st.booleans())
def test_components_are_those_of_a_flood_fill(picture: Matte, diagonal: bool) -> None:
    assert_same_components(picture, diagonal=diagonal)


@pytest.mark.parametrize("diagonal", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_components_of_noise_are_those_of_a_flood_fill(seed: int, diagonal: bool) -> None:
    rng = np.random.default_rng(seed)
    dense = 0.25 + seed * 0.1
    assert_same_components((rng.random((30, 37)) < dense).astype(np.uint8), diagonal=diagonal)


def spiral(size: int) -> Matte:
    picture = np.zeros((size, size), np.uint8)
    y, x, dy, dx = 0, 0, 0, 1
    picture[0, 0] = 1
    for length in [size - 1] + [n for n in range(size - 1, 0, -2) for _ in (0, 1)]:
        for _ in range(length):
            y, x = y + dy, x + dx
            picture[y, x] = 1
        dy, dx = dx, -dy
    return picture


@pytest.mark.parametrize("picture", [spiral(41), spiral(41)[::-1, ::-1], spiral(41).T])
def test_a_spiral_is_one_component(picture: Matte) -> None:
    assert_same_components(picture, diagonal=False)
    found = components(runs_between(picture, 1, 255), diagonal=False)
    assert found.area.tolist() == [np.count_nonzero(picture)]


def test_a_comb_with_teeth_up_is_one_component() -> None:
    picture = np.zeros((200, 401), np.uint8)
    picture[:, ::2] = 1
    picture[-1] = 1
    found = components(runs_between(picture, 1, 1), diagonal=True)
    assert found.area.tolist() == [np.count_nonzero(picture)]


def test_a_chessboard_hangs_together_only_across_corners() -> None:
    picture = (np.add.outer(np.arange(300), np.arange(301)) % 2).astype(np.uint8)
    runs = runs_between(picture, 1, 1)
    assert components(runs, diagonal=True).area.tolist() == [45150]
    assert components(runs, diagonal=False).area.tolist() == [1] * 45150


def test_rows_do_not_join_across_the_frame() -> None:
    picture = np.array([[0, 0, 1], [1, 0, 0], [0, 0, 1]], np.uint8)
    assert components(runs_between(picture, 1, 1), diagonal=True).area.tolist() == [1, 1, 1]


@pytest.mark.parametrize(("low", "high"), [(0, 255), (1, 254), (7, 7), (0, 0), (200, 255)])
def test_runs_hold_the_alphas_asked_for(low: int, high: int) -> None:
    # More rows than are searched at a time.
    rng = np.random.default_rng(1)
    matte = rng.integers(0, 256, (300, 40), np.uint8)
    runs = runs_between(matte, low, high)
    every = np.ones(runs.start.size, np.bool_)
    np.testing.assert_array_equal(runs.paint(every), (matte >= low) & (matte <= high))


@QUICK
@given(PICTURES, st.integers(1, 5))
def test_cells_are_set_where_they_hold_a_set_pixel(picture: Matte, cell: int) -> None:
    runs = runs_between(picture, 1, 255)
    every = np.ones(runs.start.size, np.bool_)
    height, width = picture.shape
    padded = np.zeros((-(-height // cell) * cell, -(-width // cell) * cell), np.uint8)
    padded[:height, :width] = picture
    rows, columns = padded.shape[0] // cell, padded.shape[1] // cell
    expected = padded.reshape(rows, cell, columns, cell).max(axis=(1, 3)) > 0
    np.testing.assert_array_equal(runs.paint_cells(every, cell), expected)


@QUICK
@given(arrays(np.uint8, (9, 9), elements=st.sampled_from([0, 100, 255])))
def test_components_know_what_they_hold(matte: Matte) -> None:
    found = components(runs_between(matte, 0, 100), diagonal=True)
    holding = found.containing(runs_between(matte, 0, 0))
    for number, holds in enumerate(holding):
        assert holds == any(matte[y, x] == 0 for y, x in pixels(found, number))
