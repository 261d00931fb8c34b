"""Every colour mode, depth and container a photo may come in."""

import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from maskwright.errors import InputError
from maskwright.imaging.picture import Picture
from maskwright.imaging.read import read_picture
from PIL import Image
from sample_pictures import Array, noise, png, png_chunk, png_of_rows, saved, tiff


def read(data: bytes) -> Picture:
    return read_picture(io.BytesIO(data))


def planes(samples: Array) -> Array:
    return np.ascontiguousarray(np.moveaxis(samples, 2, 0))


def assert_holds(picture: Picture, samples: Array) -> None:
    """The picture's own numbers, alpha and analysis are exactly `samples`."""
    with_alpha = samples.shape[2] in (2, 4)
    colour = samples[..., :-1] if with_alpha else samples
    assert picture.pixels.dtype == samples.dtype
    np.testing.assert_array_equal(picture.pixels, colour)
    assert picture.photo.rgb.dtype == samples.dtype
    np.testing.assert_array_equal(
        picture.photo.rgb, np.broadcast_to(colour, (*colour.shape[:2], 3))
    )
    if with_alpha:
        assert picture.photo.alpha is not None
        np.testing.assert_array_equal(picture.photo.alpha, samples[..., -1])
    else:
        assert picture.photo.alpha is None
    assert not picture.pixels.flags.writeable


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_keeps_every_sample(channels: int, bits: int) -> None:
    samples = noise(7, 5, channels, bits)
    picture = read(png(samples))
    assert picture.format == "PNG"
    assert_holds(picture, samples)
    assert picture.warnings == picture.cutout_warnings == ()


@pytest.mark.parametrize(
    "options", [{}, {"compression": "lzw", "predictor": True}, {"tile": (16, 16)}]
)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_tiff_keeps_every_sample(
    channels: int, bits: int, order: str, options: dict[str, Any]
) -> None:
    samples = noise(37, 21, channels, bits)
    data = tiff(
        samples[..., 0] if channels == 1 else samples,
        byteorder=order,
        photometric="rgb" if channels >= 3 else "minisblack",
        planarconfig="contig" if channels > 1 else None,
        extrasamples=("unassalpha",) if channels in (2, 4) else None,
        **options,
    )
    assert_holds(read(data), samples)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [3, 4])
def test_tiff_with_separate_planes(channels: int, bits: int) -> None:
    samples = noise(19, 12, channels, bits)
    data = tiff(
        planes(samples),
        photometric="rgb",
        planarconfig="separate",
        extrasamples=("unassalpha",) if channels == 4 else None,
    )
    assert_holds(read(data), samples)


@pytest.mark.parametrize("bits", [8, 16])
def test_tiff_where_zero_is_white(bits: int) -> None:
    samples = noise(9, 8, 1, bits)
    assert_holds(read(tiff(samples[..., 0], photometric="miniswhite")), np.invert(samples))


def test_tiff_with_premultiplied_alpha_is_divided() -> None:
    alpha = np.array([[0, 1, 1000, 65535]], np.uint16)
    colour = np.array([[[0] * 3, [1] * 3, [0, 500, 1000], [7, 8, 9]]], np.uint16)
    samples = np.dstack([colour, alpha])
    picture = read(tiff(samples, photometric="rgb", extrasamples=("assocalpha",)))
    expected = [[[0] * 3, [65535] * 3, [0, 32768, 65535], [7, 8, 9]]]
    np.testing.assert_array_equal(picture.pixels, expected)
    np.testing.assert_array_equal(picture.photo.alpha, alpha)


def test_tiff_channel_that_is_not_alpha_is_left_out() -> None:
    samples = noise(6, 6, 4, 16)
    picture = read(tiff(samples, photometric="rgb", extrasamples=("unspecified",)))
    assert_holds(picture, samples[..., :3])


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PNG"])
@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
def test_plain_files(kind: str, mode: str, channels: int) -> None:
    samples = noise(11, 13, channels)
    picture = read(saved(samples, kind, mode))
    assert picture.format == kind
    assert_holds(picture, samples)


