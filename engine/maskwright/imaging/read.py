"""From a file or a stream to a picture: limits first, then pixels, upright and understood."""

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from maskwright.imaging.colour import CMYK_CONVERTED, analysed
from maskwright.imaging.exif import turned, upright
from maskwright.imaging.picture import (
    DEFAULT_MAX_PIXELS,
    Decoded,
    Picture,
    PictureWarning,
    SizeCheck,
    size_check,
)
from maskwright.imaging.pillow_read import decode_by_pillow
from maskwright.imaging.png_read import decode_png
from maskwright.imaging.signature import HEAD_BYTES, FileKind, file_kind
from maskwright.imaging.source import decoding, open_source
from maskwright.imaging.tiff_read import decode_tiff
from maskwright.matting.photo import Photo, Samples

_BYTES_PER_PIXEL = 8
_SPARE_BYTES = 64 << 20


def read_picture(source: Path | BinaryIO, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Picture:
    """Read a photo from a file, or from a binary stream such as standard input.

    `max_pixels` is checked before anything is decoded and never exceeds HARD_MAX_PIXELS. Raises
    InputError: `not-found`, `no-permission`, `not-a-file`, `cannot-read`, `not-a-photo`,
    `unsupported-format`, `damaged-photo`, `too-large`.
    """
    max_bytes = max_pixels * _BYTES_PER_PIXEL + _SPARE_BYTES
    with open_source(source, max_bytes) as (stream, name), decoding(name):
        kind = file_kind(stream.read(HEAD_BYTES), name)
        stream.seek(0)
        return _picture(_decoded(stream, kind, size_check(name, max_pixels), name))


def _decoded(stream: BinaryIO, kind: FileKind, check: SizeCheck, name: str) -> Decoded:
    if kind is FileKind.png:
        return decode_png(stream, check)
    if kind is FileKind.tiff:
        return decode_tiff(stream, check, name)
    return decode_by_pillow(stream, kind, check, name)


def _picture(stored: Decoded) -> Picture:
    decoded = _turned(stored)
    seen = analysed(decoded)
    is_cmyk = decoded.colour.shape[2] == 4
    pixels = seen.rgb if is_cmyk else decoded.colour
    for samples in (pixels, seen.rgb, decoded.alpha):
        if samples is not None:
            samples.flags.writeable = False
    return Picture(
        format=decoded.format,
        photo=Photo(seen.rgb, decoded.alpha),
        pixels=pixels,
        icc=None if is_cmyk else seen.icc,
        dpi=decoded.dpi,
        exif=upright(decoded.exif),
        png_colour=decoded.png_colour if decoded.icc is None else (),
        warnings=seen.warnings + _frame_warnings(decoded),
        cutout_warnings=(CMYK_CONVERTED,) if is_cmyk else (),
    )


def _frame_warnings(decoded: Decoded) -> tuple[PictureWarning, ...]:
    if decoded.frames <= 1:
        return ()
    sentence = f"The file holds {decoded.frames} pictures; only the first is used."
    return (PictureWarning("first-frame-only", sentence),)


def _turned(decoded: Decoded) -> Decoded:
    if decoded.orientation == 1:
        return decoded
    dpi = decoded.dpi
    return replace(
        decoded,
        colour=_upright(decoded.colour, decoded.orientation),
        alpha=None if decoded.alpha is None else _upright(decoded.alpha, decoded.orientation),
        orientation=1,
        dpi=(dpi[1], dpi[0]) if dpi and decoded.orientation >= 5 else dpi,
    )


def _upright(samples: Samples, orientation: int) -> Samples:
    return turned(samples, orientation).copy()
