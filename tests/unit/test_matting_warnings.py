"""Which warning is raised when, with which number."""

import numpy as np
import pytest
from maskwright.matting.photo import Photo
from maskwright.matting.prediction import Prediction
from maskwright.matting.warnings import (
    MatteWarning,
    edge_contrast,
    found_something,
    matte_warnings,
    nothing_found,
    photo_warnings,
    see_through,
)
from true_mattes import RED, TEAL, Colour, Plane, composed, disc

SIDE = 128


def said(alpha: Plane, subject: Colour = RED, ground: Colour = TEAL) -> Prediction:
    return Prediction(alpha.astype(np.float32), composed(alpha, subject, ground), (0, 1))


def soft_disc(softness: float, radius: float = 36) -> Plane:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    distance = radius - np.hypot(columns - SIDE / 2, rows - SIDE / 2)
    return np.asarray(np.clip(distance / softness + 0.5, 0, 1), np.float32)


def codes(prediction: Prediction) -> list[str]:
    return [warning.code for warning in matte_warnings(prediction)]


def only(warnings: list[MatteWarning]) -> MatteWarning:
    (warning,) = warnings
    assert warning.message.endswith(".")
    assert warning.message.isascii()
    return warning


@pytest.mark.parametrize(
    ("width", "height", "code", "value"),
    [
        (1, 1, "tiny-photo", 1),
        (4000, 599, "tiny-photo", 599),
        (599, 4000, "tiny-photo", 599),
        (600, 600, "small-photo", 600),
        (5000, 999, "small-photo", 999),
    ],
)
def test_a_short_side_is_told(width: int, height: int, code: str, value: int) -> None:
    warning = only(photo_warnings(Photo(np.zeros((height, width, 3), np.uint8))))
    assert (warning.code, warning.value) == (code, value)
    assert str(value) in warning.message


@pytest.mark.parametrize("size", [(1000, 1000), (1000, 4000), (4000, 1001)])
def test_a_photo_that_is_large_enough_is_not_talked_about(size: tuple[int, int]) -> None:
    assert photo_warnings(Photo(np.zeros((size[1], size[0], 3), np.uint8))) == []


def test_a_plain_subject_raises_nothing() -> None:
    assert matte_warnings(said(soft_disc(3))) == []


def test_half_is_found_and_less_is_not() -> None:
    values = np.zeros((20, 20), np.float32)
    assert not found_something(said(values))
    values[3, 4] = 0.49
    assert not found_something(said(values))
    values[3, 4] = 0.5
    assert found_something(said(values))


def test_what_is_found_depends_on_the_levels() -> None:
    values = np.full((9, 9), 0.45, np.float32)
    assert found_something(Prediction(values, np.zeros((9, 9, 3), np.uint8), (0, 0.9)))


def test_nothing_found_tells_the_peak() -> None:
    values = np.zeros((20, 20), np.float32)
    values[3, 4] = 0.25
    warning = only([nothing_found(said(values))])
    assert (warning.code, warning.value) == ("nothing-found", 0.25)
    assert nothing_found(None).value == 0


@pytest.mark.parametrize(("rows", "raised"), [(100, True), (98, True), (97, False), (50, False)])
def test_all_subject_starts_at_98_percent(rows: int, raised: bool) -> None:
    alpha = np.zeros((100, 100), np.float32)
    alpha[:rows] = 1
    found = [warning for warning in matte_warnings(said(alpha)) if warning.code == "all-subject"]
    assert bool(found) == raised
    if raised:
        assert only(found).value == pytest.approx(rows / 100)


@pytest.mark.parametrize("difference", [0, 5, 19, 21, 60, 120])
def test_the_contrast_along_the_edge_is_measured(difference: int) -> None:
    alpha = soft_disc(3)
    prediction = said(alpha, (100, 100, 100), (100 + difference,) * 3)
    contrast = edge_contrast(prediction)
    assert contrast == pytest.approx(difference, abs=0.35 * difference + 0.1)
    found = [warning for warning in matte_warnings(prediction) if warning.code == "low-contrast"]
    assert bool(found) == (difference < 20)
    if found:
        assert only(found).value == contrast


def test_contrast_counts_every_channel() -> None:
    alpha = np.asarray(np.rint(soft_disc(3) * 2) / 2, np.float32)
    pixels = composed(np.ceil(alpha), (60, 0, 0), (0, 0, 0))
    prediction = Prediction(alpha, pixels, (0, 1))
    # Root of the mean square: 60 in one channel of three.
    assert edge_contrast(prediction) == pytest.approx(60 / 3**0.5, rel=0.05)


def test_colours_far_from_the_edge_do_not_count() -> None:
    alpha = soft_disc(3)
    pixels = composed(alpha, (100, 100, 100), (104, 104, 104))
    pixels[disc(SIDE, SIDE, 20) > 0] = (255, 0, 0)
    pixels[disc(SIDE, SIDE, 52) == 0] = (0, 0, 255)
    contrast = edge_contrast(Prediction(alpha, pixels, (0, 1)))
    assert contrast is not None
    assert contrast < 5


def test_without_an_edge_there_is_no_contrast() -> None:
    assert edge_contrast(said(np.ones((SIDE, SIDE), np.float32))) is None
    assert edge_contrast(said(np.zeros((SIDE, SIDE), np.float32))) is None
    assert "low-contrast" not in codes(said(np.ones((9, 9), np.float32)))


@pytest.mark.parametrize("softness", [0.1, 1, 3, 6, 9])
def test_an_ordinary_soft_edge_is_not_see_through(softness: float) -> None:
    assert see_through(said(soft_disc(softness))) < 0.02
    assert "see-through" not in codes(said(soft_disc(softness)))


def test_a_veil_is_measured_and_told() -> None:
    prediction = said(soft_disc(2) * np.float32(0.6))
    found = [warning for warning in matte_warnings(prediction) if warning.code == "see-through"]
    assert only(found).value == see_through(prediction) > 0.6


def test_a_subject_with_some_glass_is_not_talked_about() -> None:
    alpha = soft_disc(2)
    alpha[50:70, 50:70] = 0.5
    share = see_through(said(alpha))
    assert 0.02 < share < 0.2
    assert codes(said(alpha)) == []


def test_nothing_is_not_see_through() -> None:
    assert see_through(said(np.zeros((20, 20), np.float32))) == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 64), (64, 1), (3, 3)])
@pytest.mark.parametrize("value", [0.0, 0.3, 0.6, 1.0])
def test_tiny_predictions_are_judged_too(shape: tuple[int, int], value: float) -> None:
    for warning in matte_warnings(said(np.full(shape, value, np.float32))):
        assert np.isfinite(warning.value)


def test_a_large_network_judges_the_edge_as_a_small_one_does():
    rng = np.random.default_rng(4)
    alpha = disc(320, 320, 80)
    pixels = composed(alpha, (90, 80, 70), (120, 100, 60))
    pixels = np.clip(pixels + rng.normal(0, 4, pixels.shape), 0, 255).astype(np.uint8)
    small = edge_contrast(Prediction(alpha, pixels, (0, 1)))
    large = edge_contrast(
        Prediction(alpha.repeat(4, 0).repeat(4, 1), pixels.repeat(4, 0).repeat(4, 1), (0, 1))
    )
    assert large == pytest.approx(small, rel=0.001)