def test_bmp_whose_header_says_where_alpha_is() -> None:
    samples = noise(3, 2, 4)
    masks = struct.pack("<4I", 0xFF, 0xFF00, 0xFF0000, 0xFF000000)
    info = struct.pack("<IiiHHIIiiII", 108, 2, -3, 1, 32, 3, 24, 2835, 2835, 0, 0) + masks
    header = info + bytes(108 - len(info))
    data = b"BM" + struct.pack("<IHHI", 14 + 108 + 24, 0, 0, 14 + 108) + header
    assert_holds(read(data + samples.tobytes()), samples)


@pytest.mark.parametrize("channels", [3, 4])
def test_lossless_webp(channels: int) -> None:
    samples = noise(8, 9, channels)
    data = saved(samples, "WEBP", lossless=True, exact=True)
    assert_holds(read(data), samples)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg_as_its_decoder_gives_it(mode: str) -> None:
    data = saved(noise(24, 31, len(mode)), "JPEG", mode)
    expected = np.asarray(Image.open(io.BytesIO(data)))
    assert_holds(read(data), expected.reshape(24, 31, -1))


@pytest.mark.parametrize("channels", [3, 4])
def test_avif_as_its_decoder_gives_it(channels: int) -> None:
    data = saved(noise(16, 16, channels), "AVIF")
    assert_holds(read(data), np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_black_and_white(kind: str) -> None:
    dots = noise(9, 10, 1)[..., 0] > 127
    out = io.BytesIO()
    Image.fromarray(dots).save(out, kind)
    picture = read(out.getvalue())
    np.testing.assert_array_equal(picture.photo.rgb[..., 1], np.where(dots, 255, 0))
    assert picture.photo.alpha is None


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_palette(kind: str) -> None:
    indices = noise(9, 10, 1)[..., 0]
    palette = noise(1, 256, 3, seed=5)[0]
    image = Image.fromarray(indices).convert("P")
    image.putpalette(palette.tobytes())
    out = io.BytesIO()
    image.save(out, kind)
    assert_holds(read(out.getvalue()), palette[np.asarray(image)])


def test_palette_with_transparency() -> None:
    palette = png_chunk(b"PLTE", bytes([1, 2, 3, 40, 50, 60, 7, 8, 9]))
    alphas = png_chunk(b"tRNS", bytes([0, 128]))
    picture = read(png_of_rows((3, 1), 8, 3, [b"\0\1\2"], palette + alphas))
    assert_holds(picture, np.array([[[1, 2, 3, 0], [40, 50, 60, 128], [7, 8, 9, 255]]], np.uint8))


@pytest.mark.parametrize(
    ("bits", "row", "key", "greys", "alphas"),
    [
        (1, b"\x50", 1, [0, 255, 0, 255], [255, 0, 255, 0]),
        (2, b"\x1b", 1, [0, 85, 170, 255], [255, 0, 255, 255]),
        (4, b"\x01\xef", 14, [0, 17, 238, 255], [255, 255, 0, 255]),
        (8, b"\1\2\3\4", 3, [1, 2, 3, 4], [255, 255, 0, 255]),
        (16, b"\1\0\2\0\3\1\4\0", 0x301, [256, 512, 769, 1024], [65535, 65535, 0, 65535]),
    ],
)
def test_grey_png_with_one_transparent_level(
    bits: int, row: bytes, key: int, greys: list[int], alphas: list[int]
) -> None:
    data = png_of_rows((4, 1), bits, 0, [row], png_chunk(b"tRNS", key.to_bytes(2, "big")))
    kind = np.uint16 if bits == 16 else np.uint8
    assert_holds(read(data), np.dstack([np.array([greys], kind), np.array([alphas], kind)]))


def test_16_bit_png_with_one_transparent_colour() -> None:
    samples = noise(3, 4, 3, 16)
    key = samples[1, 2].astype(">u2").tobytes()
    picture = read(png(samples, (b"tRNS", key)))
    assert picture.photo.alpha is not None
    expected = np.full((3, 4), 65535)
    expected[1, 2] = 0
    np.testing.assert_array_equal(picture.photo.alpha, expected)
    np.testing.assert_array_equal(picture.pixels, samples)


@pytest.mark.parametrize(
    ("make", "dpi"),
    [
        (lambda s: saved(s, "JPEG", dpi=(300, 150)), (300, 150)),
        (lambda s: saved(s, "PNG", dpi=(300, 150)), (300, 150)),
        (lambda s: saved(s, "BMP", dpi=(300, 150)), (300, 150)),
        (lambda s: saved(s, "TIFF", dpi=(300, 150)), (300, 150)),
        (lambda s: tiff(s, photometric="rgb", resolution=(100, 50), resolutionunit=3), (254, 127)),
        (lambda s: tiff(s, photometric="rgb", resolution=(2, 1), resolutionunit=1), None),
        (lambda s: saved(s, "JPEG"), None),
        (lambda s: png(s, (b"pHYs", b"\0\0\0\2\0\0\0\1\0")), None),
        (lambda s: png(s, (b"pHYs", b"\x7f\xff\xff\xff" * 2 + b"\1")), None),
        (lambda s: png(s, (b"pHYs", bytes(8) + b"\1")), None),
        (lambda s: tiff(s, photometric="rgb", resolution=(4e9, 4e9), resolutionunit=2), None),
    ],
)
def test_resolution(make: Callable[[Array], bytes], dpi: tuple[float, float] | None) -> None:
    found = read(make(noise(8, 8, 3))).dpi
    assert found == (None if dpi is None else pytest.approx(dpi, abs=0.05))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "AVIF"])
