"""What the analysis sees of a photo with a profile, and that the photo itself is not touched."""

import io

import numpy as np
import pytest
from maskwright.imaging.picture import Picture
from maskwright.imaging.png_write import profile_chunk
from maskwright.imaging.read import read_picture
from maskwright.imaging.write import encode_cutout
from PIL import Image, ImageCms
from sample_pictures import (
    Array,
    adobe_rgb_like,
    grey_gamma,
    noise,
    png,
    png_chunks,
    saved,
    srgb,
    swapped_cmyk_profile,
    tiff,
)


def read(data: bytes) -> Picture:
    return read_picture(io.BytesIO(data))


def expected_from_adobe(colour: Array) -> Array:
    """sRGB in 0..1 by the textbook: exponent, primaries' matrix, sRGB curve; clipped."""
    light = (colour / np.iinfo(colour.dtype).max) ** 2.19921875
    to_xyz = np.array(
        [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]
    )
    to_srgb = np.array(
        [[3.24045, -1.53714, -0.49853], [-0.96927, 1.87601, 0.04156], [0.05564, -0.20403, 1.05723]]
    )
    linear = np.clip(light @ (to_srgb @ to_xyz).T, 0, 1)
    curve: Array = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    return curve


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_wide_colours_are_converted_for_the_analysis_only(kind: str, bits: int) -> None:
    samples, icc = noise(40, 30, 3, bits), adobe_rgb_like()
    made = (
        png(samples, profile_chunk(icc))
        if kind == "png"
        else tiff(samples, photometric="rgb", iccprofile=icc)
    )
    picture = read(made)
    np.testing.assert_array_equal(picture.pixels, samples)
    assert picture.icc == icc
    assert picture.photo.rgb.dtype == samples.dtype
    full = np.iinfo(samples.dtype).max
    difference = np.abs(picture.photo.rgb / full - expected_from_adobe(samples))
    assert np.quantile(difference, 0.99) < 0.01
    assert difference.mean() < 0.001
    assert np.abs(picture.photo.rgb.astype(int) - samples).max() > full // 20
    assert picture.warnings == ()


def test_jpeg_with_a_wide_profile() -> None:
    icc = adobe_rgb_like()
    data = saved(noise(32, 32, 3), "JPEG", icc_profile=icc, quality=95)
    picture = read(data)
    original = np.asarray(Image.open(io.BytesIO(data)))
    np.testing.assert_array_equal(picture.pixels, original)
    assert picture.icc == icc
    assert np.abs(picture.photo.rgb / 255 - expected_from_adobe(original)).max() < 0.02


def test_srgb_profile_costs_no_conversion() -> None:
    for bits in (8, 16):
        samples = noise(6, 6, 3, bits)
        picture = read(png(samples, profile_chunk(srgb())))
        assert np.shares_memory(picture.photo.rgb, picture.pixels)
        assert picture.icc == srgb()


@pytest.mark.parametrize("bits", [8, 16])
def test_grey_profile(bits: int) -> None:
    samples, icc = noise(12, 12, 1, bits), grey_gamma(1.0)
    picture = read(png(samples, profile_chunk(icc)))
    np.testing.assert_array_equal(picture.pixels, samples)
    full = np.iinfo(samples.dtype).max
    linear = samples / full
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(picture.photo.rgb / full - curve).max() < 0.03
    assert picture.icc == icc


def test_alpha_is_not_colour_managed() -> None:
    samples = noise(9, 9, 4)
    picture = read(png(samples, profile_chunk(adobe_rgb_like())))
    np.testing.assert_array_equal(picture.photo.alpha, samples[..., 3])
    np.testing.assert_array_equal(picture.pixels, samples[..., :3])


@pytest.mark.parametrize(
    "icc", [b"", b"not a profile" * 20, adobe_rgb_like()[:200], grey_gamma(2.2)]
)
def test_useless_profile_is_left_out_with_a_warning(icc: bytes) -> None:
    samples = noise(6, 6, 3)
    picture = read(png(samples, profile_chunk(icc)))
    assert [warning.code for warning in picture.warnings] == ["bad-profile"]
    assert picture.icc is None
    np.testing.assert_array_equal(picture.photo.rgb, samples)


