"""Which way is up, and what goes along of a photo's EXIF."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from maskwright.imaging.exif import orientation_of, upright, without_prefix
from maskwright.imaging.picture import Picture
from maskwright.imaging.read import read_picture
from maskwright.imaging.write import OutputFormat, encode_cutout
from PIL import Image, ImageOps
from sample_pictures import Array, exif_block, noise, png, png_chunks, saved, tiff

ORIENTATIONS = range(1, 9)
CORNERS = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40


def read(data: bytes) -> Picture:
    return read_picture(io.BytesIO(data))


def upright_by_pillow(samples: Array, orientation: int) -> Array:
    image = Image.fromarray(samples)
    exif = image.getexif()
    exif[0x0112] = orientation
    return np.asarray(ImageOps.exif_transpose(image))


def makers() -> dict[str, Callable[[Array, int], bytes]]:
    prefix = b"Exif\0\0"
    return {
        "png": lambda s, o: png(s, (b"eXIf", exif_block(o))),
        "big-endian": lambda s, o: png(s, (b"eXIf", exif_block(o, order=">"))),
        "webp": lambda s, o: saved(s, "WEBP", lossless=True, exif=prefix + exif_block(o)),
        "tiff": lambda s, o: tiff(s, photometric="rgb", extratags=[(274, 3, 1, o, True)]),
        "tiff-16": lambda s, o: tiff(
            s.astype(np.uint16) * 257, photometric="rgb", extratags=[(274, 3, 1, o, True)]
        ),
    }


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("kind", list(makers()))
def test_every_orientation_is_applied_to_analysis_and_original(kind: str, orientation: int) -> None:
    samples = noise(6, 9, 3)
    picture = read(makers()[kind](samples, orientation))
    expected: Array = upright_by_pillow(samples, orientation).astype(picture.pixels.dtype)
    if picture.pixels.dtype == np.uint16:
        expected *= np.uint16(257)
    np.testing.assert_array_equal(picture.pixels, expected)
    np.testing.assert_array_equal(picture.photo.rgb, expected)
    assert picture.pixels.flags.c_contiguous


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("kind", ["JPEG", "AVIF"])
def test_every_orientation_of_lossy_files(kind: str, orientation: int) -> None:
    samples = np.kron(CORNERS, np.ones((16, 16), np.uint8))
    data = saved(np.dstack([samples] * 3), kind, exif=b"Exif\0\0" + exif_block(orientation))
    picture = read(data)
    expected = upright_by_pillow(samples, orientation)
    assert picture.photo.rgb.shape[:2] == expected.shape
    assert np.abs(picture.photo.rgb[8::16, 8::16, 1].astype(int) - expected[8::16, 8::16]).max() < 6


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_every_orientation_of_a_palette_tiff(orientation: int) -> None:
    image = Image.fromarray(noise(6, 9, 1)[..., 0]).convert("P")
    image.putpalette(noise(1, 256, 3)[0].tobytes())
    out = io.BytesIO()
    image.save(out, "TIFF", tiffinfo={274: orientation})
    expected = upright_by_pillow(np.asarray(image.convert("RGB")), orientation)
    np.testing.assert_array_equal(read(out.getvalue()).pixels, expected)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_alpha_turns_with_the_colours(orientation: int) -> None:
    samples = noise(4, 7, 4)
    picture = read(png(samples, (b"eXIf", exif_block(orientation))))
    expected = upright_by_pillow(samples, orientation)
    np.testing.assert_array_equal(picture.photo.alpha, expected[..., 3])
    np.testing.assert_array_equal(picture.pixels, expected[..., :3])


def test_resolution_turns_too() -> None:
    exif = b"Exif\0\0" + exif_block(6)
    picture = read(saved(noise(8, 8, 3), "JPEG", dpi=(300, 150), exif=exif))
    assert picture.dpi == pytest.approx((150, 300))


@pytest.mark.parametrize("order", ["<", ">"])
def test_kept_block_is_upright_and_otherwise_unchanged(order: str) -> None:
    block = exif_block(8, order=order)
    kept = upright(block)
    assert kept is not None
    assert orientation_of(kept) == 1
    assert sum(a != b for a, b in zip(kept, block, strict=True)) == 1
    exif = Image.Exif()
    exif.load(kept)
    assert exif[0x010F] == "Maker"


def test_thumbnail_of_the_uncut_photo_is_removed() -> None:
    thumbnail = b"\xff\xd8 the whole picture \xff\xd9"
    kept = upright(exif_block(1, thumbnail=thumbnail))
    assert kept is not None
    assert b"whole picture" not in kept
    exif = Image.Exif()
    exif.load(kept)
    assert exif.get_ifd(1) == {}
    assert exif[0x010F] == "Maker"


@pytest.mark.parametrize("output", [OutputFormat.png, OutputFormat.webp])
def test_exif_goes_into_the_cutout(output: OutputFormat) -> None:
    exif = b"Exif\0\0" + exif_block(6, thumbnail=b"\xff\xd8\xff\xd9")
    picture = read(saved(noise(16, 24, 3), "JPEG", exif=exif))
    out = io.BytesIO()
    encode_cutout(picture, np.full((24, 16), 255, np.uint8), out, output)
    again = Image.open(out)
    assert again.size == (16, 24)
    assert again.getexif()[0x0112] == 1
    assert again.getexif()[0x010F] == "Maker"


def test_what_a_tiff_says_of_itself_goes_into_the_cutout() -> None:
    described = Image.Exif()
    described[271] = "Maker"
    described[274] = 3
    described.get_ifd(0x8769)[0x9003] = "2026:01:02 03:04:05"
    described.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    Image.new("RGB", (5, 4)).save(out, "TIFF", exif=described.tobytes())
    picture = read(out.getvalue())
    cutout = io.BytesIO()
    encode_cutout(picture, np.full((4, 5), 255, np.uint8), cutout)
    exif = Image.Exif()
    exif.load(png_chunks(cutout.getvalue())[b"eXIf"])
    assert set(exif) <= {271, 0x8769, 0x8825}
    assert exif[271] == "Maker"
    assert exif.get_ifd(0x8769)[0x9003] == "2026:01:02 03:04:05"
    assert exif.get_ifd(0x8825)[1] == "N"


def test_plain_tiff_has_nothing_to_say() -> None:
    assert read(tiff(noise(4, 4, 3), photometric="rgb")).exif is None


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_impossible_orientation_is_upright(value: int) -> None:
    assert orientation_of(exif_block(value)) == 1


@pytest.mark.parametrize("length", [0, 1, 4, 7, 9, 12, 20, 30])
def test_damaged_block_is_dropped_and_the_photo_read(length: int) -> None:
    block = exif_block(6)[:length]
    picture = read(png(noise(4, 6, 3), (b"eXIf", block)))
    assert picture.exif is None
    assert picture.pixels.shape == (4, 6, 3)


def test_prefix_is_optional() -> None:
    assert without_prefix(b"Exif\0\0II*\0") == without_prefix(b"II*\0") == b"II*\0"
    assert without_prefix(b"Exif\0\0") is without_prefix(b"") is without_prefix(None) is None