def test_only_the_first_of_several_frames_is_used(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue", "lime")]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    picture = read(out.getvalue())
    assert [warning.code for warning in picture.warnings] == ["first-frame-only"]
    assert "3 pictures" in picture.warnings[0].message
    red, green, blue = picture.pixels[8, 8]
    assert red > 240
    assert max(green, blue) < 15


def test_analysis_shares_memory_with_the_original() -> None:
    for data in (saved(noise(9, 9, 3), "JPEG"), png(noise(9, 9, 1, 16)), png(noise(9, 9, 4))):
        picture = read(data)
        assert np.shares_memory(picture.photo.rgb, picture.pixels)


@pytest.mark.parametrize(
    ("samples", "options"),
    [
        (noise(4, 4, 3).astype(np.float32), {"photometric": "rgb"}),
        (noise(4, 4, 1)[..., 0].astype(np.float32), {}),
        (noise(4, 4, 3, 16).astype(np.uint32), {"photometric": "rgb"}),
        (noise(4, 4, 1)[..., 0].astype(np.int16), {}),
        (noise(4, 4, 3, 16) >> 4, {"photometric": "rgb", "bitspersample": 12}),
        (noise(4, 4, 3), {"photometric": "rgb", "subfiletype": 1}),
        (noise(4, 4, 3), {"photometric": "cielab"}),
    ],
)
def test_tiffs_that_are_not_read_say_so(samples: Array, options: dict[str, Any]) -> None:
    with pytest.raises(InputError) as failure:
        read(tiff(samples, **options))
    assert failure.value.code == "unsupported-format"


def test_pipe_without_seeking_is_read() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    samples = noise(5, 5, 3, 16)
    pipe = Pipe(png(samples))
    assert_holds(read_picture(pipe), samples)
    assert not pipe.closed


def test_stream_of_the_caller_stays_open() -> None:
    for data in (
        png(noise(5, 5, 3)),
        tiff(noise(5, 5, 3), photometric="rgb"),
        saved(noise(5, 5, 3), "JPEG"),
    ):
        stream = io.BytesIO(data)
        read_picture(stream)
        assert not stream.closed
