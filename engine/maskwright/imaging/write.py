"""Writing what was made: the cut-out (original colours, matte as alpha) and the matte alone."""

from enum import Enum
from pathlib import PurePath
from typing import BinaryIO, cast

import numpy as np

from maskwright.errors import InputError
from maskwright.imaging.picture import Dpi, Picture, strip_height
from maskwright.imaging.png_write import Chunk, profile_chunk, resolution_chunk, write_png
from maskwright.imaging.tiff_write import write_tiff
from maskwright.matting.photo import Samples

_WEBP_MAX_SIDE = 16_383
_WEBP_EFFORT = 0
_WEBP_METHOD = 0
_CUTOUT_ADVICE = "the cut-out .png, .tif or .webp"
_MATTE_ADVICE = "the mask .png or .tif"


class OutputFormat(Enum):
    """The formats that are written: lossless ones that hold transparency."""

    png = (".png",)
    tiff = (".tif", ".tiff")
    webp = (".webp",)


_NO_ALPHA = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".bmp"})


def cutout_format(path: PurePath) -> OutputFormat:
    """The format a cut-out's name asks for; InputError `no-alpha-in-format`, `unsupported-output`.

    A name without an ending means PNG.
    """
    suffix = path.suffix.lower()
    if suffix in _NO_ALPHA:
        raise InputError(
            "no-alpha-in-format",
            f"{suffix} files hold no transparency; name the cut-out .png, .tif or .webp.",
        )
    return _format(suffix, tuple(OutputFormat), _CUTOUT_ADVICE)


def matte_format(path: PurePath) -> OutputFormat:
    """The format a matte's name asks for: PNG or TIFF; InputError `unsupported-output`."""
    return _format(path.suffix.lower(), (OutputFormat.png, OutputFormat.tiff), _MATTE_ADVICE)


def _format(suffix: str, formats: tuple[OutputFormat, ...], advice: str) -> OutputFormat:
    if not suffix:
        return OutputFormat.png
    for candidate in formats:
        if suffix in candidate.value:
            return candidate
    raise _unwritable(suffix, advice)


def _unwritable(suffix: str, advice: str) -> InputError:
    return InputError("unsupported-output", f"{suffix} files cannot be written; name {advice}.")


def encode_cutout(
    picture: Picture,
    matte: Samples,
    stream: BinaryIO,
    output: OutputFormat = OutputFormat.png,
) -> None:
    """Write the original pixels with `matte` (H x W, the photo's dtype) times their own alpha.

    Fully transparent pixels keep their colours. Profile, resolution and EXIF go along (TIFF: the
    first two). Raises InputError `bad-matte`, `depth-not-in-format`, `too-large-for-format`.
    """
    _require_fitting(picture, matte)
    if output is OutputFormat.webp:
        _write_webp(picture, matte, stream)
        return
    height, width, channels = picture.pixels.shape

    def rows(top: int, bottom: int) -> Samples:
        strip = np.empty((bottom - top, width, channels + 1), matte.dtype)
        strip[..., :-1] = picture.pixels[top:bottom]
        strip[..., -1] = _alpha(picture, matte, top, bottom)
        return strip

    shape, bits = (height, width, channels + 1), matte.itemsize * 8
    if output is OutputFormat.tiff:
        write_tiff(stream, shape, bits, rows, icc=picture.icc, dpi=picture.dpi)
    else:
        write_png(stream, shape, bits, rows, _chunks(picture))


def encode_matte(
    matte: Samples,
    stream: BinaryIO,
    output: OutputFormat = OutputFormat.png,
    *,
    dpi: Dpi | None = None,
) -> None:
    """Write a matte (H x W, uint8 or uint16) as a grey picture of its depth, linear in alpha.

    Raises InputError `unsupported-output` for anything but PNG and TIFF.
    """
    height, width = matte.shape

    def rows(top: int, bottom: int) -> Samples:
        return matte[top:bottom, :, np.newaxis]

    shape, bits = (height, width, 1), matte.itemsize * 8
    if output is OutputFormat.tiff:
        write_tiff(stream, shape, bits, rows, dpi=dpi)
    elif output is OutputFormat.png:
        write_png(stream, shape, bits, rows, [] if dpi is None else [resolution_chunk(dpi)])
    else:
        raise _unwritable(output.value[0], _MATTE_ADVICE)


def multiplied(alpha: Samples, matte: Samples) -> Samples:
    """The product of two alphas of one dtype, in 0..full scale, rounded to nearest exactly.

    With t = a * b + half, (t + (t >> bits)) >> bits is round(a * b / (2 ** bits - 1)) for every
    pair (Blinn, "Three Wrongs Make a Right", 1995); both sums fit into twice the bits.
    """
    bits = 8 * matte.itemsize
    product = np.multiply(alpha, matte, dtype=np.uint16 if bits == 8 else np.uint32)
    product += product.dtype.type(1 << (bits - 1))
    product += product >> bits
    product >>= bits
    return cast(Samples, product.astype(matte.dtype))


def _alpha(picture: Picture, matte: Samples, top: int, bottom: int) -> Samples:
    alpha = picture.photo.alpha
    if alpha is None:
        return matte[top:bottom]
    return multiplied(alpha[top:bottom], matte[top:bottom])


def _require_fitting(picture: Picture, matte: Samples) -> None:
    if matte.shape != picture.pixels.shape[:2] or matte.dtype != picture.pixels.dtype:
        raise InputError("bad-matte", "A cut-out's matte has its photo's size and bit depth.")


def _chunks(picture: Picture) -> list[Chunk]:
    chunks = list(picture.png_colour)
    if picture.icc is not None:
        chunks.append(profile_chunk(picture.icc))
    if picture.dpi is not None:
        chunks.append(resolution_chunk(picture.dpi))
    if picture.exif is not None:
        chunks.append((b"eXIf", picture.exif))
    return chunks


def _write_webp(picture: Picture, matte: Samples, stream: BinaryIO) -> None:
    """Lossless, hidden colours kept. WebP has no grey: a grey photo goes in as sRGB."""
    from PIL import Image

    height, width, channels = picture.pixels.shape
    if matte.dtype != np.uint8:
        raise InputError(
            "depth-not-in-format", "WebP holds 8 bits and the photo has 16; name it .png or .tif."
        )
    if max(width, height) > _WEBP_MAX_SIDE:
        raise InputError(
            "too-large-for-format",
            f"WebP holds {_WEBP_MAX_SIDE} pixels along a side; name the cut-out .png or .tif.",
        )
    grey = channels == 1
    rgba = np.empty((height, width, 4), np.uint8)
    rgba[..., :3] = picture.photo.rgb if grey else picture.pixels
    rows = strip_height(width * 4)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        rgba[top:bottom, :, 3] = _alpha(picture, matte, top, bottom)
    Image.fromarray(rgba).save(
        stream,
        "WEBP",
        lossless=True,
        exact=True,
        quality=_WEBP_EFFORT,
        method=_WEBP_METHOD,
        icc_profile=None if grey else picture.icc,
        exif=picture.exif or b"",
    )
