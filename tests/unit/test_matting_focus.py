"""The second look at a small subject: when, where, and how it is put back."""

import numpy as np
import pytest
from maskwright.matting.focus import (
    LARGEST_SUBJECT,
    LARGEST_WINDOW,
    LEAST_DETAIL,
    MARGIN,
    agrees,
    blend,
    covered,
    crop,
    focus_window,
)
from maskwright.matting.geometry import Box
from maskwright.matting.photo import Photo, Samples
from maskwright.matting.prediction import Prediction
from maskwright.matting.tiles import TILE_HEIGHT, TILE_WIDTH
from true_mattes import Depth, full_range, noise

SIDE = 100  # the prediction's
WIDE, HIGH = 2000, 1000


def seen(*boxes: Box, value: float = 1.0, levels: tuple[float, float] = (0, 1)) -> Prediction:
    """A prediction of SIDE x SIDE with subjects in these boxes."""
    values = np.zeros((SIDE, SIDE), np.float32)
    for box in boxes:
        values[box.slices] = value
    return Prediction(values, np.zeros((SIDE, SIDE, 3), np.uint8), levels)


def window_of(*boxes: Box, width: int = WIDE, height: int = HIGH) -> Box | None:
    return focus_window(seen(*boxes), width, height)


def test_a_small_subject_gets_a_window_with_margin() -> None:
    assert MARGIN == 0.4
    window = window_of(Box(40, 50, 60, 60))
    # 20 x 10 of 100 x 100: 400 x 100 photo pixels, and 0.4 of that on every side.
    assert window == Box(800 - 160, 500 - 40, 1200 + 160, 600 + 40)


def test_the_window_ends_at_the_frame() -> None:
    assert window_of(Box(0, 80, 20, 100)) == Box(0, 720, 560, 1000)
    assert window_of(Box(90, 0, 100, 30)) == Box(1720, 0, 2000, 420)


def test_the_window_holds_every_part_of_the_subject() -> None:
    window = window_of(Box(30, 30, 35, 35), Box(55, 60, 60, 62))
    assert window is not None
    assert window.left < 600
    assert window.top < 300
    assert window.right > 1200
    assert window.bottom > 620


def test_only_what_is_more_likely_subject_than_not_counts() -> None:
    faint = focus_window(seen(Box(40, 40, 60, 60), value=0.5), WIDE, HIGH)
    assert faint is None
    assert focus_window(seen(Box(40, 40, 60, 60), value=0.51), WIDE, HIGH) is not None
    assert focus_window(seen(Box(40, 40, 60, 60), value=0.5, levels=(0, 0.9)), WIDE, HIGH)


def test_nothing_gets_no_window() -> None:
    assert window_of() is None


def test_a_subject_that_is_large_in_the_frame_gets_no_window() -> None:
    assert LARGEST_SUBJECT == 0.4
    # In a corner a window has no margin on two sides: it is the subject that decides here.
    assert window_of(Box(0, 0, 64, 64)) is None
    assert window_of(Box(0, 0, 39, 100)) is not None
    assert window_of(Box(0, 0, 41, 100)) is None


def test_a_window_that_is_nearly_the_frame_is_not_worth_a_run() -> None:
    assert LARGEST_WINDOW == 0.7
    # 50 x 50 in the middle: the window is 90 x 90, 0.81 of the frame.
    assert window_of(Box(25, 25, 75, 75)) is None
    # 46 x 46: 0.685 of the frame.
    assert window_of(Box(27, 27, 73, 73)) is not None


def test_a_window_of_few_pixels_is_not_worth_a_run() -> None:
    assert LEAST_DETAIL == 0.5
    subject = Box(40, 40, 60, 60)  # its window: 36 x 36 of 100 x 100
    assert window_of(subject, width=130, height=130) is None  # 48 x 48 pixels
    assert window_of(subject, width=142, height=142) is not None
    assert window_of(subject, width=1, height=1) is None


@pytest.mark.parametrize("size", [(141, 143), (151, 5003), (4999, 160), (32_767, 200)])
def test_a_window_lies_in_the_photo_and_can_be_cropped(size: tuple[int, int]) -> None:
    width, height = size
    for left in range(0, SIDE, 9):
        for top in range(0, SIDE, 11):
            window = window_of(Box(left, top, left + 9, top + 21), width=width, height=height)
            if window is not None:
                assert 0 <= window.left < window.right <= width
                assert 0 <= window.top < window.bottom <= height


def test_a_crop_shares_the_photos_pixels() -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (40, 50, 3), np.uint8)
    window = Box(10, 5, 30, 25)
    part = crop(Photo(rgb, rgb[..., 0]), window)
    assert part.alpha is not None
    assert np.shares_memory(part.rgb, rgb)
    np.testing.assert_array_equal(part.rgb, rgb[5:25, 10:30])
    np.testing.assert_array_equal(part.alpha, rgb[5:25, 10:30, 0])
    assert crop(Photo(rgb), window).alpha is None


INNER = Box(500, 300, 900, 700)
ACROSS = Box(20, 20, 60, 100)  # runs out at the bottom, 40 of 100 wide


def test_a_subject_inside_the_window_is_accepted() -> None:
    assert agrees(seen(Box(20, 20, 80, 80)), INNER, WIDE, HIGH)


def test_a_second_look_that_finds_nothing_is_refused() -> None:
    assert not agrees(seen(), INNER, WIDE, HIGH)
    assert not agrees(seen(Box(20, 20, 80, 80), value=0.5), INNER, WIDE, HIGH)


