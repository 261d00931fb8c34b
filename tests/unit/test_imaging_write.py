"""The cut-out keeps every original number; the matte is what it was; both are plain files."""

import io
from pathlib import PurePath

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maskwright.errors import InputError
from maskwright.imaging.picture import Picture
from maskwright.imaging.png_write import profile_chunk, write_png
from maskwright.imaging.read import read_picture
from maskwright.imaging.write import (
    OutputFormat,
    cutout_format,
    encode_cutout,
    encode_matte,
    matte_format,
    multiplied,
)
from PIL import Image
from sample_pictures import (
    Array,
    adobe_rgb_like,
    decoded,
    exif_block,
    grey_gamma,
    noise,
    png,
    png_chunks,
    saved,
    tiff,
)

DEEP = (OutputFormat.png, OutputFormat.tiff)


def read(data: bytes) -> Picture:
    return read_picture(io.BytesIO(data))


def cutout(picture: Picture, matte: Array, output: OutputFormat = OutputFormat.png) -> bytes:
    out = io.BytesIO()
    encode_cutout(picture, matte, out, output)
    return out.getvalue()


@pytest.mark.parametrize("output", list(OutputFormat))
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_colours_are_the_original_ones(channels: int, bits: int, output: OutputFormat) -> None:
    if output is OutputFormat.webp and bits == 16:
        return
    samples, matte = noise(70, 45, channels, bits), noise(70, 45, 1, bits, seed=2)[..., 0]
    matte[:20] = 0  # hidden colours are kept as well
    written = decoded(cutout(read(png(samples)), matte, output))
    assert written.dtype == samples.dtype
    colour = samples[..., :-1] if channels in (2, 4) else samples
    if output is OutputFormat.webp:
        colour = np.broadcast_to(colour, (70, 45, 3))
    np.testing.assert_array_equal(written[..., :-1], colour)
    if channels in (1, 3):
        np.testing.assert_array_equal(written[..., -1], matte)


@pytest.mark.parametrize("output", list(OutputFormat))
def test_own_transparency_is_multiplied_in(output: OutputFormat) -> None:
    samples, matte = noise(40, 30, 4), noise(40, 30, 1, seed=2)[..., 0]
    written = decoded(cutout(read(png(samples)), matte, output))
    exact = samples[..., 3].astype(float) * matte / 255
    np.testing.assert_array_equal(written[..., 3], np.floor(exact + 0.5))


def test_product_of_alphas_is_rounded_exactly_for_every_pair_of_8_bits() -> None:
    a, b = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    exact = (2 * a.astype(np.int64) * b + 255) // 510
    np.testing.assert_array_equal(multiplied(a, b), exact)


@given(st.integers(0, 65_535), st.integers(0, 65_535))
def test_product_of_alphas_is_rounded_exactly_in_16_bits(a: int, b: int) -> None:
    row = np.arange(0, 65_536, 257, dtype=np.uint16)
    left = np.append(row, np.uint16(a))
    right = np.full(left.shape, b, np.uint16)
    exact = (2 * left.astype(np.int64) * b + 65_535) // 131_070
    np.testing.assert_array_equal(multiplied(left, right), exact)


def test_opaque_and_empty_are_neutral_and_nothing() -> None:
    for kind, full in ((np.uint8, 255), (np.uint16, 65_535)):
        values: Array = np.arange(full + 1).astype(kind)
        np.testing.assert_array_equal(multiplied(values, np.full_like(values, full)), values)
        assert not multiplied(values, np.zeros_like(values)).any()


@pytest.mark.parametrize("output", list(OutputFormat))
def test_profile_goes_along(output: OutputFormat) -> None:
    icc, samples = adobe_rgb_like(), noise(6, 7, 3)
    written = cutout(
        read(saved(samples, "TIFF", icc_profile=icc)), np.full((6, 7), 9, np.uint8), output
    )
    assert Image.open(io.BytesIO(written)).info["icc_profile"] == icc
    np.testing.assert_array_equal(decoded(written)[..., :3], samples)


