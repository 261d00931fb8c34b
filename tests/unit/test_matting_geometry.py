"""Boxes, input sizes and resizing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from looking_networks import contract_of
from maskwright.matting.geometry import (
    Box,
    Enlarged,
    content_box,
    input_size,
    resize_plane,
    shrink,
)
from maskwright.models.contract import Resize, SizeRule
from numpy.typing import NDArray
from PIL import Image

QUICK = settings(max_examples=60)
SIDES = st.integers(1, 32_767)


def scene(width: int, height: int, channels: int = 3) -> NDArray[np.uint8]:
    """Waves without noise, finer to the right."""
    x = np.linspace(0, 1, width)[np.newaxis, :, np.newaxis]
    y = np.linspace(0, 1, height)[:, np.newaxis, np.newaxis]
    phase = np.arange(channels)
    waves = np.sin(40 * x * x + phase) * np.cos(25 * y + phase)
    return (127.5 + 120 * waves).astype(np.uint8)


def plain_lanczos(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


def test_a_box_knows_its_sides_and_what_it_takes_out() -> None:
    box = Box(2, 1, 5, 3)
    assert (box.width, box.height) == (3, 2)
    grid = np.arange(24).reshape(4, 6)
    np.testing.assert_array_equal(grid[box.slices], [[8, 9, 10], [14, 15, 16]])


@pytest.mark.parametrize(
    ("rule", "photo", "expected"),
    [
        (SizeRule.fixed, (4000, 3000), (320, 320)),
        (SizeRule.fixed, (1, 1), (320, 320)),
        (SizeRule.multiple, (3000, 4000), (320, 320)),
        (SizeRule.short_side, (4000, 2000), (640, 320)),
        (SizeRule.short_side, (2000, 4000), (320, 640)),
        (SizeRule.short_side, (1000, 990), (320, 320)),
        (SizeRule.short_side, (1500, 1000), (480, 320)),
        (SizeRule.short_side, (32_767, 1), (1280, 320)),
        (SizeRule.long_side, (4000, 2000), (320, 160)),
        (SizeRule.long_side, (2000, 4000), (160, 320)),
        (SizeRule.long_side, (3, 5000), (32, 320)),
        (SizeRule.long_side, (10, 10), (320, 320)),
    ],
)
def test_the_input_size_follows_the_rule(
    rule: SizeRule, photo: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert input_size(contract_of(320, rule, multiple=32), *photo) == expected


@QUICK
@given(SIDES, SIDES, st.sampled_from(SizeRule), st.sampled_from([1, 4, 14, 32]))
def test_every_input_size_is_allowed_and_bounded(
    width: int, height: int, rule: SizeRule, multiple: int
) -> None:
    size = 14 * 32
    sides = input_size(contract_of(size, rule, multiple=multiple), width, height)
    assert all(side % multiple == 0 and multiple <= side <= 4 * size for side in sides)
    assert size in sides


def test_stretching_fills_the_input() -> None:
    assert content_box(contract_of(64), (4000, 10), (64, 64)) == Box(0, 0, 64, 64)


@pytest.mark.parametrize(
    ("photo", "expected"),
    [
        ((4000, 2000), Box(0, 16, 64, 48)),
        ((2000, 4000), Box(16, 0, 48, 64)),
        ((10, 10), Box(0, 0, 64, 64)),
        ((5000, 3), Box(0, 31, 64, 32)),
        ((64, 63), Box(0, 0, 64, 63)),
    ],
)
def test_a_letterbox_keeps_the_shape_and_is_centred(photo: tuple[int, int], expected: Box) -> None:
    contract = contract_of(64, resize=Resize.letterbox)
    assert content_box(contract, photo, (64, 64)) == expected


@QUICK
@given(SIDES, SIDES, st.integers(1, 2000), st.integers(1, 2000))
def test_a_letterbox_lies_in_the_input_and_touches_two_sides(
    width: int, height: int, columns: int, rows: int
) -> None:
    contract = contract_of(64, resize=Resize.letterbox)
    box = content_box(contract, (width, height), (columns, rows))
    assert 0 <= box.left < box.right <= columns
    assert 0 <= box.top < box.bottom <= rows
    assert box.width == columns or box.height == rows
    assert abs(box.left - (columns - box.right)) <= 1
    assert abs(box.top - (rows - box.bottom)) <= 1


@pytest.mark.parametrize(
    "size",
    [(1281, 1283), (2567, 1921), (4001, 2999), (2560, 2560), (700, 3000), (3000, 700), (300, 200)],
)
def test_shrinking_looks_like_plain_lanczos(size: tuple[int, int]) -> None:
    pixels = scene(*size)
    difference = np.abs(shrink(pixels, 320, 320).astype(int) - plain_lanczos(pixels, 320, 320))
    assert difference.max() <= 3
    assert difference.mean() < 0.5


def test_shrinking_in_bands_is_shrinking_at_once() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (1601, 1337, 3), np.uint8)
    reduced = Image.fromarray(pixels).reduce((4, 3))
    box = (0.0, 0.0, 1337 / 4, 1601 / 3)
    expected = reduced.resize((200, 330), Image.Resampling.LANCZOS, box=box)
    # Pillow may take the axes of a band in another order, which rounds differently.
    difference = np.abs(shrink(pixels, 200, 330).astype(int) - np.asarray(expected))
    assert difference.max() <= 2


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (3, 5000), (13, 7), (50, 2000)])
def test_any_size_is_brought_to_any_other(size: tuple[int, int]) -> None:
    grey = np.full((size[1], size[0], 3), 77, np.uint8)
    for width, height in [(1, 1), (64, 64), (5, 300)]:
        small = shrink(grey, width, height)
        assert small.shape == (height, width, 3)
        assert (small == 77).all()


def test_a_window_into_a_photo_shrinks_like_its_copy() -> None:
    pixels = scene(1500, 1400)
    window = pixels[101:1301, 203:1403]
    np.testing.assert_array_equal(shrink(window, 100, 90), shrink(window.copy(), 100, 90))


@pytest.mark.parametrize("size", [(300, 200), (1500, 1400)])
def test_shrinking_weighs_colours_by_their_alpha(size: tuple[int, int]) -> None:
    pixels = scene(*size, channels=4)
    pixels[..., 3] = np.where(pixels[..., 3] > 127, 255, 0)
    junk = pixels.copy()
    junk[pixels[..., 3] == 0, :3] = (255, 0, 255)
    np.testing.assert_array_equal(shrink(pixels, 64, 64), shrink(junk, 64, 64))


@pytest.mark.parametrize("size", [(1, 1), (5, 9), (100, 3)])
def test_resizing_keeps_a_flat_plane_flat(size: tuple[int, int]) -> None:
    flat = np.full((7, 11), 0.3, np.float32)
    resized = resize_plane(flat, *size)
    assert resized.shape == (size[1], size[0])
    np.testing.assert_allclose(resized, 0.3, atol=1e-6)


def test_resizing_to_the_same_size_changes_nothing() -> None:
    plane = np.random.default_rng(2).random((9, 12), np.float32)
    np.testing.assert_array_equal(resize_plane(plane, 12, 9), plane)


def test_enlarging_a_slope_is_linear_between_the_outer_pixels() -> None:
    slope = np.arange(8, dtype=np.float32)[np.newaxis].repeat(3, axis=0)
    enlarged = resize_plane(slope, 80, 30)
    centres = (np.arange(80) + 0.5) / 10 - 0.5
    np.testing.assert_allclose(
        enlarged, np.clip(centres, 0, 7)[np.newaxis].repeat(30, 0), atol=1e-5
    )


PARTS = st.tuples(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.lists(st.floats(0, 1), min_size=4, max_size=4),
    st.integers(0, 99),
)


def part_of(places: list[float], width: int, height: int) -> Box:
    left, right = sorted(int(place * (width - 1)) for place in places[:2])
    top, bottom = sorted(int(place * (height - 1)) for place in places[2:])
    return Box(left, top, right + 1, bottom + 1)


@QUICK
@given(PARTS)
def test_a_part_is_cut_out_of_the_whole(
    case: tuple[tuple[int, int], tuple[int, int], list[float], int],
) -> None:
    (rows, columns), (more_rows, more_columns), places, seed = case
    width, height = columns + more_columns, rows + more_rows
    plane = np.random.default_rng(seed).random((rows, columns), np.float32)
    part = part_of(places, width, height)
    whole = resize_plane(plane, width, height)
    cut_out = Enlarged(plane, width, height).part(part)
    assert cut_out.flags.writeable
    np.testing.assert_allclose(cut_out, whole[part.slices], atol=1e-4)


@QUICK
@given(PARTS)
def test_a_part_comes_from_its_source_alone(
    case: tuple[tuple[int, int], tuple[int, int], list[float], int],
) -> None:
    (rows, columns), (more_rows, more_columns), places, seed = case
    width, height = columns + more_columns, rows + more_rows
    plane = np.random.default_rng(seed).random((rows, columns), np.float32)
    part = part_of(places, width, height)
    source = Enlarged(plane, width, height).source(part)
    elsewhere = np.full_like(plane, 1e6)
    elsewhere[source] = plane[source]
    np.testing.assert_allclose(
        Enlarged(elsewhere, width, height).part(part),
        Enlarged(plane, width, height).part(part),
        atol=1e-4,
    )
