"""What holds for every photo and every answer of a network."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from looking_networks import Looking, Plane, contract_of, redness
from maskwright.cancel import CancelToken
from maskwright.matting.photo import Photo, Samples
from maskwright.matting.pipeline import matte_photo
from maskwright.matting.prediction import Prediction, shown
from maskwright.matting.refine import refine
from maskwright.models.contract import Resize, SizeRule
from numpy.typing import NDArray
from true_mattes import Depth, full_range

QUICK = settings(max_examples=60)
SIDES = st.one_of(st.integers(1, 90), st.sampled_from([127, 256, 257, 400]))
KINDS = ["noise", "flat", "slope", "grey", "two colours", "black", "white"]


@dataclass(frozen=True)
class Case:
    """A photo, and what some network said about it."""

    photo: Photo
    values: Plane
    levels: tuple[float, float]

    @property
    def prediction(self) -> Prediction:
        """The answer together with the photo at its size."""
        rows, columns = self.values.shape
        return Prediction(self.values, shown(self.photo, columns, rows), self.levels)

    @property
    def matte(self) -> Samples:
        """The refined matte."""
        return refine(self.photo, self.prediction, CancelToken())


def colours(rng: np.random.Generator, kind: str, height: int, width: int) -> NDArray[np.float64]:
    """H x W x 3, 0..1."""
    shape = (height, width, 3)
    slope = np.linspace(0, 1, width)[np.newaxis, :, np.newaxis] * rng.random(3)
    return {
        "noise": rng.random(shape),
        "flat": np.broadcast_to(rng.random(3), shape),
        "slope": np.broadcast_to(slope, shape),
        "grey": rng.random((height, width, 1)).repeat(3, axis=2),
        "two colours": np.where(rng.random((height, width, 1)) < 0.5, rng.random(3), rng.random(3)),
        "black": np.zeros(shape),
        "white": np.ones(shape),
    }[kind]


def plane(rng: np.random.Generator, kind: str, height: int, width: int) -> Plane:
    """H x W float32, 0..1."""
    values = colours(rng, kind, height, width)[..., 0]
    return values.astype(np.float32)


@st.composite
def cases(draw: st.DrawFn, transparency: bool | None = None, most: float = 0) -> Case:
    """`most` limits the prediction's sides to that share of the photo's, and to an eighth below.

    That is for comparisons: where thousands of pixels are averaged to a prediction's pixel, colours
    as random as these have a variance that float32 hardly tells from nothing.
    """
    width, height = draw(SIDES), draw(SIDES)
    columns, rows = (
        draw(st.integers(-(-side // 8), int(side * most)) if most else SIDES)
        for side in (width, height)
    )
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    depth: Depth = np.uint8 if draw(st.booleans()) else np.uint16
    full = np.iinfo(depth).max
    rgb = full_range(
        np.rint(colours(rng, draw(st.sampled_from(KINDS)), height, width) * full), depth
    )
    alpha = None
    if draw(st.booleans()) if transparency is None else transparency:
        kind = draw(st.sampled_from(KINDS))
        alpha = full_range(np.rint(plane(rng, kind, height, width) * full), depth)
        alpha[rng.random(alpha.shape) < 0.3] = 0
    values = plane(rng, draw(st.sampled_from(KINDS)), rows, columns)
    levels = draw(st.sampled_from([(0.0, 1.0), (0.0, 0.97), (0.1, 0.9)]))
    return Case(Photo(rgb, alpha), values, levels)


def flipped(case: Case, axis: int) -> Case:
    alpha = None if case.photo.alpha is None else np.flip(case.photo.alpha, axis)
    return Case(
        Photo(np.flip(case.photo.rgb, axis), alpha), np.flip(case.values, axis).copy(), case.levels
    )


def junked(photo: Photo, seed: int) -> Photo:
    """The photo with other colours where it is fully transparent."""
    assert photo.alpha is not None
    hidden = photo.alpha == 0
    rgb: Samples = photo.rgb.copy()
    full = np.iinfo(rgb.dtype).max
    junk = np.random.default_rng(seed).integers(0, full, (int(hidden.sum()), 3), endpoint=True)
    rgb[hidden] = junk
    return Photo(rgb, photo.alpha)


def difference(one: Samples, other: Samples) -> float:
    """The largest, in 8-bit levels."""
    unit = np.iinfo(one.dtype).max / 255
    return float(np.abs(one.astype(np.int64) - other).max() / unit)


@QUICK
@given(cases())
def test_every_matte_has_the_photos_size_and_depth(case: Case) -> None:
    assert case.matte.shape == case.photo.rgb.shape[:2]
    assert case.matte.dtype == case.photo.rgb.dtype


@QUICK
@given(cases(most=2), st.sampled_from([0, 1]))
def test_a_mirrored_photo_has_the_mirrored_matte(case: Case, axis: int) -> None:
    prediction = case.prediction
    mirrored = flipped(case, axis)
    seen = np.flip(prediction.pixels, axis).copy()
    straight = refine(case.photo, prediction, CancelToken())
    matte = refine(mirrored.photo, Prediction(mirrored.values, seen, case.levels), CancelToken())
    assert difference(np.flip(matte, axis), straight) <= 1


@QUICK
@given(cases(transparency=False, most=1), st.permutations([0, 1, 2]))
def test_the_order_of_the_channels_means_nothing(case: Case, order: list[int]) -> None:
    reordered = Case(Photo(case.photo.rgb[..., order].copy()), case.values, case.levels)
    assert difference(reordered.matte, case.matte) <= 1


@QUICK
@given(cases(transparency=False, most=1))
def test_a_negative_has_the_same_matte(case: Case) -> None:
    full = np.iinfo(case.photo.rgb.dtype).max
    prediction = case.prediction
    negative: Samples = full - case.photo.rgb
    seen = Prediction(case.values, 255 - prediction.pixels, case.levels)
    straight = refine(case.photo, prediction, CancelToken())
    assert difference(refine(Photo(negative), seen, CancelToken()), straight) <= 1


@QUICK
@given(cases(transparency=False, most=1))
def test_background_and_subject_are_treated_alike(case: Case) -> None:
    seen = case.prediction
    straight = refine(case.photo, Prediction(seen.values, seen.pixels, (0, 1)), CancelToken())
    other = Prediction(1 - seen.values, seen.pixels, (0, 1))
    full = np.iinfo(straight.dtype).max
    inverted: Samples = full - refine(case.photo, other, CancelToken())
    assert difference(inverted, straight) <= 1


@QUICK
@given(cases(transparency=True), st.integers(0, 99))
def test_hidden_colours_change_no_matte(case: Case, seed: int) -> None:
    other = Case(junked(case.photo, seed), case.values, case.levels)
    np.testing.assert_array_equal(other.matte, case.matte)


@QUICK
@given(
    cases(),
    st.sampled_from(SizeRule),
    st.sampled_from(Resize),
    st.booleans(),
    st.integers(0, 99),
)
def test_every_photo_has_a_result(
    case: Case, rule: SizeRule, resize: Resize, focus: bool, seed: int
) -> None:
    contract = contract_of(48, rule, resize, multiple=8, levels=case.levels)
    photo = case.photo
    result = matte_photo(photo, Looking(redness, contract), cancel=CancelToken(), focus=focus)
    assert result.matte.shape == photo.rgb.shape[:2]
    assert result.matte.dtype == photo.rgb.dtype
    assert 0 <= result.review.doubt <= 1
    for spot in result.review.spots:
        assert 0 <= spot.x < spot.x + spot.width <= photo.width
        assert 0 <= spot.y < spot.y + spot.height <= photo.height
    assert all(np.isfinite(warning.value) for warning in result.warnings)
    codes = {warning.code for warning in result.warnings}
    if "nothing-found" in codes:
        assert (result.matte == 0).all()
    if photo.alpha is not None:
        again = matte_photo(
            junked(photo, seed), Looking(redness, contract), cancel=CancelToken(), focus=focus
        )
        np.testing.assert_array_equal(again.matte, result.matte)
        assert again.review == result.review
