"""Soft pixels are found, taken out and put back, byte by byte, in any layout of Krita's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maskwright_krita import colours

LAYOUTS = [(4, 1), (8, 2), (2, 1), (16, 4), (5, 1), (20, 4)]
"""Bytes of a pixel, and of its alpha."""

masks = st.lists(st.sampled_from([0, 0, 255, 255, 1, 77, 254]), min_size=1, max_size=60).map(bytes)


def pixels(number: int, pixel_bytes: int, seed: int) -> bytes:
    return np.random.default_rng(seed).bytes(number * pixel_bytes)


@given(masks, st.sampled_from(LAYOUTS))
def test_what_was_picked_can_be_put_back(mask: bytes, layout: tuple[int, int]):
    size, _ = layout
    samples, other = (pixels(len(mask), size, seed) for seed in (1, 2))
    soft = np.array([0 < value < 255 for value in mask])
    shaped = np.frombuffer(samples, np.uint8).reshape(-1, size)
    others = np.frombuffer(other, np.uint8).reshape(-1, size)
    assert colours.picked(samples, mask, size) == shaped[soft].tobytes()
    found = colours.put_back(samples, mask, colours.picked(other, mask, size), size)
    assert found == np.where(soft[:, None], others, shaped).tobytes()


@given(masks)
@settings(max_examples=30)
def test_a_large_mask_is_searched_in_parts(mask: bytes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(colours, "STRIP_PIXELS", 7)
        found = [pixel for run in colours.soft_runs(mask) for pixel in range(*run)]
    assert found == [at for at, value in enumerate(mask) if 0 < value < 255]


@pytest.mark.parametrize("sample_bytes", [1, 2])
def test_the_order_of_channels_is_changed_and_back(sample_bytes: int):
    samples = pixels(9, 4 * sample_bytes, 3)
    channels = np.frombuffer(samples, f"u{sample_bytes}").reshape(-1, 4)
    swapped = colours.swapped(samples, sample_bytes)
    assert swapped == channels[:, [2, 1, 0, 3]].tobytes()
    assert colours.swapped(swapped, sample_bytes) == samples


@pytest.mark.parametrize(("size", "alpha"), LAYOUTS)
def test_alpha_stays_the_layers_own(size: int, alpha: int):
    cleaned, own = (pixels(11, size, seed) for seed in (4, 5))
    found = colours.with_alpha_of(cleaned, own, size, alpha)
    expected = np.frombuffer(cleaned, np.uint8).reshape(-1, size).copy()
    expected[:, size - alpha :] = np.frombuffer(own, np.uint8).reshape(-1, size)[:, size - alpha :]
    assert found == expected.tobytes()


@pytest.mark.parametrize(("width", "height"), [(6000, 4000), (1, 1), (5_000_000, 3), (7, 999_999)])
def test_strips_cover_every_row_once_and_none_is_large(width: int, height: int):
    found = list(colours.strips(width, height, 1_000_000))
    assert [row for rows in found for row in rows] == list(range(height))
    assert all(len(rows) * width <= max(1_000_000, width) for rows in found)
