"""What a network is shown, and what is taken from its answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from looking_networks import Looking, always, contract_of, darkness, redness
from maskwright.cancel import CancelToken
from maskwright.errors import Cancelled
from maskwright.matting.photo import Photo
from maskwright.matting.prediction import BACKDROP, Prediction, predict, shown
from maskwright.models.contract import Resize, SizeRule
from numpy.typing import NDArray

QUICK = settings(max_examples=40)
SIZES = [(1, 1), (1, 57), (57, 1), (3, 5000), (97, 131), (64, 64), (200, 100)]


def noise(width: int, height: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rule", SizeRule)
@pytest.mark.parametrize("resize", Resize)
def test_the_network_sees_its_size_and_the_prediction_the_photo(
    size: tuple[int, int], rule: SizeRule, resize: Resize
) -> None:
    network = Looking(redness, contract_of(64, rule, resize, multiple=16, levels=(0.1, 0.9)))
    prediction = predict(Photo(noise(*size)), network, CancelToken())
    (canvas,) = network.shown
    assert canvas.dtype == np.uint8
    assert canvas.shape[0] % 16 == canvas.shape[1] % 16 == 0
    assert prediction.values.shape == prediction.pixels.shape[:2]
    np.testing.assert_array_equal(prediction.values, np.clip(redness(prediction.pixels), 0, 1))
    assert prediction.levels == (0.1, 0.9)


def test_stretching_shows_the_photo_alone() -> None:
    network = Looking(redness, contract_of(64, resize=Resize.stretch))
    prediction = predict(Photo(noise(300, 20)), network, CancelToken())
    assert prediction.pixels is network.shown[0]
    assert prediction.values.shape == (64, 64)


def test_a_letterbox_has_black_bars_that_stay_outside() -> None:
    network = Looking(darkness, contract_of(64, resize=Resize.letterbox))
    white = np.full((100, 200, 3), 255, np.uint8)
    prediction = predict(Photo(white), network, CancelToken())
    (canvas,) = network.shown
    assert (canvas[:16] == 0).all()
    assert (canvas[48:] == 0).all()
    assert (canvas[16:48] == 255).all()
    assert prediction.values.shape == (32, 64)
    assert (prediction.values == 0).all()


def test_a_photo_of_16_bits_is_shown_like_its_8_bits() -> None:
    narrow = noise(150, 90)
    wide = narrow.astype(np.uint16) * np.uint16(257)
    alpha = noise(150, 90, seed=1)[..., 0]
    for transparency in (None, alpha):
        widened = None if transparency is None else transparency.astype(np.uint16) * np.uint16(257)
        np.testing.assert_array_equal(
            shown(Photo(wide, widened), 40, 30), shown(Photo(narrow, transparency), 40, 30)
        )


def test_16_bits_are_rounded_to_8() -> None:
    every = np.arange(1 << 16, dtype=np.uint16).reshape(256, 256, 1).repeat(3, axis=2)
    error = shown(Photo(every), 256, 256) - every / 257
    assert np.abs(error).max() < 0.51
    assert abs(error.mean()) < 0.01


@pytest.mark.parametrize("size", [(40, 30), (64, 64), (500, 300)])
def test_what_is_fully_transparent_shows_the_backdrop(size: tuple[int, int]) -> None:
    width, height = size
    photo = Photo(noise(width, height), np.zeros((height, width), np.uint8))
    assert (shown(photo, 64, 64) == BACKDROP).all()


def test_what_is_half_transparent_shows_half_the_backdrop() -> None:
    photo = Photo(np.full((9, 9, 3), 255, np.uint8), np.full((9, 9), 128, np.uint8))
    assert np.abs(shown(photo, 5, 5).astype(int) - (255 + BACKDROP) // 2).max() <= 1


def test_an_opaque_alpha_is_no_alpha() -> None:
    rgb = noise(300, 200)
    opaque = Photo(rgb, np.full((200, 300), 255, np.uint8))
    np.testing.assert_array_equal(shown(opaque, 64, 64), shown(Photo(rgb), 64, 64))


@QUICK
@given(
    st.integers(1, 90), st.integers(1, 90), st.sampled_from([np.uint8, np.uint16]), st.integers(0)
)
def test_colours_of_fully_transparent_pixels_are_never_seen(
    width: int, height: int, dtype: type[np.uint8] | type[np.uint16], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    depth = np.iinfo(dtype).max
    one = rng.integers(0, depth, (height, width, 3), dtype, endpoint=True)
    alpha = rng.integers(0, depth, (height, width), dtype, endpoint=True)
    alpha[rng.random((height, width)) < 0.5] = 0
    other = one.copy()
    other[alpha == 0] = rng.integers(0, depth, (int((alpha == 0).sum()), 3), dtype, endpoint=True)
    np.testing.assert_array_equal(
        shown(Photo(one, alpha), 32, 24), shown(Photo(other, alpha), 32, 24)
    )


def test_transparency_is_not_multiplied_into_the_prediction() -> None:
    alpha = np.tile(np.array([0, 100, 255], np.uint8), (60, 20))
    prediction = predict(Photo(noise(60, 60), alpha), Looking(always(0.75)), CancelToken())
    assert (prediction.values == 0.75).all()


def test_levels_are_fixed_and_the_answer_is_not_stretched() -> None:
    values = np.array([[0.1, 0.3, 0.5, 0.9, 1.0]], np.float32)
    prediction = Prediction(values, np.zeros((1, 5, 3), np.uint8), (0.1, 0.9))
    np.testing.assert_allclose(prediction.levelled, [[0, 0.25, 0.5, 1, 1.125]], atol=1e-6)
    np.testing.assert_allclose(prediction.alpha, [[0, 0.25, 0.5, 1, 1]], atol=1e-6)
    assert prediction.alpha.dtype == np.float32
    dim = Prediction(values * np.float32(0.1), prediction.pixels, (0.0, 1.0))
    np.testing.assert_array_equal(dim.alpha, dim.values)


def test_cancelled_work_never_reaches_the_network() -> None:
    network, cancel = Looking(redness), CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        predict(Photo(noise(30, 30)), network, cancel)
    assert network.shown == []
