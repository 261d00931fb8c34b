"""The photo: a layer's or a file's pixels as the matting pipeline sees them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import InputError

Samples = NDArray[np.uint8] | NDArray[np.uint16]

MAX_SIDE = 32_767


@dataclass(frozen=True, slots=True)
class Photo:
    """Pixels to be matted.

    rgb:   H x W x 3, uint8 or uint16, full range, sRGB encoded.
    alpha: H x W, the same dtype, or None for an opaque photo. It guides the analysis (what is
           fully transparent is background) and is never multiplied into a matte.

    Raises InputError `bad-photo` when shapes, dtypes or sizes do not fit together.
    """

    rgb: Samples
    alpha: Samples | None = None

    def __post_init__(self) -> None:
        rgb, alpha = self.rgb, self.alpha
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype not in (np.uint8, np.uint16):
            raise InputError("bad-photo", "A photo is H x W x 3 samples of 8 or 16 bits.")
        if not (1 <= self.height <= MAX_SIDE and 1 <= self.width <= MAX_SIDE):
            raise InputError(
                "bad-photo",
                f"A photo's sides are 1 to {MAX_SIDE} pixels; this one is "
                f"{self.width} x {self.height}. Resize it first.",
            )
        if alpha is not None and (alpha.shape != rgb.shape[:2] or alpha.dtype != rgb.dtype):
            raise InputError("bad-photo", "A photo's alpha has its size and its bit depth.")

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.rgb.shape[1])
