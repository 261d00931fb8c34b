"""Bytes are flipped, cut and repeated: out comes a picture or one InputError, and soon."""

import io
import logging
import time
import warnings
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maskwright.errors import InputError
from maskwright.imaging.picture import Picture
from maskwright.imaging.png_write import profile_chunk
from maskwright.imaging.read import read_picture
from maskwright.imaging.write import encode_cutout
from PIL import Image
from sample_pictures import (
    adobe_rgb_like,
    exif_block,
    noise,
    png,
    saved,
    swapped_cmyk_profile,
    tiff,
)

SECONDS = 2.0
MAX_PIXELS = 100_000
CODES = {"damaged-photo", "not-a-photo", "too-large", "unsupported-format"}


@cache
def seeds() -> dict[str, bytes]:
    rgb, deep, exif = noise(12, 10, 3), noise(12, 10, 3, 16), b"Exif\0\0" + exif_block(6)
    palette = Image.fromarray(noise(12, 10, 1)[..., 0]).convert("P")
    out = io.BytesIO()
    palette.save(out, "TIFF", compression="tiff_lzw")
    return {
        "jpeg": saved(rgb, "JPEG", exif=exif, icc_profile=adobe_rgb_like()),
        "cmyk-jpeg": saved(
            noise(12, 10, 4), "JPEG", "CMYK", icc_profile=swapped_cmyk_profile(), progressive=True
        ),
        "png": png(noise(12, 10, 4), profile_chunk(adobe_rgb_like()), (b"eXIf", exif_block(3))),
        "deep-png": png(deep, (b"pHYs", bytes(8) + b"\1"), (b"tRNS", bytes(6))),
        "webp": saved(rgb, "WEBP", exif=exif),
        "lossless-webp": saved(noise(12, 10, 4), "WEBP", lossless=True),
        "avif": saved(rgb, "AVIF", exif=exif),
        "bmp": saved(rgb, "BMP"),
        "tiff": tiff(rgb, photometric="rgb", iccprofile=adobe_rgb_like()),
        "deep-tiff": tiff(deep, photometric="rgb", compression="lzw", predictor=True),
        "tiled-tiff": tiff(
            noise(12, 10, 4, 16),
            photometric="rgb",
            extrasamples=("assocalpha",),
            compression="deflate",
            tile=(16, 16),
            byteorder=">",
        ),
        "palette-tiff": out.getvalue(),
        "cmyk-tiff": tiff(noise(12, 10, 4), photometric="separated"),
    }


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """A few bytes changed, the file cut or a piece of it repeated; headers more often."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(0, 6))):
        near = draw(st.booleans())
        at = draw(st.integers(0, min(len(data), 64 if near else len(data)) - 1))
        data[at] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, draw(st.integers(0, 255))]))
    match draw(st.sampled_from(["whole", "cut", "repeat"])):
        case "cut":
            del data[draw(st.integers(0, len(data))) :]
        case "repeat":
            start = draw(st.integers(0, len(data) - 1))
            data[start:start] = data[start : start + draw(st.integers(1, 64))]
    return bytes(data)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Decoders' own remarks are for the log; the command line switches them off, too."""
    logger = logging.getLogger("tifffile")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logger.setLevel(level)


def assert_usable(picture: Picture) -> None:
    height, width = picture.photo.height, picture.photo.width
    assert height * width <= MAX_PIXELS
    assert picture.pixels.shape[:2] == (height, width)
    assert picture.pixels.dtype == picture.photo.rgb.dtype
    matte = np.zeros((height, width), picture.pixels.dtype)
    out = io.BytesIO()
    encode_cutout(picture, matte, out)
    again = read_picture(io.BytesIO(out.getvalue()), max_pixels=MAX_PIXELS)
    np.testing.assert_array_equal(again.pixels, picture.pixels)


def outcome(data: bytes) -> Picture | InputError:
    try:
        return read_picture(io.BytesIO(data), max_pixels=MAX_PIXELS)
    except InputError as error:
        return error


@pytest.mark.parametrize("kind", list(seeds()))
def test_damaged_files_give_a_picture_or_one_error(kind: str) -> None:
    whole = seeds()[kind]

    @settings(max_examples=60)
    @given(damaged(whole))
    def check(data: bytes) -> None:
        start = time.perf_counter()
        result = outcome(data)
        if isinstance(result, Picture):
            assert_usable(result)
        else:
            assert result.code in CODES
            assert str(result).endswith(".")
        assert time.perf_counter() - start < SECONDS

    check()


@pytest.mark.parametrize("kind", list(seeds()))
def test_undamaged_files_are_read(kind: str) -> None:
    picture = read_picture(io.BytesIO(seeds()[kind]), max_pixels=MAX_PIXELS)
    assert sorted((picture.photo.height, picture.photo.width)) == [10, 12]


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    with pytest.raises(InputError) as failure:
        read_picture(io.BytesIO(data), max_pixels=MAX_PIXELS)
    assert failure.value.code in CODES
