from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from maskwright.errors import InputError
from maskwright.matting.edges import (
    Combine,
    EdgeSettings,
    apply_edges,
    combine,
    contrasted,
    feathered,
)
from maskwright.matting.shift import shift_edge
from numpy.typing import NDArray

Matte = NDArray[np.uint8]

MATTES = arrays(np.uint8, st.tuples(st.integers(1, 14), st.integers(1, 14)))
PAIRS = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda shape: st.tuples(arrays(np.uint8, shape), arrays(np.uint8, shape))
)
QUICK = settings(derandomize=True, deadline=None, max_examples=60)
EVERY_SETTING = EdgeSettings(
    shift=-1.5,
    feather=2,
    contrast=0.4,
    solidify=0.8,
    fill_holes=9,
    drop_specks=9,
    largest=True,
    invert=True,
)


def ramp() -> Matte:
    return np.tile(np.arange(256, dtype=np.uint8), (3, 1))


def soft_disc(size: int, radius: float, softness: float) -> Matte:
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    alpha = np.clip((radius - np.hypot(y, x)) / softness + 0.5, 0, 1)
    return np.asarray(np.round(alpha * 255), np.uint8)


@QUICK
@given(MATTES, st.floats(0, 1))
def test_neutral_settings_return_the_very_matte(matte: Matte, midpoint: float) -> None:
    neutral = EdgeSettings(midpoint=midpoint)
    assert neutral.is_neutral
    assert neutral.scaled(0.25).is_neutral
    assert apply_edges(matte, neutral) is matte


@pytest.mark.parametrize(
    "changed",
    [
        EdgeSettings(shift=1),
        EdgeSettings(feather=1),
        EdgeSettings(contrast=0.1),
        EdgeSettings(solidify=0.1),
        EdgeSettings(fill_holes=1),
        EdgeSettings(drop_specks=1),
        EdgeSettings(largest=True),
        EdgeSettings(invert=True),
    ],
)
def test_one_changed_setting_is_not_neutral(changed: EdgeSettings) -> None:
    assert not changed.is_neutral


@QUICK
@given(MATTES)
def test_the_matte_given_is_never_written_to(matte: Matte) -> None:
    before = matte.copy()
    matte.flags.writeable = False
    apply_edges(matte, EVERY_SETTING)
    np.testing.assert_array_equal(matte, before)


@pytest.mark.parametrize("value", [0, 255])
def test_a_flat_matte_stays_flat_under_all_settings(value: int) -> None:
    matte = np.full((40, 50), value, np.uint8)
    settings_but_invert = replace(EVERY_SETTING, invert=False)
    np.testing.assert_array_equal(apply_edges(matte, settings_but_invert), matte)
    np.testing.assert_array_equal(apply_edges(matte, EVERY_SETTING), 255 - matte)


@pytest.mark.parametrize(
    ("name", "value", "limits"),
    [
        ("shift", 10.5, "-10 to 10"),
        ("shift", -11.0, "-10 to 10"),
        ("feather", -0.1, "0 to 20"),
        ("feather", float("nan"), "0 to 20"),
        ("contrast", 1.01, "0 to 1"),
        ("midpoint", -1.0, "0 to 1"),
        ("solidify", 2.0, "0 to 1"),
        ("fill_holes", -1.0, "0 to "),
        ("drop_specks", float("inf"), "0 to "),
    ],
)
def test_a_setting_out_of_range_is_named_with_its_range(
    name: str, value: float, limits: str
) -> None:
    values: dict[str, Any] = {name: value}
    with pytest.raises(InputError, match=f"{name} goes from {limits}") as caught:
        EdgeSettings(**values)
    assert caught.value.code == "bad-setting"


@pytest.mark.parametrize("factor", [0.0, -1.0, 1.5])
def test_a_preview_is_not_larger_than_its_photo(factor: float) -> None:
    with pytest.raises(InputError, match="scale") as caught:
        EdgeSettings().scaled(factor)
    assert caught.value.code == "bad-setting"


@pytest.mark.parametrize(
    "matte",
    [np.zeros((2, 2, 1), np.uint8), np.zeros((2, 2), np.uint16), np.zeros((0, 3), np.uint8)],
)
def test_other_arrays_are_refused(matte: Matte) -> None:
    with pytest.raises(InputError) as caught:
        apply_edges(matte, EdgeSettings())
    assert caught.value.code == "bad-matte"


def test_scaled_shrinks_lengths_and_areas() -> None:
    given_settings = EdgeSettings(
        shift=-4, feather=8, contrast=0.3, midpoint=0.4, fill_holes=80, drop_specks=16, largest=True
    )
    assert given_settings.scaled(0.5).scaled(0.5) == EdgeSettings(
        shift=-1,
        feather=2,
        contrast=0.3,
        midpoint=0.4,
        fill_holes=5,
        drop_specks=1,
        largest=True,
        scale=0.25,
    )