def test_grey_photo_with_a_profile_is_converted_for_webp_alone() -> None:
    samples, matte = noise(6, 6, 1), np.full((6, 6), 255, np.uint8)
    picture = read(png(samples, profile_chunk(grey_gamma(1.0))))
    written = cutout(picture, matte, OutputFormat.webp)
    np.testing.assert_array_equal(decoded(written)[..., :3], picture.photo.rgb)
    assert "icc_profile" not in Image.open(io.BytesIO(written)).info
    np.testing.assert_array_equal(decoded(cutout(picture, matte))[..., :1], samples)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("output", DEEP)
def test_resolution_goes_along(output: OutputFormat, bits: int) -> None:
    samples = noise(5, 6, 3, bits)
    picture = read(tiff(samples, photometric="rgb", resolution=(300, 150), resolutionunit=2))
    matte = np.full((5, 6), 7, samples.dtype)
    for written in (cutout(picture, matte, output), encoded(matte, output, picture.dpi)):
        assert Image.open(io.BytesIO(written)).info["dpi"] == pytest.approx((300, 150), abs=0.02)


def test_png_to_png_keeps_what_its_chunks_say_to_the_byte() -> None:
    chunks = {
        b"cICP": b"\x09\x10\0\1",
        b"gAMA": (45_455).to_bytes(4, "big"),
        b"cHRM": bytes(range(32)),
        b"pHYs": b"\0\0\x2e\x23\0\0\x17\x12\1",
        b"eXIf": exif_block(1),
    }
    picture = read(png(noise(5, 6, 3, 16), *chunks.items()))
    found = png_chunks(cutout(picture, np.full((5, 6), 65_535, np.uint16)))
    assert {name: found[name] for name in chunks} == chunks


def test_cmyk_photo_becomes_srgb_in_the_cutout() -> None:
    picture = read(saved(noise(16, 16, 4), "JPEG", "CMYK"))
    matte = noise(16, 16, 1)[..., 0]
    written = decoded(cutout(picture, matte))
    np.testing.assert_array_equal(written[..., :3], picture.photo.rgb)
    np.testing.assert_array_equal(written[..., 3], matte)


@pytest.mark.parametrize("size", [(1, 1), (1, 32_767), (32_767, 1), (300, 1_500)])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("output", DEEP)
def test_any_shape(output: OutputFormat, bits: int, size: tuple[int, int]) -> None:
    samples, matte = noise(*size, 3, bits), noise(*size, 1, bits, seed=3)[..., 0]
    written = decoded(cutout(read(tiff(samples, photometric="rgb")), matte, output))
    np.testing.assert_array_equal(written, np.dstack([samples, matte]))


def encoded(matte: Array, output: OutputFormat, dpi: tuple[float, float] | None = None) -> bytes:
    out = io.BytesIO()
    encode_matte(matte, out, output, dpi=dpi)
    return out.getvalue()


@pytest.mark.parametrize("output", DEEP)
@pytest.mark.parametrize("bits", [8, 16])
def test_matte_alone(bits: int, output: OutputFormat) -> None:
    matte = noise(33, 44, 1, bits)[..., 0]
    written = encoded(matte, output)
    samples = decoded(written)
    assert samples.dtype == matte.dtype
    np.testing.assert_array_equal(samples[..., 0], matte)
    image = Image.open(io.BytesIO(written))
    assert image.mode == ("L" if bits == 8 else "I;16")
    assert "icc_profile" not in image.info
    assert "dpi" not in image.info or output is OutputFormat.tiff


def test_matte_that_is_a_view_is_written_as_it_looks() -> None:
    matte = noise(12, 20, 1, 16)[..., 0].T[::-1, ::2]
    np.testing.assert_array_equal(decoded(encoded(matte, OutputFormat.png))[..., 0], matte)
    np.testing.assert_array_equal(decoded(encoded(matte, OutputFormat.tiff))[..., 0], matte)


