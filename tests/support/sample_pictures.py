"""Small picture files made on the spot, and independent readers of what was written."""

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

Array = NDArray[Any]


def noise(height: int, width: int, channels: int, bits: int = 8, seed: int = 1) -> Array:
    """H x W x C samples over the whole range."""
    kind = np.uint8 if bits == 8 else np.uint16
    return np.random.default_rng(seed).integers(0, 1 << bits, (height, width, channels), dtype=kind)


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of_rows(
    size: tuple[int, int], bits: int, colour_type: int, rows: Sequence[bytes], extra: bytes = b""
) -> bytes:
    """An unfiltered PNG of packed rows, `extra` chunks before the pixels."""
    header = struct.pack(">IIBBBBB", *size, bits, colour_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + extra
        + png_chunk(b"IDAT", pixels)
        + png_chunk(b"IEND", b"")
    )


def png(samples: Array, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of H x W x C samples, 8 or 16 bits, with further chunks after its header."""
    plain = bytes(imagecodecs.png_encode(samples[..., 0] if samples.shape[2] == 1 else samples))
    return plain[:33] + b"".join(png_chunk(*chunk) for chunk in chunks) + plain[33:]


def png_chunks(data: bytes) -> dict[bytes, bytes]:
    """The chunks of a PNG, checksums checked; of several with one name the first."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    found: dict[bytes, bytes] = {}
    at = 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert zlib.crc32(name + body) == int.from_bytes(data[at + 8 + length :][:4], "big")
        found.setdefault(name, body)
        at += 12 + length
    assert list(found)[-1] == b"IEND"
    return found


def saved(samples: Array, kind: str, mode: str | None = None, **options: Any) -> bytes:
    """What Pillow writes for 8-bit samples in its format `kind`."""
    flat = samples[..., 0] if samples.shape[2] == 1 else samples
    image = Image.fromarray(np.ascontiguousarray(flat))
    if mode is not None and image.mode != mode:
        raw = np.ascontiguousarray(flat).tobytes()
        image = Image.frombytes(mode, image.size, raw)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def tiff(samples: Array, **options: Any) -> bytes:
    """What tifffile writes, without its own metadata."""
    out = io.BytesIO()
    tifffile.imwrite(out, samples, metadata=None, **options)
    return out.getvalue()


def decoded(data: bytes) -> Array:
    """H x W x C samples of a PNG, TIFF or WebP, at full depth."""
    if data.startswith(b"\x89PNG"):
        samples = imagecodecs.png_decode(data)
    elif data[:4] in (b"II*\0", b"MM\0*"):
        samples = tifffile.imread(io.BytesIO(data))
    else:
        samples = np.asarray(Image.open(io.BytesIO(data)))
    return samples[..., np.newaxis] if samples.ndim == 2 else samples


def adobe_rgb_like() -> bytes:
    """A matrix profile with Adobe RGB's primaries and gamma."""
    return bytes(
        imagecodecs.cms_profile(
            "rgb",
            gamma=2.19921875,
            whitepoint=[0.3127, 0.3290, 1.0],
            primaries=[0.64, 0.33, 1.0, 0.21, 0.71, 1.0, 0.15, 0.06, 1.0],
        )
    )


def grey_gamma(gamma: float) -> bytes:
    """A grey profile of one exponent."""
    return bytes(imagecodecs.cms_profile("gray", gamma=gamma, whitepoint=[0.3127, 0.3290, 1.0]))


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_cmyk_profile() -> bytes:
    """A CMYK input profile whose look-up table says: cyan ink is seen as pure red in Lab.

    Only the corners 0 and 1 of each ink are in its table (ICC.1:2022, 10.10, lut8Type).
    """
    grid = []
    for cyan in (0, 1):
        for _magenta in (0, 1):
            for _yellow in (0, 1):
                for black in (0, 1):
                    light = 0 if black else (136 if cyan else 255)
                    a, b = (208, 195) if cyan and not black else (128, 128)
                    grid.append(bytes([light, a, b]))
    ramp = bytes(range(256))
    identity = b"".join(
        struct.pack(">i", 65536 if row == column else 0) for row in range(3) for column in range(3)
    )
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + ramp * 4 + b"".join(grid) + ramp * 3
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061)
    text = b"text\0\0\0\0none\0\0\0\0"
    label = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = [(b"desc", label), (b"cprt", text), (b"wtpt", white), (b"A2B0", table)]
    at, directory, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags:
        directory += struct.pack(">4sII", name, at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    size = at + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"none", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    header += struct.pack(">iii", 63190, 65536, 54061) + bytes(48)
    return header + struct.pack(">I", len(tags)) + directory + body


def exif_block(orientation: int, *, order: str = "<", thumbnail: bytes = b"") -> bytes:
    """A TIFF-structured EXIF block: maker, orientation, and a thumbnail in the second IFD."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    first = 8
    second = first + 2 + 2 * 12 + 4
    maker_at = second + (2 + 2 * 12 + 4 if thumbnail else 0)
    thumbnail_at = maker_at + 6
    block = mark + struct.pack(order + "I", first) + struct.pack(order + "H", 2)
    block += struct.pack(order + "HHII", 0x010F, 2, 6, maker_at)
    block += struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    block += struct.pack(order + "I", second if thumbnail else 0)
    if thumbnail:
        block += struct.pack(order + "H", 2)
        block += struct.pack(order + "HHII", 0x0201, 4, 1, thumbnail_at)
        block += struct.pack(order + "HHII", 0x0202, 4, 1, len(thumbnail))
        block += struct.pack(order + "I", 0)
    return block + b"Maker\0" + thumbnail