def test_a_preview_looks_like_the_reduced_result() -> None:
    matte = soft_disc(400, 120, 30)
    matte[196:206, 196:206] = 0
    matte[20:30, 20:30] = 255
    wanted = EdgeSettings(
        shift=6, feather=6, contrast=0.3, solidify=0.5, fill_holes=400, drop_specks=400
    )
    reduced = matte.reshape(100, 4, 100, 4).mean(axis=(1, 3)).astype(np.uint8)
    preview = apply_edges(reduced, wanted.scaled(0.25)).astype(float)
    full = apply_edges(matte, wanted).reshape(100, 4, 100, 4).mean(axis=(1, 3))
    assert np.abs(preview - full).max() <= 20
    assert np.abs(preview - full).mean() <= 1


@QUICK
@given(PAIRS, st.floats(-3, 3), st.floats(0.3, 9), st.floats(0, 1), st.floats(0, 1))
def test_local_settings_keep_the_order_of_mattes(
    pair: tuple[Matte, Matte], shift: float, feather: float, contrast: float, amount: float
) -> None:
    lower, upper = pair[0], np.maximum(*pair)
    for one in (
        EdgeSettings(shift=shift),
        EdgeSettings(feather=feather),
        EdgeSettings(contrast=contrast, midpoint=amount),
        EdgeSettings(solidify=amount, scale=0.1),
    ):
        assert (apply_edges(lower, one) <= apply_edges(upper, one)).all()
    inverted = EdgeSettings(invert=True)
    assert (apply_edges(lower, inverted) >= apply_edges(upper, inverted)).all()


@QUICK
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_contrast_moves_alpha_away_from_the_midpoint(a: float, b: float, midpoint: float) -> None:
    weak = contrasted(ramp(), min(a, b), midpoint)[0]
    strong = contrasted(ramp(), max(a, b), midpoint)[0]
    below = np.arange(256) <= midpoint * 255
    assert (strong[below] <= weak[below]).all()
    assert (strong[~below] >= weak[~below]).all()
    for curve in (weak, strong):
        assert (np.diff(curve.astype(int)) >= 0).all()
        assert (curve[0], curve[255]) == (0, 255)


def test_contrast_zero_is_the_identity_and_one_a_hard_edge() -> None:
    np.testing.assert_array_equal(contrasted(ramp(), 0, 0.2), ramp())
    hard = contrasted(ramp(), 1, 0.5)[0]
    np.testing.assert_array_equal(hard, np.where(np.arange(256) < 128, 0, 255))


def test_contrast_doubles_the_slope_at_one_half() -> None:
    curve = contrasted(ramp(), 0.5, 0.4)[0]
    assert curve[102] == 102
    assert curve[112] == 122
    assert curve[92] == 82


def gaussian(matte: Matte, sigma: float) -> NDArray[np.float64]:
    reach = int(5 * sigma) + 1
    kernel = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    kernel /= kernel.sum()
    padded = np.pad(matte.astype(float), reach, mode="edge")
    rows = np.array([np.convolve(row, kernel, "valid") for row in padded])
    return np.array([np.convolve(column, kernel, "valid") for column in rows.T]).T


@pytest.mark.parametrize("sigma", [0.5, 1, 2, 5, 7.9, 8, 13, 20])
def test_feather_is_a_gaussian_within_eight_bit_reason(sigma: float) -> None:
    matte = soft_disc(203, 50, 2)
    matte[:, 30:33] = 255
    assert np.abs(feathered(matte, sigma) - gaussian(matte, sigma)).max() < 6


@pytest.mark.parametrize("sigma", [0.1, 3, 20])
@pytest.mark.parametrize("value", [0, 1, 100, 254, 255])
def test_feather_leaves_flat_areas_alone(sigma: float, value: int) -> None:
    matte = np.full((70, 41), value, np.uint8)
    np.testing.assert_array_equal(feathered(matte, sigma), matte)


def test_settings_are_applied_in_the_documented_order() -> None:
    matte = soft_disc(120, 40, 6)
    matte[58:62, 58:62] = 20
    matte[5:8, 5:8] = 255
    by_hand = apply_edges(matte, EdgeSettings(drop_specks=20))
    by_hand = apply_edges(by_hand, EdgeSettings(fill_holes=60))
    by_hand = apply_edges(by_hand, EdgeSettings(solidify=0.7))
    by_hand = feathered(shift_edge(by_hand, -2.5), 3)
    by_hand = 255 - contrasted(by_hand, 0.5, 0.3)
    together = EdgeSettings(
        drop_specks=20,
        fill_holes=60,
        solidify=0.7,
        shift=-2.5,
        feather=3,
        contrast=0.5,
        midpoint=0.3,
        invert=True,
    )
    np.testing.assert_array_equal(apply_edges(matte, together), by_hand)


@QUICK
@given(PAIRS)
def test_combining_is_exact(pair: tuple[Matte, Matte]) -> None:
    old, new = pair
    a, b = old.astype(int), new.astype(int)
    expected = {
        Combine.replace: b,
        Combine.intersect: np.minimum(a, b),
        Combine.add: np.maximum(a, b),
        Combine.subtract: np.minimum(a, 255 - b),
    }
    for mode in Combine:
        result = combine(old, new, mode)
        assert result.dtype == np.uint8
        np.testing.assert_array_equal(result, expected[mode])


def test_masks_of_another_size_are_refused() -> None:
    with pytest.raises(InputError, match="3 x 2") as caught:
        combine(np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8), Combine.add)
    assert caught.value.code == "bad-matte"