@pytest.mark.parametrize(
    "chunk", [b"junk", b"name\0\0junk", b"name\0\0" + profile_chunk(srgb())[1][13:60]]
)
def test_damaged_profile_chunk_is_left_out_with_a_warning(chunk: bytes) -> None:
    picture = read(png(noise(4, 4, 3), (b"iCCP", chunk)))
    assert [warning.code for warning in picture.warnings] == ["bad-profile"]


def test_png_of_linear_light_is_seen_as_srgb_and_stays_linear() -> None:
    gamma = (b"gAMA", (100_000).to_bytes(4, "big"))
    samples = np.array([[[0] * 3, [13_933] * 3, [65_535] * 3]], np.uint16)  # 21.26 % of light
    picture = read(png(samples, gamma))
    np.testing.assert_array_equal(picture.pixels, samples)
    seen = picture.photo.rgb[0, :, 0] / 65_535
    assert seen == pytest.approx([0, 0.4985, 1], abs=0.001)
    out = io.BytesIO()
    encode_cutout(picture, np.full((1, 3), 65_535, np.uint16), out)
    assert png_chunks(out.getvalue())[b"gAMA"] == gamma[1]


@pytest.mark.parametrize("other", [(), ((b"sRGB", b"\0"),), ((b"cICP", b"\1\15\0\1"),)])
def test_gamma_of_srgb_or_beside_a_better_chunk_changes_nothing(
    other: tuple[tuple[bytes, bytes], ...],
) -> None:
    gamma = 100_000 if other else 45_455
    picture = read(png(noise(4, 4, 3), *other, (b"gAMA", gamma.to_bytes(4, "big"))))
    assert np.shares_memory(picture.photo.rgb, picture.pixels)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_without_profile(kind: str) -> None:
    ink = np.zeros((16, 64, 4), np.uint8)
    for place, colour in enumerate(
        [(0, 0, 0, 0), (255, 0, 0, 0), (0, 255, 255, 0), (0, 0, 0, 255)]
    ):
        ink[:, place * 16 : place * 16 + 16] = colour
    picture = read(saved(ink, kind, "CMYK"))
    seen = picture.photo.rgb[8, 8::16].astype(int)
    wanted = np.array([[255] * 3, [0, 255, 255], [255, 0, 0], [0] * 3])
    assert np.abs(seen - wanted).max() <= 3
    assert picture.warnings == ()
    assert [warning.code for warning in picture.cutout_warnings] == ["cmyk-converted"]
    assert picture.icc is None
    assert np.shares_memory(picture.pixels, picture.photo.rgb)


@pytest.mark.parametrize("bits", [8, 16])
def test_cmyk_with_a_profile_goes_through_it(bits: int) -> None:
    full = (1 << bits) - 1
    ink = np.zeros((4, 6, 4), np.uint8 if bits == 8 else np.uint16)
    ink[:, 3:, 0] = full
    data = tiff(ink, photometric="separated", iccprofile=swapped_cmyk_profile())
    picture = read(data)
    red, green, blue = (picture.photo.rgb[2, 4] / full).tolist()
    assert red > 0.9
    assert green < 0.2
    assert blue < 0.2
    assert (picture.photo.rgb[2, 1] / full).min() > 0.98
    assert picture.icc is None
    assert picture.warnings == ()


def test_cmyk_jpeg_by_photoshop_is_stored_inverted() -> None:
    profile = swapped_cmyk_profile()
    ink = np.zeros((16, 16, 4), np.uint8)
    ink[..., 0] = 255
    data = saved(ink, "JPEG", "CMYK", icc_profile=profile)
    assert b"Adobe" in data
    red, green, blue = read(data).photo.rgb[8, 8].tolist()
    assert red > 230
    assert max(green, blue) < 60


def test_hand_made_cmyk_profile_is_one() -> None:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(swapped_cmyk_profile()))
    assert profile.profile.xcolor_space == "CMYK"


def test_colour_without_profile_is_srgb_bit_for_bit() -> None:
    samples = noise(5, 5, 3, 16)
    np.testing.assert_array_equal(read(png(samples)).photo.rgb, samples)
