"""Reading what Pillow reads well: JPEG, WebP, BMP, AVIF, HEIC and the rarer kinds of TIFF.

The format's own class is used: `Image.open` measures against a process-wide pixel limit, while
here the limit belongs to the call, and formats nobody asked for are not even imported.
"""

from collections.abc import Callable
from typing import BinaryIO, cast

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from maskwright.errors import InputError
from maskwright.imaging.exif import orientation_of, without_prefix
from maskwright.imaging.picture import Decoded, Dpi, SizeCheck, plausible_dpi, strip_height
from maskwright.imaging.signature import FileKind, unsupported
from maskwright.matting.photo import Samples

_KEPT_MODES = frozenset({"L", "LA", "RGB", "RGBA", "CMYK"})
_CONVERTED = {"1": "L", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB", "YCbCr": "RGB", "PA": "RGBA"}


def decode_by_pillow(stream: BinaryIO, kind: FileKind, check: SizeCheck, name: str) -> Decoded:
    """Decode the first frame; raises what `imaging.source.decoding` turns.

    A TIFF comes out upright and without EXIF.
    """
    if kind is FileKind.webp:
        check(*_webp_canvas(stream))
    with _opener(kind, name)(stream) as image:
        check(*image.size)
        frames = getattr(image, "n_frames", 1)
        image.load()
        samples = _samples(_plain(image, name))
        exif = without_prefix(image.info.get("exif")) if kind is not FileKind.tiff else None
        with_alpha = samples.shape[2] == 2 or (samples.shape[2] == 4 and image.mode != "CMYK")
        return Decoded(
            format=kind.value,
            colour=samples[..., :-1] if with_alpha else samples,
            alpha=samples[..., -1] if with_alpha else None,
            orientation=orientation_of(exif),
            icc=image.info.get("icc_profile") or None,
            dpi=_dpi(image),
            exif=exif,
            frames=frames,
        )


def _opener(kind: FileKind, name: str) -> Callable[[BinaryIO], ImageFile]:
    if kind is FileKind.jpeg:
        from PIL.JpegImagePlugin import JpegImageFile

        return JpegImageFile
    if kind is FileKind.webp:
        from PIL.WebPImagePlugin import WebPImageFile

        return WebPImageFile
    if kind is FileKind.bmp:
        from PIL.BmpImagePlugin import BmpImageFile

        return BmpImageFile
    if kind is FileKind.tiff:
        from PIL.TiffImagePlugin import TiffImageFile

        return TiffImageFile
    return _avif_opener(name) if kind is FileKind.avif else _heic_opener(name)


def _avif_opener(name: str) -> Callable[[BinaryIO], ImageFile]:
    from PIL.AvifImagePlugin import SUPPORTED, AvifImageFile

    if not SUPPORTED:
        raise InputError(
            "unsupported-format",
            f"{name} is an AVIF file, which this Pillow was built without; install Pillow from "
            "its published packages, or save the photo as JPEG or PNG.",
        )
    return AvifImageFile


def _heic_opener(name: str) -> Callable[[BinaryIO], ImageFile]:
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise InputError(
            "unsupported-format",
            f"{name} is a HEIC file; install the Python package pillow-heif beside Maskwright to "
            "read it, or save the photo as JPEG or PNG.",
        ) from error
    return cast(Callable[[BinaryIO], ImageFile], HeifImageFile)


def _plain(image: Image.Image, name: str) -> Image.Image:
    """The image in one of the kept modes."""
    if image.mode in _KEPT_MODES:
        return image
    if image.mode == "P":
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode in _CONVERTED:
        return image.convert(_CONVERTED[image.mode])
    raise unsupported(name, f"a picture in the colour mode {image.mode}")


def _samples(image: Image.Image) -> Samples:
    """Copy the pixels out strip by strip: in one go Pillow would hold them three times."""
    width, height = image.size
    channels = len(image.getbands())
    samples = np.empty((height, width, channels), np.uint8)
    rows = strip_height(width * channels)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        strip = np.asarray(image.crop((0, top, width, bottom)))
        samples[top:bottom] = strip.reshape(bottom - top, width, channels)
    return samples


def _dpi(image: Image.Image) -> Dpi | None:
    given = image.info.get("dpi")
    if given is None:
        return None
    return plausible_dpi(float(given[0]), float(given[1]))


def _webp_canvas(stream: BinaryIO) -> tuple[int, int]:
    """Width and height from the first chunk (RFC 9649); the decoder allocates on opening."""
    head = stream.read(30)
    stream.seek(0)
    body = head[20:]
    if head[12:16] == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if head[12:16] == b"VP8 ":
        width, height = (int.from_bytes(body[at : at + 2], "little") for at in (6, 8))
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("no image chunk")
