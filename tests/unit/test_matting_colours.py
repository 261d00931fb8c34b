"""The subject's own colours at soft edges: what is known is found, all else is left alone."""

import threading
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maskwright.cancel import CancelToken
from maskwright.errors import Cancelled, InputError
from maskwright.matting import colours as colours_module
from maskwright.matting.colours import clean_colours
from maskwright.matting.photo import Samples
from numpy.typing import NDArray
from true_mattes import RED, TEAL, Colour, Depth, Plane, composed, full_range, noise, noisy_photo

QUICK = settings(max_examples=40)
WIDTH, HEIGHT = 300, 220

Exact = NDArray[np.float64]


def cleaned(colours: Samples, matte: Samples, opacity: Samples | None = None) -> Samples:
    return clean_colours(colours, matte, CancelToken(), opacity)


def blob(softness_px: float, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """A disc whose edge is so many pixels wide: H x W, 8 bits."""
    y, x = np.mgrid[:height, :width]
    inside = 70 - np.hypot(x - width / 2, y - height / 2)
    return np.asarray(np.rint(np.clip(inside / softness_px + 0.5, 0, 1) * 255), np.uint8)


def share(matte: Samples) -> Plane:
    return np.asarray(matte / np.float32(np.iinfo(matte.dtype).max), np.float32)


def soft(matte: Samples) -> NDArray[np.bool_]:
    return np.asarray((matte > 0) & (matte < np.iinfo(matte.dtype).max))


def shown_error(found: Samples, truth: Colour | NDArray[np.generic], matte: Samples) -> Exact:
    """How far off soft pixels are on any new background, in levels of the samples."""
    off = np.abs(found.astype(np.float64) - np.asarray(truth, np.float64))
    return np.asarray((share(matte)[..., np.newaxis] * off)[soft(matte)])


@pytest.mark.parametrize("softness_px", [1, 6, 40])
def test_the_one_colour_of_a_subject_is_found(softness_px: float) -> None:
    matte = blob(softness_px)
    mixed = composed(share(matte))
    before, after = (shown_error(one, RED, matte) for one in (mixed, cleaned(mixed, matte)))
    assert before.mean() > 15
    assert after.max() <= 1  # what 8 bits have lost


def test_16_bits_find_it_more_exactly() -> None:
    matte, red = blob(6), np.array(RED) * 257
    alpha = share(matte)[..., np.newaxis]
    mixed = np.rint(alpha * red + (1 - alpha) * np.array(TEAL) * 257).astype(np.uint16)
    found = cleaned(mixed, matte)
    assert found.dtype == np.uint16
    assert shown_error(found, red, matte).max() <= 10  # of 65535


def test_a_matte_of_16_bits_says_the_same() -> None:
    matte = blob(6)
    mixed = composed(share(matte))
    wide = cleaned(mixed, matte.astype(np.uint16) * np.uint16(257))
    assert np.abs(wide.astype(int) - cleaned(mixed, matte)).max() <= 1


def test_a_subject_with_a_pattern_on_a_ground_with_another_comes_much_nearer() -> None:
    matte = blob(8)
    alpha = share(matte)[..., np.newaxis]
    y, x = np.mgrid[:HEIGHT, :WIDTH][..., np.newaxis]
    subject = 150 + 40 * np.sin(x / 9 + np.arange(3)) + 20 * np.cos(y / 5)
    ground = 90 + 60 * np.cos(y / 7 - np.arange(3)) + 20 * np.sin(x / 11)
    mixed = np.rint(alpha * subject + (1 - alpha) * ground).astype(np.uint8)
    before, after = (shown_error(one, subject, matte) for one in (mixed, cleaned(mixed, matte)))
    assert after.mean() <= 0.35 * before.mean()


@pytest.mark.parametrize("softness_px", [1, 6, 40])
def test_the_old_background_with_the_new_colours_is_the_old_photo(softness_px: float) -> None:
    matte = blob(softness_px)
    mixed = composed(share(matte))
    alpha = share(matte)[..., np.newaxis]
    again = alpha * cleaned(mixed, matte) + (1 - alpha) * np.array(TEAL)
    assert np.abs(again - mixed).max() <= 1


def test_another_encoding_of_the_numbers_gives_the_same_colours() -> None:
    """What was dimmed and lifted comes out dimmed and lifted."""
    matte, plain = blob(6), noisy_photo(WIDTH, HEIGHT, np.uint16) // 4 + 20_000
    changed = (plain // 2 + 5000).astype(np.uint16)
    found, again = (cleaned(one.astype(np.uint16), matte) for one in (plain, changed))
    expected = found / 2 + 5000
    clear = (found > 0) & (found < 65535)
    assert clear.mean() > 0.99  # else the range has cut something off
    assert np.abs(again - expected)[clear].max() <= 4


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_outside_the_soft_zone_every_sample_stays_as_it_is(depth: Depth) -> None:
    photo, matte = noisy_photo(WIDTH, HEIGHT, depth), blob(9)
    before = photo.copy()
    found = cleaned(photo, matte)
    assert found.dtype == depth
    np.testing.assert_array_equal(photo, before)
    np.testing.assert_array_equal(found[~soft(matte)], photo[~soft(matte)])
    assert not np.array_equal(found, photo)


@pytest.mark.parametrize("value", [0, 255])
def test_where_nothing_is_soft_nothing_is_done(value: int) -> None:
    photo = noisy_photo(WIDTH, HEIGHT)
    matte = np.full((HEIGHT, WIDTH), value, np.uint8)
    matte[:, WIDTH // 2 :] = 255
    assert cleaned(photo, matte) is photo
    hidden = np.zeros_like(matte)
    assert cleaned(photo, blob(9), hidden) is photo


def test_grey_is_one_channel() -> None:
    matte = blob(6)
    mixed = composed(share(matte))
    grey = np.ascontiguousarray(mixed[..., :1])
    np.testing.assert_array_equal(cleaned(grey, matte), cleaned(mixed, matte)[..., :1])


def test_a_picture_may_be_read_only_and_share_its_memory() -> None:
    matte = blob(6)
    mixed = composed(share(matte))
    grey = np.broadcast_to(mixed[..., :1], mixed.shape)
    assert not grey.flags.writeable
    found = cleaned(grey, matte)
    np.testing.assert_array_equal(found[..., 2], cleaned(mixed, matte)[..., 0])


def test_what_is_far_from_anything_soft_says_nothing() -> None:
    matte = np.zeros((150, 900), np.uint8)
    matte[:, :40], matte[:, 40:60] = 255, np.linspace(250, 5, 20).astype(np.uint8)
    photo = noisy_photo(900, 150)
    other = photo.copy()
    other[:, 400:] = 0
    np.testing.assert_array_equal(cleaned(other, matte)[:, :400], cleaned(photo, matte)[:, :400])


def test_tiles_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """With something soft everywhere, no tile is left out, whatever its size."""
    photo, matte = noisy_photo(WIDTH, HEIGHT), noise(WIDTH, HEIGHT, seed=1)
    found = []
    for side in (64, 128, 512):
        monkeypatch.setattr(colours_module, "_TILE", side)
        found.append(cleaned(photo, matte))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[1], found[2])


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_colours_that_the_layer_hides_mean_nothing(depth: Depth) -> None:
    """A subject that an earlier cut-out has left, with anything at all where nothing is seen."""
    matte, full = blob(6), np.iinfo(depth).max
    scale = full // 255
    mixed = (composed(share(matte)) * np.float32(scale)).astype(depth)
    opacity = full_range(np.where(np.mgrid[:HEIGHT, :WIDTH][1] < WIDTH / 2, 0, full), depth)
    found = []
    for junk in (0, full, noisy_photo(WIDTH, HEIGHT, depth)):
        layer = full_range(np.where(opacity[..., np.newaxis] > 0, mixed, junk), depth)
        found.append(cleaned(layer, matte, opacity))
        hidden = opacity == 0
        np.testing.assert_array_equal(found[-1][hidden], layer[hidden])
    seen = opacity > 0
    for one in found:
        np.testing.assert_array_equal(one[seen], found[0][seen])
        off = np.abs(one.astype(float) - np.array(RED) * scale).max(axis=2) * share(matte) / scale
        assert off[seen & soft(matte)].max() <= 1


def test_a_layer_that_is_partly_transparent_everywhere_is_cleaned_as_well() -> None:
    matte = blob(6)
    mixed = composed(share(matte))
    faint = cleaned(mixed, matte, np.full_like(matte, 40))
    assert shown_error(faint, RED, matte).max() <= 1


@pytest.mark.parametrize("height", [HEIGHT, HEIGHT + 1])
def test_sizes_that_do_not_fit_together_are_refused(height: int) -> None:
    photo = noisy_photo(WIDTH, HEIGHT)
    matte, opacity = noise(WIDTH, height), noise(WIDTH + 1, HEIGHT)
    with pytest.raises(InputError) as caught:
        cleaned(photo, matte, opacity if height == HEIGHT else None)
    assert caught.value.code == "bad-matte"


class CancelledAfter(CancelToken):
    """Cancelled once it was looked at that often, from any thread."""

    def __init__(self, checks: int) -> None:
        super().__init__()
        self._counting = threading.Lock()
        self.left = checks

    def check(self) -> None:
        with self._counting:
            self.left -= 1
            if self.left < 0:
                self.cancel()
        super().check()


def test_it_stops_wherever_it_is() -> None:
    photo, matte = noisy_photo(WIDTH, HEIGHT), noise(WIDTH, HEIGHT)
    whole = CancelledAfter(10_000)
    clean_colours(photo, matte, whole)
    looks = 10_000 - whole.left
    assert looks > 20
    for checks in range(0, looks, 5):
        with pytest.raises(Cancelled):
            clean_colours(photo, matte, CancelledAfter(checks))


@dataclass(frozen=True)
class Case:
    """A layer and its matte, of any kind and size."""

    colours: Samples
    matte: Samples
    opacity: Samples | None


@st.composite
def cases(draw: st.DrawFn) -> Case:
    sides = st.one_of(st.integers(1, 40), st.sampled_from([127, 128, 129, 264]))
    width, height, seed = draw(sides), draw(sides), draw(st.integers(0, 999))
    depths: st.SearchStrategy[Depth] = st.sampled_from([np.uint8, np.uint16])
    rng = np.random.default_rng(seed)
    photo = noisy_photo(width, height, draw(depths), seed)[..., : draw(st.sampled_from([1, 3]))]
    matte = noise(width, height, draw(depths), seed + 1)
    # Mostly hard, as mattes are.
    sure = rng.random((height, width)) >= draw(st.sampled_from([0, 0.1, 1]))
    matte[sure] = np.where(rng.random((height, width)) < 0.5, 0, np.iinfo(matte.dtype).max)[sure]
    if draw(st.booleans()):
        return Case(photo, matte, None)
    opacity = noise(width, height, draw(depths), seed + 2)
    opacity[rng.random((height, width)) < 0.5] = 0
    return Case(photo, matte, opacity)


@QUICK
@given(cases())
def test_every_layer_has_a_result_that_differs_in_the_soft_zone_only(case: Case) -> None:
    found = cleaned(case.colours, case.matte, case.opacity)
    assert (found.shape, found.dtype) == (case.colours.shape, case.colours.dtype)
    changed = (found != case.colours).any(axis=2)
    visible = True if case.opacity is None else case.opacity > 0
    assert not (changed & ~(soft(case.matte) & visible)).any()


@QUICK
@given(cases(), st.integers(0, 999))
def test_hidden_colours_change_no_others(case: Case, seed: int) -> None:
    if case.opacity is None:
        return
    hidden = case.opacity == 0
    other: Samples = case.colours.copy()
    rng = np.random.default_rng(seed)
    other[hidden] = rng.integers(0, 255, (hidden.sum(), other.shape[2]), endpoint=True)
    found = cleaned(case.colours, case.matte, case.opacity)
    again = cleaned(other, case.matte, case.opacity)
    np.testing.assert_array_equal(found[~hidden], again[~hidden])


@QUICK
@given(cases(), st.permutations([0, 1, 2]))
def test_channels_do_not_look_at_each_other(case: Case, order: list[int]) -> None:
    colours: Samples = case.colours.repeat(3 // case.colours.shape[2], axis=2)
    found = cleaned(colours, case.matte, case.opacity)
    turned = cleaned(colours[..., order], case.matte, case.opacity)
    np.testing.assert_array_equal(turned, found[..., order])
