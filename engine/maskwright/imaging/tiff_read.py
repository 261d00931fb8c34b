"""Reading TIFF: grey, RGB and CMYK of 8 and 16 bits by tifffile, the rest by Pillow.

Tag numbers: TIFF 6.0 and TIFF/EP.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np

from maskwright.imaging.exif import without_prefix
from maskwright.imaging.picture import (
    Decoded,
    Dpi,
    SizeCheck,
    full_scale,
    plausible_dpi,
    strip_height,
)
from maskwright.imaging.pillow_read import decode_by_pillow
from maskwright.imaging.signature import FileKind, unsupported
from maskwright.imaging.tiff_exif import descriptive_exif
from maskwright.matting.photo import Samples

if TYPE_CHECKING:
    from tifffile import TiffPage

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _SEPARATED = 0, 1, 2, 5
_CHANNELS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _SEPARATED: 4}
_UNSIGNED, _FLOAT = 1, 3
_ASSOCIATED, _UNASSOCIATED = 1, 2
_REDUCED = 1
_LARGE_TILE = 1 << 24  # pixels
# none, LZW, deflate (two numbers), PackBits, LZMA, Zstandard: what holds pixels as they are
_PLAIN_COMPRESSIONS = frozenset({1, 5, 8, 32946, 32773, 34925, 50000})
_NEW_SUBFILE_TYPE, _DNG_VERSION, _ORIENTATION, _ICC = 254, 50706, 274, 34675
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296
_PER_INCH = {2: 1.0, 3: 2.54}


def decode_tiff(stream: BinaryIO, check: SizeCheck, name: str) -> Decoded:
    """Decode the first page of a TIFF; raises what `imaging.source.decoding` turns.

    Raises InputError `unsupported-format` for floating point, for depths other than 1 to 8 and
    16 bits, and for a camera's raw file, whose first page is a small preview.
    """
    from tifffile import TiffFile

    with TiffFile(stream) as file:
        page = file.pages.first
        check(page.imagewidth, page.imagelength)
        if _tag(page, _NEW_SUBFILE_TYPE, 0) & _REDUCED or _DNG_VERSION in page.tags:
            raise unsupported(name, "a camera's raw file")
        if page.sampleformat == _FLOAT or page.bitspersample > 16:
            raise unsupported(name, f"a TIFF of {page.bitspersample} bits a sample")
        if _is_plain(page):
            return replace(
                _decode_page(page, len(file.pages), name),
                exif=without_prefix(descriptive_exif(stream)),
            )
        if page.bitspersample > 8:
            raise unsupported(name, f"a TIFF of {page.bitspersample} bits a sample")
        dpi = _dpi(page)
    stream.seek(0)
    decoded = decode_by_pillow(stream, FileKind.tiff, check, name)
    return replace(decoded, dpi=decoded.dpi or dpi, exif=without_prefix(descriptive_exif(stream)))


def _is_plain(page: "TiffPage") -> bool:
    return (
        page.bitspersample in (8, 16)
        and page.photometric in _CHANNELS
        and page.compression in _PLAIN_COMPRESSIONS
    )


def _decode_page(page: "TiffPage", pages: int, name: str) -> Decoded:
    if page.sampleformat != _UNSIGNED or page.imagedepth != 1:
        raise unsupported(name, "a TIFF of signed numbers or of a volume")
    _require_all_data(page)
    samples = _chunky(page)
    channels = _CHANNELS[page.photometric]
    colour: Samples = samples[..., :channels]
    if colour.shape[2] != channels:
        raise ValueError("channels are missing")
    if page.photometric == _WHITE_IS_ZERO:
        colour = np.invert(colour)
    alpha: Samples | None = None
    extra = page.extrasamples[0] if page.extrasamples else 0
    if extra in (_ASSOCIATED, _UNASSOCIATED) and samples.shape[2] > channels:
        alpha = samples[..., channels]
        if extra == _ASSOCIATED:
            colour = _unassociated(colour, alpha)
    orientation = _tag(page, _ORIENTATION, 1)
    profile = page.tags.valueof(_ICC)
    return Decoded(
        format="TIFF",
        colour=colour,
        alpha=alpha,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        icc=bytes(profile) if isinstance(profile, bytes) else None,
        dpi=_dpi(page),
        frames=pages,
    )


def _require_all_data(page: "TiffPage") -> None:
    """Refuse missing pieces, which tifffile fills with zeros, and tiles of absurd size."""
    size = page.parent.filehandle.size
    pieces = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if not pieces or any(at <= 0 or n <= 0 or at + n > size for at, n in pieces):
        raise EOFError("strips or tiles are missing")
    if page.tilewidth * page.tilelength > max(page.imagewidth * page.imagelength, _LARGE_TILE):
        raise ValueError("tiles are larger than a picture can be")


def _chunky(page: "TiffPage") -> Samples:
    """H x W x C in the machine's byte order, whether planes are interleaved or not."""
    stored = page.asarray(maxworkers=1).reshape(page.shaped)
    planes, _, height, width, interleaved = stored.shape
    if planes > 1:
        stored = np.moveaxis(stored, 0, -1)
    samples = stored.reshape(height, width, max(planes, interleaved))
    native = samples.dtype.newbyteorder("=")
    return cast(Samples, np.ascontiguousarray(samples, dtype=native))


def _unassociated(colour: Samples, alpha: Samples) -> Samples:
    """Colours divided by the alpha they were multiplied with; nothing is left where it is 0."""
    full = full_scale(alpha)
    result = np.zeros_like(colour)
    rows = strip_height(colour.shape[1] * 24)
    for top in range(0, colour.shape[0], rows):
        over = alpha[top : top + rows, :, np.newaxis].astype(np.uint64)
        wide = colour[top : top + rows].astype(np.uint64) * full + over // 2
        result[top : top + rows] = np.where(over > 0, wide // np.maximum(over, 1), 0).clip(0, full)
    return result


def _tag(page: "TiffPage", number: int, otherwise: int) -> int:
    value = page.tags.valueof(number)
    return int(value) if isinstance(value, int) else otherwise


def _dpi(page: "TiffPage") -> Dpi | None:
    per_inch = _PER_INCH.get(_tag(page, _RESOLUTION_UNIT, 2))
    ratios = [page.tags.valueof(number) for number in (_X_RESOLUTION, _Y_RESOLUTION)]
    if per_inch is None or not all(isinstance(ratio, tuple) for ratio in ratios):
        return None
    (x, x_of), (y, y_of) = ratios
    return plausible_dpi(x / x_of * per_inch, y / y_of * per_inch) if x_of and y_of else None