@pytest.mark.parametrize("turns", range(4))
def test_a_subject_that_leaves_the_window_is_refused(turns: int) -> None:
    cut = seen(ACROSS)
    turned = Prediction(np.rot90(cut.values, turns), cut.pixels, cut.levels)
    assert not agrees(turned, INNER, WIDE, HIGH)


def test_a_subject_may_touch_the_windows_side() -> None:
    assert agrees(seen(Box(20, 20, 30, 100)), INNER, WIDE, HIGH)
    assert not agrees(seen(Box(20, 20, 31, 100)), INNER, WIDE, HIGH)


def test_a_subject_may_leave_the_frame_itself() -> None:
    at_bottom = Box(500, 600, 900, HIGH)
    assert agrees(seen(ACROSS), at_bottom, WIDE, HIGH)
    assert not agrees(seen(ACROSS), at_bottom, WIDE, HIGH + 1)


DEPTHS = [np.uint8, np.uint16]


def blended(
    old: int, new: int, window: Box, depth: Depth = np.uint8, size: tuple[int, int] = (300, 200)
) -> Samples:
    width, height = size
    matte = full_range(np.full((height, width), old), depth)
    blend(matte, full_range(np.full((window.height, window.width), new), depth), window)
    return matte


@pytest.mark.parametrize("depth", DEPTHS)
def test_inside_the_window_it_is_the_closer_matte(depth: Depth) -> None:
    matte = noise(1300, 700, depth, seed=2)
    before = matte.copy()
    window = Box(50, 40, 1250, 640)
    closer = noise(1200, 600, depth, seed=3)
    blend(matte, closer, window)
    feather = int(0.08 * 600)
    inside = slice(feather, -feather)
    np.testing.assert_array_equal(matte[window.slices][inside, inside], closer[inside, inside])
    outside = np.ones(matte.shape, bool)
    outside[window.slices] = False
    np.testing.assert_array_equal(matte[outside], before[outside])


@pytest.mark.parametrize("depth", DEPTHS)
def test_where_both_agree_nothing_changes(depth: Depth) -> None:
    matte = noise(600, 400, depth, seed=4)
    before = matte.copy()
    window = Box(31, 17, 571, 383)
    blend(matte, before[window.slices].copy(), window)
    np.testing.assert_array_equal(matte, before)


def test_it_fades_evenly_towards_the_window() -> None:
    matte = blended(0, 200, Box(100, 50, 200, 150))
    line = matte[100, 100:200].astype(int)
    feather = 8  # 0.08 of 100
    ramp = np.rint(200 * (np.arange(feather) + 0.5) / feather)
    np.testing.assert_array_equal(line[:feather], ramp)
    np.testing.assert_array_equal(line[-feather:], ramp[::-1])
    assert (line[feather:-feather] == 200).all()
    np.testing.assert_array_equal(matte[50:150, 150], line)
    steps = np.abs(np.diff(matte.astype(int)[:, 90:210], axis=1))
    assert steps.max() <= 200 / feather + 1


@pytest.mark.parametrize(
    ("window", "sides"),
    [
        (Box(0, 50, 100, 150), "left"),
        (Box(200, 50, 300, 150), "right"),
        (Box(100, 0, 200, 100), "top"),
        (Box(100, 100, 200, 200), "bottom"),
        (Box(0, 0, 300, 200), "left right top bottom"),
    ],
)
def test_sides_of_the_frame_do_not_fade(window: Box, sides: str) -> None:
    part = blended(0, 200, window)[window.slices]
    ends = {"left": part[:, 0], "right": part[:, -1], "top": part[0], "bottom": part[-1]}
    for side, line in ends.items():
        assert (line[line.size // 2] == 200) == (side in sides.split())


@pytest.mark.parametrize("window", [Box(5, 5, 6, 6), Box(5, 5, 6, 150), Box(5, 5, 8, 7)])
def test_a_window_of_few_pixels_is_blended_too(window: Box) -> None:
    matte = blended(10, 200, window)
    assert (matte >= 10).all()
    assert (matte <= 200).all()
    assert matte[window.slices].max() > 10


def test_tiles_leave_no_seam() -> None:
    window = Box(10, 10, 10 + 2 * TILE_WIDTH + 60, 10 + 2 * TILE_HEIGHT + 60)
    matte = blended(0, 255, window, size=(window.right + 10, window.bottom + 10)).astype(int)
    assert np.abs(np.diff(matte, axis=0)).max() <= 10
    assert np.abs(np.diff(matte, axis=1)).max() <= 10
    np.testing.assert_array_equal(matte, matte[::-1, ::-1])


@pytest.mark.parametrize(
    "window", [Box(100, 50, 200, 150), Box(0, 0, 150, 200), Box(0, 0, 300, 200), Box(5, 5, 8, 7)]
)
def test_what_is_covered_does_not_depend_on_the_first_look(window: Box) -> None:
    inside = covered(window, 300, 200)
    assert inside.is_within(window)
    first, second = (blended(old, 90, window).astype(int) for old in (0, 200))
    same = np.zeros(first.shape, bool)
    same[window.top : window.bottom, window.left : window.right] = True
    same &= first == second
    expected = np.zeros_like(same)
    expected[inside.top : max(inside.top, inside.bottom), inside.left : inside.right] = True
    np.testing.assert_array_equal(same, expected)
