"""Reading PNG: the chunks are walked here, and only those that make pixels reach the decoder.

Pillow reads 16-bit colours as 8-bit and misses transparency keys below 8 bits, so libpng decodes
(in imagecodecs). Chunk names and layouts: PNG specification, third edition, section 11.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from maskwright.imaging.exif import orientation_of, without_prefix
from maskwright.imaging.picture import Decoded, Dpi, SizeCheck, plausible_dpi
from maskwright.matting.photo import Samples

SIGNATURE = b"\x89PNG\r\n\x1a\n"
METRES_PER_INCH = 0.0254
COLOUR_CHUNKS = (b"cICP", b"sRGB", b"gAMA", b"cHRM")

_PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS")
_USED_CHUNKS = frozenset({*_PIXEL_CHUNKS, b"iCCP", b"pHYs", b"eXIf", b"acTL", *COLOUR_CHUNKS})
_MAX_CHUNK_BYTES = 16 << 20
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}


def decode_png(stream: BinaryIO, check: SizeCheck) -> Decoded:
    """Decode a PNG of any colour type and depth; raises what `imaging.source.decoding` turns."""
    import imagecodecs

    chunks, data = _chunks(stream, check)
    samples = _empty_samples(chunks)
    pixels = [_framed(name, chunks[name]) for name in _PIXEL_CHUNKS if name in chunks]
    file = b"".join([SIGNATURE, *pixels, *data, _framed(b"IEND", b"")])
    data.clear()
    # Without `out`, imagecodecs 2026.3.6 drops a reference to None for each damaged file.
    imagecodecs.png_decode(file, out=samples[..., 0] if samples.shape[2] == 1 else samples)
    with_alpha = samples.shape[2] in (2, 4)
    exif = without_prefix(chunks.get(b"eXIf"))
    return Decoded(
        format="PNG",
        colour=samples[..., :-1] if with_alpha else samples,
        alpha=samples[..., -1] if with_alpha else None,
        orientation=orientation_of(exif),
        icc=_profile(chunks.get(b"iCCP")),
        dpi=_dpi(chunks.get(b"pHYs")),
        exif=exif,
        png_colour=tuple((name, chunks[name]) for name in COLOUR_CHUNKS if name in chunks),
        frames=int.from_bytes(chunks.get(b"acTL", b"\0\0\0\1")[:4], "big"),
    )


def _chunks(stream: BinaryIO, check: SizeCheck) -> tuple[dict[bytes, bytes], list[bytes]]:
    """Chunks that are used, their checksums right, and the framed pixel data for the decoder."""
    stream.seek(len(SIGNATURE))
    chunks: dict[bytes, bytes] = {}
    data: list[bytes] = []
    for name, length in _walk(stream):
        if not chunks:
            if name != b"IHDR" or length != 13:
                raise ValueError("the header is not first")
            body = _exactly(stream, length + 4)
            if not _checksum_fits(name, body):
                raise ValueError("the header is damaged")
            chunks[name] = body[:-4]
            check(*struct.unpack_from(">II", chunks[name]))
        elif name == b"IDAT":
            data.append(struct.pack(">I", length) + name + _exactly(stream, length + 4))
        elif name in _USED_CHUNKS and name not in chunks and length <= _MAX_CHUNK_BYTES:
            body = _exactly(stream, length + 4)
            if _checksum_fits(name, body):
                chunks[name] = body[:-4]
            elif name == b"PLTE":
                raise ValueError("the palette is damaged")
        else:
            stream.seek(length + 4, 1)
    if not chunks:
        raise EOFError("there is no header")
    _drop_impossible_key(chunks)
    return chunks, data


def _walk(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Yield each chunk's name and length; whoever asks moves the stream past its body."""
    while True:
        head = stream.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        yield head[4:], int.from_bytes(head[:4], "big")


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError("a chunk ends early")
    return data


def _checksum_fits(name: bytes, body: bytes) -> bool:
    return zlib.crc32(body[:-4], zlib.crc32(name)) == int.from_bytes(body[-4:], "big")


def _framed(name: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(body, zlib.crc32(name))
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)


def _drop_impossible_key(chunks: dict[bytes, bytes]) -> None:
    """Leave out a transparency chunk that does not fit, as the decoder would after a remark."""
    colours = len(chunks.get(b"PLTE", b"")) // 3
    allowed = {0: range(2, 3), 2: range(6, 7), 3: range(1, colours + 1)}
    colour_type = chunks[b"IHDR"][9]
    if len(chunks.get(b"tRNS", b"")) not in allowed.get(colour_type, range(0)):
        chunks.pop(b"tRNS", None)


def _empty_samples(chunks: dict[bytes, bytes]) -> Samples:
    """What the decoder fills: palettes as colours, a transparency chunk as alpha."""
    width, height, bits, colour_type = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    shape = (height, width, _CHANNELS[colour_type] + (b"tRNS" in chunks))
    return np.zeros(shape, np.uint8) if bits <= 8 else np.zeros(shape, np.uint16)


def _profile(body: bytes | None) -> bytes | None:
    """The profile, not longer than what is used of any chunk; b"" for one that is damaged."""
    if body is None:
        return None
    name_end = body.find(b"\0", 0, 80)
    inflate = zlib.decompressobj()
    try:
        profile = inflate.decompress(body[name_end + 2 :], _MAX_CHUNK_BYTES)
    except zlib.error:
        return b""
    return profile if inflate.eof else b""


def _dpi(body: bytes | None) -> Dpi | None:
    if body is None or len(body) != 9 or body[8] != 1:
        return None
    x, y = struct.unpack_from(">II", body)
    return plausible_dpi(x * METRES_PER_INCH, y * METRES_PER_INCH)
