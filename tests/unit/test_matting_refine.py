"""From a prediction to the photo's size."""

from itertools import pairwise
from math import sqrt

import numpy as np
import pytest
from maskwright.cancel import CancelToken
from maskwright.errors import Cancelled
from maskwright.matting.geometry import Box, resize_plane
from maskwright.matting.guided import guided_coefficients
from maskwright.matting.photo import Photo, Samples
from maskwright.matting.prediction import Prediction, shown
from maskwright.matting.refine import CELLS, REACH, refine, sharpness_at
from maskwright.matting.sides import Sides, find_sides, sharpened
from maskwright.matting.tiles import TILE_HEIGHT, TILE_WIDTH
from true_mattes import (
    RED,
    TEAL,
    Depth,
    Plane,
    composed,
    disc,
    full_range,
    noise,
    noisy_photo,
    small_prediction,
    widened,
)

SIZES = [(1, 1), (1, 57), (57, 1), (3, 5000), (5000, 3), (97, 131), (64, 48), (700, 300)]
DEPTHS = [np.uint8, np.uint16]


def predicted(photo: Photo, values: Plane, levels: tuple[float, float] = (0, 1)) -> Prediction:
    rows, columns = values.shape
    return Prediction(values, shown(photo, columns, rows), levels)


def refined(photo: Photo, values: Plane, levels: tuple[float, float] = (0, 1)) -> Samples:
    return refine(photo, predicted(photo, values, levels), CancelToken())


def untiled(photo: Photo, prediction: Prediction) -> Plane:
    """The matte in one piece, 0..255 and before rounding, for a prediction that is enlarged."""
    rows, columns = prediction.values.shape
    colours = np.ascontiguousarray(photo.rgb.transpose(2, 0, 1), np.float32) / np.float32(255)
    fit = guided_coefficients(prediction.pixels, prediction.levelled)

    def model(guide: Plane) -> Plane:
        _, high, wide = guide.shape
        slopes = np.stack([resize_plane(slope, wide, high) for slope in fit.slope])
        return np.asarray((slopes * guide).sum(axis=0) + resize_plane(fit.offset, wide, high))

    width, height = round(CELLS * columns), round(CELLS * rows)
    cells = np.stack([resize_plane(channel, width, height) for channel in colours])
    sharpness = sharpness_at(sqrt(photo.width * photo.height / (rows * columns)))
    near = find_sides(cells, model(cells), round(REACH * CELLS), sharpness)
    size = (photo.width, photo.height)
    sides = Sides(
        np.stack([resize_plane(slope, *size) for slope in near.slope]),
        *(resize_plane(plane, *size) for plane in (near.offset, near.trust, near.edge)),
    )
    return 255 * sharpened(model(colours), colours, sides, sharpness.blur)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_matte_has_the_photos_size_and_depth(size: tuple[int, int], depth: Depth) -> None:
    photo = Photo(noisy_photo(*size, depth))
    values = np.random.default_rng(1).random((48, 64), np.float32)
    matte = refined(photo, values)
    assert matte.shape == (photo.height, photo.width)
    assert matte.dtype == depth


@pytest.mark.parametrize("size", [(1, 1), (57, 131), (600, 300)])
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("levels", [(0.0, 1.0), (0.0, 0.97), (0.05, 0.9)])
def test_sure_is_exactly_nothing_or_everything(
    size: tuple[int, int], depth: Depth, levels: tuple[float, float]
) -> None:
    photo = Photo(noisy_photo(*size, depth))
    for value, expected in [(levels[0], 0), (0, 0), (levels[1], np.iinfo(depth).max)]:
        matte = refined(photo, np.full((40, 40), value, np.float32), levels)
        assert (matte == expected).all()


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("levels", [(0.0, 1.0), (0.0, 0.97), (0.1, 0.9)])
def test_a_flat_prediction_stays_what_it_is(depth: Depth, levels: tuple[float, float]) -> None:
    value = (0.3 - levels[0]) / (levels[1] - levels[0])
    full = int(np.iinfo(depth).max)
    matte = refined(Photo(noisy_photo(90, 70, depth)), np.full((40, 40), 0.3, np.float32), levels)
    assert np.abs(matte.astype(float) - value * full).max() <= 0.51 * (full / 255) ** 0.1
    assert matte.min() == matte.max()