@pytest.mark.parametrize("output", DEEP)
def test_a_pipe_need_not_seek(output: OutputFormat) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise io.UnsupportedOperation

    pipe = Pipe()
    matte = noise(9, 9, 1)[..., 0]
    encode_matte(matte, pipe, output)
    np.testing.assert_array_equal(decoded(pipe.getvalue())[..., 0], matte)


def test_pillow_and_libpng_agree_on_what_was_written() -> None:
    samples, matte = noise(40, 50, 3), noise(40, 50, 1, seed=2)[..., 0]
    written = cutout(read(png(samples)), matte)
    np.testing.assert_array_equal(
        np.asarray(Image.open(io.BytesIO(written))), imagecodecs.png_decode(written)
    )


def test_same_input_gives_the_same_bytes() -> None:
    picture, matte = read(png(noise(30, 30, 3))), noise(30, 30, 1)[..., 0]
    for output in OutputFormat:
        assert cutout(picture, matte, output) == cutout(picture, matte, output)


@pytest.mark.parametrize(
    "matte", [noise(5, 4, 1)[..., 0], noise(4, 5, 1, 16)[..., 0], noise(4, 4, 1)[..., 0]]
)
def test_matte_of_another_photo_is_refused(matte: Array) -> None:
    with pytest.raises(InputError) as failure:
        cutout(read(png(noise(4, 5, 3))), matte)
    assert failure.value.code == "bad-matte"


def test_16_bits_do_not_fit_webp() -> None:
    picture = read(png(noise(4, 5, 3, 16)))
    with pytest.raises(InputError) as failure:
        cutout(picture, noise(4, 5, 1, 16)[..., 0], OutputFormat.webp)
    assert failure.value.code == "depth-not-in-format"


def test_long_sides_do_not_fit_webp() -> None:
    picture = read(png(noise(1, 16_384, 3)))
    with pytest.raises(InputError) as failure:
        cutout(picture, noise(1, 16_384, 1)[..., 0], OutputFormat.webp)
    assert failure.value.code == "too-large-for-format"


def test_mask_is_not_written_as_webp() -> None:
    with pytest.raises(InputError) as failure:
        encoded(noise(4, 4, 1)[..., 0], OutputFormat.webp)
    assert failure.value.code == "unsupported-output"


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("a.png", OutputFormat.png),
        ("a.PNG", OutputFormat.png),
        ("a", OutputFormat.png),
        ("a.b.tif", OutputFormat.tiff),
        ("a.TIFF", OutputFormat.tiff),
        ("a.webp", OutputFormat.webp),
    ],
)
def test_ending_chooses_the_format(name: str, output: OutputFormat) -> None:
    assert cutout_format(PurePath(name)) is output
    if output is not OutputFormat.webp:
        assert matte_format(PurePath(name)) is output


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a.jpg", "no-alpha-in-format"),
        ("a.JPEG", "no-alpha-in-format"),
        ("a.bmp", "no-alpha-in-format"),
        ("a.avif", "unsupported-output"),
        ("a.xcf", "unsupported-output"),
    ],
)
def test_endings_that_hold_no_cutout(name: str, code: str) -> None:
    with pytest.raises(InputError) as failure:
        cutout_format(PurePath(name))
    assert failure.value.code == code


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.bmp"])
def test_endings_that_hold_no_mask(name: str) -> None:
    with pytest.raises(InputError) as failure:
        matte_format(PurePath(name))
    assert failure.value.code == "unsupported-output"


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    channels=st.integers(1, 4),
    bits=st.sampled_from([8, 16]),
    seed=st.integers(0, 9),
)
def test_png_writer_for_any_small_picture(
    height: int, width: int, channels: int, bits: int, seed: int
) -> None:
    samples = noise(height, width, channels, bits, seed)
    out = io.BytesIO()
    write_png(out, samples.shape, bits, lambda top, bottom: samples[top:bottom])
    np.testing.assert_array_equal(decoded(out.getvalue()), samples)
