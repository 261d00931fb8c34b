"""Telling a file's format from its first bytes; the name's ending is never trusted."""

from enum import Enum

from maskwright.errors import InputError

HEAD_BYTES = 64


class FileKind(Enum):
    """The formats that can be read."""

    jpeg = "JPEG"
    png = "PNG"
    webp = "WebP"
    tiff = "TIFF"
    bmp = "BMP"
    avif = "AVIF"
    heic = "HEIC"


_READ = (
    (b"\xff\xd8\xff", FileKind.jpeg),
    (b"\x89PNG\r\n\x1a\n", FileKind.png),
    (b"II*\0", FileKind.tiff),
    (b"MM\0*", FileKind.tiff),
    (b"II+\0", FileKind.tiff),
    (b"MM\0+", FileKind.tiff),
    (b"BM", FileKind.bmp),
)
_NAMED = (
    (b"GIF8", "a GIF"),
    (b"8BPS", "a Photoshop document"),
    (b"%PDF", "a PDF"),
    (b"%!PS", "a PostScript file"),
    (b"gimp xcf", "a GIMP document"),
    (b"\xff\x0a", "a JPEG XL file"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL file"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 file"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 file"),
    (b"\x76\x2f\x31\x01", "an OpenEXR file"),
    (b"#?RADIANCE", "a Radiance file"),
    (b"SIMPLE  =", "a FITS file"),
    (b"FUJIFILMCCD-RAW", "a camera's raw file"),
    (b"IIU\0", "a camera's raw file"),
    (b"IIRO", "a camera's raw file"),
)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


def file_kind(head: bytes, name: str) -> FileKind:
    """The format of a file that begins with `head` (HEAD_BYTES of it).

    Raises InputError `not-a-photo` or, for a picture of a kind not read, `unsupported-format`.
    """
    if not head:
        raise InputError("not-a-photo", f"{name} is empty; copy it again from where it came from.")
    if head[8:10] == b"CR" and head[:4] == b"II*\0":
        raise unsupported(name, "a camera's raw file")
    for magic, kind in _READ:
        if head.startswith(magic):
            return kind
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return FileKind.webp
    if head[4:8] == b"ftyp":
        return _boxed_kind(head, name)
    for magic, what in _NAMED:
        if head.startswith(magic):
            raise unsupported(name, what)
    raise InputError(
        "not-a-photo",
        f"{name} is not a photo; Maskwright reads JPEG, PNG, WebP, TIFF, BMP, AVIF and HEIC files.",
    )


def unsupported(name: str, what: str) -> InputError:
    """The error for a picture file of a kind that is not read."""
    return InputError(
        "unsupported-format",
        f"{name} is {what}, which Maskwright does not read; save it as JPEG, PNG or TIFF first.",
    )


def _boxed_kind(head: bytes, name: str) -> FileKind:
    size = int.from_bytes(head[:4], "big")
    end = min(max(size, 16), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}
    if brands & _AVIF_BRANDS:
        return FileKind.avif
    if brands & _HEIC_BRANDS:
        return FileKind.heic
    raise unsupported(name, "a film or a camera's raw file")