@pytest.mark.parametrize(("value", "expected"), [(0.008, 2), (0.992, 253)])
def test_nearly_sure_is_not_sure(value: float, expected: int) -> None:
    matte = refined(Photo(noisy_photo(90, 70)), np.full((40, 40), value, np.float32))
    assert (matte == expected).all()


def test_faint_predictions_are_not_amplified() -> None:
    values = np.random.default_rng(2).uniform(0.0, 0.02, (40, 40)).astype(np.float32)
    assert refined(Photo(noisy_photo(160, 120)), values).max() < 16


def test_16_bits_have_more_levels_and_agree_with_8() -> None:
    alpha = disc(400, 300, 90)
    narrow = composed(alpha)
    values = small_prediction(narrow, alpha, 64, 48).values
    eight = refined(Photo(narrow), values)
    sixteen = refined(Photo(widened(narrow)), values)
    assert np.unique(sixteen).size > 256
    assert np.abs(sixteen / 257 - eight).max() <= 0.51


def test_16_bits_carry_more_than_8() -> None:
    ramp = np.linspace(0, 65_535, 4000)[np.newaxis, :, np.newaxis]
    rgb = np.broadcast_to(ramp, (20, 4000, 3)).astype(np.uint16)
    values = np.linspace(0, 1, 80, dtype=np.float32)[np.newaxis].repeat(10, axis=0)
    matte = refined(Photo(rgb), values)
    middle = matte[10, 200:-200].astype(int)
    assert np.unique(middle).size > 3000
    assert all(after >= before for before, after in pairwise(middle))


@pytest.mark.parametrize("size", [(2 * TILE_WIDTH + 77, TILE_HEIGHT + 91), (TILE_WIDTH + 1, 700)])
def test_tiles_leave_no_seam(size: tuple[int, int]) -> None:
    photo = Photo(noisy_photo(*size))
    values = disc(90, 60, 25) + np.random.default_rng(3).random((60, 90), np.float32) * 0.2
    prediction = predicted(photo, np.clip(values, 0, 1))
    matte = refine(photo, prediction, CancelToken())
    assert np.abs(matte - untiled(photo, prediction)).max() <= 0.6


def test_tiles_that_are_sure_are_what_they_would_have_been() -> None:
    width, height = 2 * TILE_WIDTH, 3 * TILE_HEIGHT
    alpha = disc(width, height, 100, (TILE_WIDTH + 9, TILE_HEIGHT - 3))
    photo = Photo(composed(alpha))
    prediction = small_prediction(composed(alpha), alpha, 64, 48, (0.0, 0.97))
    matte = refine(photo, prediction, CancelToken())
    assert np.abs(matte - untiled(photo, prediction)).max() <= 0.6
    assert (matte[2 * TILE_HEIGHT :] == 0).all()


def test_threads_change_nothing() -> None:
    photo = Photo(noisy_photo(1300, 900))
    prediction = predicted(photo, np.random.default_rng(4).random((60, 90), np.float32))
    first = refine(photo, prediction, CancelToken())
    for _ in range(3):
        np.testing.assert_array_equal(refine(photo, prediction, CancelToken()), first)


@pytest.mark.parametrize(("subject", "ground"), [(RED, TEAL), ((60,) * 3, (140,) * 3)])
def test_an_edge_moves_to_where_the_photo_has_it(
    subject: tuple[int, int, int], ground: tuple[int, int, int]
) -> None:
    alpha = disc(900, 700, 230)
    rng = np.random.default_rng(5)
    photo = np.clip(composed(alpha, subject, ground) + rng.normal(0, 2, (700, 900, 3)), 0, 255)
    pixels = photo.astype(np.uint8)
    prediction = small_prediction(pixels, alpha, 64, 64)
    error = np.abs(refine(Photo(pixels), prediction, CancelToken()) / 255 - alpha).mean()
    bilinear = np.abs(resize_plane(prediction.values, 900, 700) - alpha).mean()
    assert error < 0.5 * bilinear


