"""The guided filter's model against a slow, obvious one in float64."""

from itertools import product

import numpy as np
import pytest
from looking_networks import Pixels, Plane
from maskwright.matting.guided import EPSILON, RADIUS, box_mean, guided_coefficients
from numpy.typing import NDArray

Exact = NDArray[np.float64]

ROWS, COLUMNS = 17, 23


def slow_box_mean(plane: Exact, radius: int) -> Exact:
    """One window after the other; beyond the edge, the edge's pixel."""
    rows, columns = plane.shape
    result = np.empty_like(plane)
    steps = range(-radius, radius + 1)
    for row, column in product(range(rows), range(columns)):
        window = [
            plane[min(max(row + down, 0), rows - 1), min(max(column + across, 0), columns - 1)]
            for down, across in product(steps, steps)
        ]
        result[row, column] = sum(window) / len(window)
    return result


def slow_model(colours: Exact, values: Exact) -> tuple[Exact, float]:
    """Slope and offset for one window's n x 3 colours and n values: equations 19 and 20."""
    mean, mean_value = colours.mean(axis=0), values.mean()
    clear = np.clip(values, 0, 1).mean()
    if np.ptp(values) == 0 or min(clear, 1 - clear) < 1e-4:
        return np.zeros(3), mean_value
    covariance = (colours - mean).T @ (colours - mean) / len(values)
    spread = (colours - mean).T @ (values - mean_value) / len(values)
    slope = np.linalg.solve(covariance + EPSILON * np.eye(3), spread)
    return slope, mean_value - slope @ mean


def unexplained(colours: Exact, values: Exact, slope: Exact) -> float:
    """The share of the values' variance in a window that a slope leaves, 0..1."""
    if np.ptp(values) == 0:
        return 1.0
    deviation = values - values.mean()
    explained = ((colours - colours.mean(axis=0)) @ slope * deviation).mean()
    return float(1 - np.clip(explained / np.square(deviation).mean(), 0, 1))


def slow_fit(pixels: Pixels, values: Plane) -> tuple[Exact, Exact]:
    """Slopes, 3 x h x w, and offsets, h x w, averaged over the windows (equation 21).

    To the offset is added what is left of the values, by the square of its share.
    """
    rows, columns = values.shape
    around = ((RADIUS, RADIUS), (RADIUS, RADIUS))
    guide = np.pad(pixels / 255, (*around, (0, 0)), mode="edge")
    wanted = np.pad(values.astype(np.float64), around, mode="edge")
    side = 2 * RADIUS + 1
    slope, offset = np.empty((3, rows, columns)), np.empty((rows, columns))
    places = list(product(range(rows), range(columns)))
    windows = {
        (row, column): (
            guide[row : row + side, column : column + side].reshape(-1, 3),
            wanted[row : row + side, column : column + side].ravel(),
        )
        for row, column in places
    }
    for row, column in places:
        slope[:, row, column], offset[row, column] = slow_model(*windows[row, column])
    slope = np.stack([slow_box_mean(s, RADIUS) for s in slope])
    offset = slow_box_mean(offset, RADIUS)
    for row, column in places:
        share = unexplained(*windows[row, column], slope[:, row, column])
        said = slope[:, row, column] @ pixels[row, column] / 255 + offset[row, column]
        offset[row, column] += share**2 * (values[row, column] - said)
    return slope, offset


