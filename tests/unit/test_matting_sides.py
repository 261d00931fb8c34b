"""The colours of an edge's two sides, on pictures whose sides are known."""

import numpy as np
import pytest
from maskwright.matting.sides import Sharpness, Sides, find_sides, sharpened, steepened
from numpy.typing import NDArray
from true_mattes import RED, TEAL, Colour, Plane, composed, disc

SIDE = 60
RADIUS = 2
PLAIN = Sharpness(blur=0.0, doubt=2.0)


def guide_of(pixels: NDArray[np.integer] | NDArray[np.floating]) -> Plane:
    return np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32) / np.float32(255)


def blurred(alpha: Plane) -> Plane:
    """What a coarse network makes of an edge: five pixels wide."""
    shifted = [np.roll(alpha, (y, x), (0, 1)) for y in range(-2, 3) for x in range(-2, 3)]
    return np.asarray(np.mean(shifted, axis=0), np.float32)


def share(sides: Sides, guide: Plane) -> Plane:
    product = (sides.slope * guide).sum(axis=0) + sides.offset
    return np.asarray(product / np.maximum(sides.trust, 1e-6))


def test_between_two_colours_the_share_is_exact() -> None:
    alpha = disc(SIDE, SIDE, 18)
    guide = guide_of(composed(alpha))
    # The colours of sure pixels alone: the sides must not be mixed to be known exactly.
    sides = find_sides(guide, np.where(alpha > 0.5, 1, 0).astype(np.float32), RADIUS, PLAIN)
    trusted = sides.trust > 0.8
    assert trusted.sum() > 200
    assert np.abs(share(sides, guide) - alpha)[trusted].max() < 0.12


def test_a_blurred_edge_becomes_as_sharp_as_the_colours() -> None:
    alpha = disc(SIDE, SIDE, 18)
    guide, seen = guide_of(composed(alpha)), blurred(alpha)
    matte = sharpened(seen, guide, find_sides(guide, seen, RADIUS, PLAIN), 0.0)
    assert np.abs(matte - alpha).mean() < 0.25 * np.abs(seen - alpha).mean()


def test_far_from_the_edge_nothing_is_trusted() -> None:
    alpha = disc(SIDE, SIDE, 18)
    sides = find_sides(guide_of(composed(alpha)), alpha, RADIUS, PLAIN)
    window = 3 * RADIUS + 1  # its corners are farther than its sides
    far = (disc(SIDE, SIDE, 18 - window) == 1) | (disc(SIDE, SIDE, 18 + window) == 0)
    assert sides.trust[far].max() < 1e-4
    assert sides.edge[far].max() < 1e-4


@pytest.mark.parametrize("other", [RED, (RED[0] - 2, RED[1] + 2, RED[2])])
def test_sides_of_one_colour_are_not_told_apart(other: Colour) -> None:
    alpha = disc(SIDE, SIDE, 18)
    guide = guide_of(composed(alpha, RED, other))
    sides = find_sides(guide, blurred(alpha), RADIUS, PLAIN)
    assert sides.trust.max() < 0.15
    matte = sharpened(blurred(alpha), guide, sides, 0.0)
    assert np.abs(matte - blurred(alpha)).max() < 0.1


def test_scatter_costs_trust_and_the_more_the_doubt() -> None:
    alpha = disc(SIDE, SIDE, 18)
    noise = np.random.default_rng(1).normal(0, 40, (SIDE, SIDE, 3))
    clean = guide_of(composed(alpha))
    noisy = guide_of(composed(alpha) + noise)

    def trust(guide: Plane, doubt: float) -> float:
        sides = find_sides(guide, blurred(alpha), RADIUS, Sharpness(0.0, doubt))
        return float(sides.trust[alpha % 1 > 0].mean())

    assert trust(noisy, 16.0) < 0.6 * trust(noisy, 2.0)
    assert trust(noisy, 2.0) < 0.9 * trust(clean, 2.0)


def test_both_sides_are_treated_alike() -> None:
    rng = np.random.default_rng(2)
    guide, alpha = rng.random((3, 30, 40), np.float32), rng.random((30, 40), np.float32)
    sides, other = (find_sides(guide, a, RADIUS, PLAIN) for a in (alpha, 1 - alpha))
    np.testing.assert_allclose(other.slope, -sides.slope, atol=2e-3)
    np.testing.assert_allclose(other.trust - other.offset, sides.offset, atol=2e-3)
    np.testing.assert_allclose(other.trust, sides.trust, atol=1e-4)


@pytest.mark.parametrize("value", [0.0, 0.03, 0.3, 0.5, 0.97, 1.0])
def test_an_even_veil_is_no_edge(value: float) -> None:
    guide = np.random.default_rng(3).random((3, 30, 40), np.float32)
    veil = np.full((30, 40), value, np.float32)
    sides = find_sides(guide, veil, RADIUS, Sharpness(0.05, 2.0))
    assert sides.edge.max() < 1e-3
    np.testing.assert_allclose(sharpened(veil, guide, sides, 0.05), value, atol=1e-4)


def test_everything_is_finite_on_a_single_colour_and_beyond_the_sure() -> None:
    guide = np.full((3, 12, 9), 0.2, np.float32)
    alpha = np.linspace(-3, 4, 108, dtype=np.float32).reshape(12, 9)
    sides = find_sides(guide, alpha, RADIUS, PLAIN)
    for plane in (sides.slope, sides.offset, sides.trust, sides.edge):
        assert np.isfinite(plane).all()
        assert plane.dtype == np.float32
    assert np.abs(sharpened(alpha, guide, sides, 0.0) - np.clip(alpha, 0, 1)).max() < 1e-5


def test_steepened_takes_the_blur_from_both_ends() -> None:
    alpha = np.array([-1, 0, 0.05, 0.5, 0.95, 1, 2], np.float32)
    np.testing.assert_allclose(steepened(alpha, 0.05), [0, 0, 0, 0.5, 1, 1, 1], atol=1e-6)
    np.testing.assert_array_equal(steepened(alpha, 0.0), np.clip(alpha, 0, 1))


def test_a_mixed_pixel_of_known_colours() -> None:
    guide = guide_of(np.array([[RED] * 9 + [TEAL] * 9], np.uint8).repeat(9, axis=0))
    guide[:, 4, 9] = 0.3 * guide[:, 0, 0] + 0.7 * guide[:, 0, 17]
    alpha = np.zeros((9, 18), np.float32)
    alpha[:, :9] = 1
    alpha[4, 9] = 0.5
    sides = find_sides(guide, alpha, 1, PLAIN)
    assert share(sides, guide)[4, 9] == pytest.approx(0.3, abs=0.06)