def test_an_edge_in_the_wrong_place_is_drawn_to_the_right_one() -> None:
    alpha = disc(900, 700, 230)
    pixels = composed(alpha)
    beside = disc(900, 700, 230, (450 + 9, 350))
    values = small_prediction(pixels, beside, 64, 64).values
    error = np.abs(refined(Photo(pixels), values) / 255 - alpha).mean()
    assert error < 0.7 * np.abs(resize_plane(values, 900, 700) - alpha).mean()


@pytest.mark.parametrize("depth", DEPTHS)
def test_where_the_photo_is_flat_only_blur_is_taken_away(depth: Depth) -> None:
    values = np.random.default_rng(8).random((48, 64), np.float32)
    full = int(np.iinfo(depth).max)
    matte = refined(Photo(full_range(np.full((480, 640, 3), full // 3), depth)), values)
    plain = resize_plane(values, 640, 480)
    blur = sharpness_at(10).blur
    narrow = np.clip((plain - blur) / (1 - 2 * blur), 0, 1)
    least, most = np.minimum(plain, narrow) * full, np.maximum(plain, narrow) * full
    assert (matte >= least - 0.51 - 1e-5 * full).all()
    assert (matte <= most + 0.51 + 1e-5 * full).all()


@pytest.mark.parametrize("size", [(1, 1), (20, 15), (7, 200), (200, 7), (63, 64)])
def test_a_photo_smaller_than_the_prediction(size: tuple[int, int]) -> None:
    width, height = size
    alpha = disc(width, height, 0.3 * min(size))
    pixels = composed(alpha)
    prediction = small_prediction(pixels, alpha, 64, 64)
    matte = refine(Photo(pixels), prediction, CancelToken())
    assert matte.shape == (height, width)
    assert np.abs(matte / 255 - alpha).mean() < 0.5 / 255


def test_an_edge_is_sharper_than_what_was_fitted_to_a_coarse_prediction() -> None:
    alpha = disc(900, 700, 230)
    rng = np.random.default_rng(5)
    pixels = np.clip(composed(alpha) + rng.normal(0, 4, (700, 900, 3)), 0, 255).astype(np.uint8)
    prediction = small_prediction(pixels, alpha, 64, 64)
    fit = guided_coefficients(prediction.pixels, prediction.levelled)
    slopes = np.stack([resize_plane(slope, 900, 700) for slope in fit.slope], axis=2)
    fitted = np.clip((slopes * pixels / 255).sum(axis=2) + resize_plane(fit.offset, 900, 700), 0, 1)
    error = np.abs(refine(Photo(pixels), prediction, CancelToken()) / 255 - alpha).mean()
    assert error < 0.5 * np.abs(fitted - alpha).mean()


def test_far_from_an_edge_colours_change_nothing() -> None:
    photo = Photo(noisy_photo(900, 700))
    matte = refined(photo, disc(90, 70, 23)) / 255
    distance = disc(900, 700, 230 + 90) - disc(900, 700, 230 - 90)
    assert (matte[distance == 0] == (disc(900, 700, 230)[distance == 0] > 0.5)).all()


def test_a_veil_stays_a_veil() -> None:
    photo = Photo(noisy_photo(900, 700))
    matte = refined(photo, 0.4 * disc(90, 70, 23)) / 255
    inside = disc(900, 700, 230 - 90) == 1
    assert np.abs(matte[inside] - 0.4).max() < 0.005


@pytest.mark.parametrize(("scale", "blur"), [(0.3, 0), (0.7, 0), (1.2, 0.05), (40, 0.05)])
def test_only_a_network_that_is_coarse_for_the_photo_is_blurred(scale: float, blur: float) -> None:
    assert sharpness_at(scale).blur == pytest.approx(blur)
    assert sharpness_at(0.95).blur == pytest.approx(0.025)
    assert sharpness_at(0.5).doubt > sharpness_at(0.95).doubt > sharpness_at(2).doubt


@pytest.mark.parametrize("depth", DEPTHS)
def test_colours_of_fully_transparent_pixels_draw_nothing(depth: Depth) -> None:
    full = np.iinfo(depth).max
    alpha = disc(300, 200, 70)
    rgb: Samples = composed(alpha) if depth is np.uint8 else widened(composed(alpha))
    opacity = full_range(np.rint(disc(300, 200, 90, (180, 100)) * full), depth)
    hidden = opacity == 0
    values = small_prediction(composed(alpha), alpha, 48, 32).values
    mattes = []
    for junk in (0, full, noisy_photo(300, 200, depth)[hidden]):
        photo = rgb.copy()
        photo[hidden] = junk
        mattes.append(refined(Photo(photo, opacity), values))
    np.testing.assert_array_equal(mattes[0], mattes[1])
    np.testing.assert_array_equal(mattes[0], mattes[2])


@pytest.mark.parametrize("depth", DEPTHS)
def test_an_opaque_alpha_changes_nothing(depth: Depth) -> None:
    rgb = noisy_photo(300, 200, depth)
    values = np.random.default_rng(6).random((32, 48), np.float32)
    opaque = Photo(rgb, full_range(np.full((200, 300), np.iinfo(depth).max), depth))
    difference = refined(opaque, values).astype(int) - refined(Photo(rgb), values)
    assert np.abs(difference).max() <= 1


def test_transparency_is_not_multiplied_into_the_matte() -> None:
    alpha = np.tile(np.array([0, 100, 255], np.uint8), (60, 20))
    photo = Photo(noisy_photo(60, 60), alpha)
    assert (refined(photo, np.ones((20, 20), np.float32)) == 255).all()
    assert (refined(photo, np.full((20, 20), 0.6, np.float32)) == 153).all()


def test_neither_the_photo_nor_the_prediction_is_changed() -> None:
    photo = Photo(noisy_photo(90, 80), noise(90, 80, seed=1))
    prediction = predicted(photo, np.random.default_rng(7).random((100, 50), np.float32))
    before = [photo.rgb.copy(), prediction.values.copy(), prediction.pixels.copy()]
    refine(photo, prediction, CancelToken())
    for array, copy in zip((photo.rgb, prediction.values, prediction.pixels), before, strict=True):
        np.testing.assert_array_equal(array, copy)


class CancelledAfter(CancelToken):
    """Cancelled by somebody else after so many checks."""

    def __init__(self, checks: int) -> None:
        super().__init__()
        self.checks = checks

    def check(self) -> None:
        self.checks -= 1
        if self.checks < 0:
            self.cancel()
        super().check()


def test_cancelling_stops_between_tiles() -> None:
    photo = Photo(np.zeros((10 * TILE_HEIGHT, 10 * TILE_WIDTH, 3), np.uint8))
    prediction = predicted(photo, np.full((10, 10), 0.5, np.float32))
    cancel = CancelledAfter(20)
    with pytest.raises(Cancelled):
        refine(photo, prediction, cancel)
    assert cancel.checks < 0


def test_tiles_tell_how_far_it_has_come() -> None:
    photo = Photo(noisy_photo(3 * TILE_WIDTH + 1, 2 * TILE_HEIGHT))
    told: list[float] = []
    prediction = predicted(photo, disc(64, 48, 20))
    with_progress = refine(photo, prediction, CancelToken(), told.append)
    assert told == [number / 8 for number in range(1, 9)]
    np.testing.assert_array_equal(with_progress, refine(photo, prediction, CancelToken()))


def test_what_something_else_covers_may_be_left_out() -> None:
    photo = Photo(noisy_photo(1600, 900))
    prediction = predicted(photo, disc(64, 48, 22))
    inside = Box(300, 100, 1400, 800)
    whole = refine(photo, prediction, CancelToken())
    part = refine(photo, prediction, CancelToken(), covered=inside)
    seen = np.ones(whole.shape, bool)
    seen[inside.slices] = False
    np.testing.assert_array_equal(part[seen], whole[seen])
    assert (part[TILE_HEIGHT : 2 * TILE_HEIGHT, TILE_WIDTH : 2 * TILE_WIDTH] == 0).all()
    assert whole[TILE_HEIGHT : 2 * TILE_HEIGHT, TILE_WIDTH : 2 * TILE_WIDTH].any()
