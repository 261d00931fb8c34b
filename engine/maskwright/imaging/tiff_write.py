"""Writing TIFF strip by strip: deflate with the horizontal predictor, chunky, little endian.

TIFF 6.0 sections 14 and 18 (predictor, ExtraSamples) and Adobe's deflate, Technical Note 3.
"""

import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from maskwright.imaging.picture import Dpi, strip_height
from maskwright.imaging.png_write import LEVEL, Rows


def write_tiff(
    stream: BinaryIO,
    shape: tuple[int, int, int],
    bits: int,
    rows: Rows,
    *,
    icc: bytes | None = None,
    dpi: Dpi | None = None,
) -> None:
    """Write H x W x C samples of 8 or 16 bits; C is 1, 2 (with alpha), 3 or 4 (with alpha).

    Alpha is unassociated. A `stream` that cannot seek gets the finished file in one piece.
    """
    from tifffile import TiffWriter

    _, width, channels = shape
    strip_rows = strip_height(width * channels * bits // 8)
    buffer = None if stream.seekable() else io.BytesIO()
    with TiffWriter(stream if buffer is None else buffer) as writer:
        writer.write(
            _strips(shape, rows, strip_rows),
            shape=shape if channels > 1 else shape[:2],
            dtype=np.dtype(f"<u{bits // 8}"),
            photometric="rgb" if channels >= 3 else "minisblack",
            planarconfig="contig" if channels > 1 else None,
            extrasamples=("unassalpha",) if channels in (2, 4) else None,
            rowsperstrip=strip_rows,
            compression="adobe_deflate",
            predictor=True,
            iccprofile=icc,
            resolution=dpi,
            resolutionunit="inch" if dpi else None,
            metadata=None,
            software=False,
        )
    if buffer is not None:
        stream.write(buffer.getbuffer())


def _strips(shape: tuple[int, int, int], rows: Rows, strip_rows: int) -> Iterator[bytes]:
    for top in range(0, shape[0], strip_rows):
        strip = rows(top, min(shape[0], top + strip_rows))
        change = np.array(strip, dtype=strip.dtype.newbyteorder("<"), order="C")
        np.subtract(strip[:, 1:], strip[:, :-1], out=change[:, 1:])
        yield zlib.compress(change.data, LEVEL)