def noisy(seed: int, amount: int = 256) -> Pixels:
    rng = np.random.default_rng(seed)
    return (128 - amount // 2 + rng.integers(0, amount, (ROWS, COLUMNS, 3))).astype(np.uint8)


def edge(soft: float) -> Plane:
    columns = np.arange(COLUMNS)[np.newaxis].repeat(ROWS, axis=0)
    return np.asarray(np.clip((columns - COLUMNS / 2) / soft + 0.5, 0, 1), np.float32)


def grey(pixels: Pixels) -> Pixels:
    return pixels[..., :1].repeat(3, axis=2)


def two_colours() -> Pixels:
    left, right = np.array([200, 40, 30]), np.array([20, 90, 160])
    return np.where(edge(0.01)[..., np.newaxis] > 0.5, right, left).astype(np.uint8)


def followed(pixels: Pixels) -> Plane:
    """Values that follow the colours, with something that they do not explain."""
    rng = np.random.default_rng(9)
    line = pixels @ np.array([0.5, -0.2, 0.3]) / 255 + 0.2
    return np.asarray(np.clip(line + rng.normal(0, 0.05, line.shape), 0, 1), np.float32)


CASES: dict[str, tuple[Pixels, Plane]] = {
    "noise and noise": (noisy(1), np.random.default_rng(2).random((ROWS, COLUMNS), np.float32)),
    "noise and an edge": (noisy(3), edge(4)),
    "values that follow colours": (noisy(4), followed(noisy(4))),
    "beyond 0..1": (noisy(5), edge(6) * np.float32(1.1) - np.float32(0.05)),
    "grey": (grey(noisy(6)), edge(5)),
    "nearly flat": (noisy(7, amount=4), edge(5)),
    "nearly flat grey": (grey(noisy(8, amount=3)), edge(5)),
    "flat": (np.full((ROWS, COLUMNS, 3), 90, np.uint8), edge(5)),
    "two flat colours": (two_colours(), edge(5)),
    "a hard edge": (two_colours(), edge(0.01)),
}


@pytest.mark.parametrize("case", CASES)
def test_the_model_is_the_slow_one(case: str) -> None:
    pixels, values = CASES[case]
    fit = guided_coefficients(pixels, values)
    slope, offset = slow_fit(pixels, values)
    assert fit.slope.dtype == fit.offset.dtype == np.float32
    scale = max(1.0, float(np.abs(slope).max()))
    np.testing.assert_allclose(fit.slope, slope, rtol=0, atol=3e-3 * scale)
    guide = pixels.transpose(2, 0, 1) / 255
    said = (fit.slope * guide).sum(axis=0) + fit.offset
    expected = (slope * guide).sum(axis=0) + offset
    np.testing.assert_allclose(said, expected, rtol=0, atol=1e-3)


def test_colours_that_explain_the_values_are_found() -> None:
    pixels = noisy(11)
    values = (pixels @ np.array([0.3, 0.2, 0.1]) / 255 + 0.2).astype(np.float32)
    fit = guided_coefficients(pixels, values)
    assert fit.active.all()
    np.testing.assert_allclose(fit.slope[0], 0.3, atol=2e-3)
    np.testing.assert_allclose(fit.slope[1], 0.2, atol=2e-3)
    np.testing.assert_allclose(fit.slope[2], 0.1, atol=2e-3)
    np.testing.assert_allclose(fit.offset, 0.2, atol=2e-3)


def test_what_no_colour_explains_stays_as_it_was() -> None:
    values = np.random.default_rng(18).random((ROWS, COLUMNS), np.float32)
    fit = guided_coefficients(np.full((ROWS, COLUMNS, 3), 90, np.uint8), values)
    assert not fit.active.any()
    np.testing.assert_allclose(fit.offset, values, atol=1e-6)


@pytest.mark.parametrize("value", [-0.02, 0.0, 0.3, 1.0, 1.03])
def test_a_flat_prediction_has_no_slope(value: float) -> None:
    fit = guided_coefficients(noisy(12), np.full((ROWS, COLUMNS), value, np.float32))
    assert not fit.active.any()
    assert (fit.slope == 0).all()
    np.testing.assert_allclose(fit.offset, value, atol=1e-6)


@pytest.mark.parametrize(("low", "high"), [(-0.05, 0.0), (1.0, 1.05)])
def test_a_prediction_that_is_sure_of_one_side_has_no_slope(low: float, high: float) -> None:
    values = np.random.default_rng(13).uniform(low, high, (ROWS, COLUMNS)).astype(np.float32)
    fit = guided_coefficients(noisy(14), values)
    assert not fit.active.any()
    assert (fit.slope == 0).all()


def test_the_slope_matters_only_around_the_edge() -> None:
    values = np.zeros((40, 60), np.float32)
    values[:, 30:] = 1
    pixels = np.random.default_rng(15).integers(0, 256, (40, 60, 3), np.uint8)
    active = guided_coefficients(pixels, values).active
    reach = 2 * RADIUS
    assert active[:, 30].all()
    assert not active[:, : 30 - reach].any()
    assert not active[:, 30 + reach :].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3), (12, 7)])
@pytest.mark.parametrize("radius", [0, 1, 2, 5])
def test_the_box_mean_is_the_slow_one(shape: tuple[int, int], radius: int) -> None:
    plane = np.random.default_rng(16).random(shape, np.float32)
    expected = slow_box_mean(plane.astype(np.float64), radius)
    mean = box_mean(plane, radius)
    assert mean.dtype == np.float32
    np.testing.assert_allclose(mean, expected, atol=1e-6)


def test_the_box_mean_takes_planes_one_by_one_and_leaves_them_alone() -> None:
    planes = np.random.default_rng(17).random((3, 8, 6), np.float32)
    before = planes.copy()
    together = box_mean(planes, 2)
    np.testing.assert_array_equal(planes, before)
    for plane, mean in zip(planes, together, strict=True):
        np.testing.assert_array_equal(box_mean(plane, 2), mean)
