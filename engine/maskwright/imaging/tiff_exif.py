"""The descriptive part of a TIFF's own directory, as an EXIF block for another file.

A TIFF is its EXIF: the same directory also says where its strips lie, which no other file may
repeat. Tag numbers: Exif 2.32, section 4.6.4.
"""

import struct
from typing import BinaryIO

_DESCRIPTIVE = (270, 271, 272, 306, 315, 33432)  # title, make, model, date, artist, copyright
_EXIF, _GPS = 0x8769, 0x8825


def descriptive_exif(stream: BinaryIO) -> bytes | None:
    """Who, when, how and where the picture was taken; None if nothing or nothing readable."""
    from PIL import Image

    stream.seek(0)
    found, kept = Image.Exif(), Image.Exif()
    try:
        found.load_from_fp(stream)
        for tag in _DESCRIPTIVE:
            if tag in found:
                kept[tag] = found[tag]
        for tag in (_EXIF, _GPS):
            if tag in found:
                kept.get_ifd(tag).update(found.get_ifd(tag))
        block = kept.tobytes()
    except (
        ArithmeticError,
        LookupError,
        OSError,
        SyntaxError,
        TypeError,
        ValueError,
        struct.error,
    ):
        return None
    return block if len(kept) or any(kept.get_ifd(tag) for tag in (_EXIF, _GPS)) else None
