"""What rembg_peer.py starts with rembg's own Python: METHOD < files, one a line -> JSON.

Each file holds a photo, H x W x 3, with a plain mask and a trimap, H x W, all uint8; the matte that
the method makes of them goes into a file beside it. The JSON has the seconds of each.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from pymatting import estimate_alpha_cf  # type: ignore[import-not-found]
from rembg.bg import alpha_matting_cutout  # type: ignore[import-not-found]

Pixels = np.ndarray


def alpha_matting(image: Pixels, mask: Pixels, _trimap: Pixels) -> Pixels:
    """`rembg i -a`, with the thresholds that the command has unless it is told others."""
    cutout = alpha_matting_cutout(Image.fromarray(image), Image.fromarray(mask), 240, 10, 10)
    return np.asarray(cutout)[..., 3]


def closed_form(image: Pixels, _mask: Pixels, trimap: Pixels) -> Pixels:
    """Closed-form matting of the trimap's unknown zone."""
    alpha = estimate_alpha_cf(image / 255, trimap / 255)
    return np.asarray(np.rint(np.clip(alpha, 0, 1) * 255), np.uint8)


METHODS: dict[str, Callable[[Pixels, Pixels, Pixels], Pixels]] = {
    "alpha-matting": alpha_matting,
    "closed-form": closed_form,
}


def main() -> None:
    method, seconds = sys.argv[1], []
    for path in map(Path, sys.stdin.read().splitlines()):
        with np.load(path) as scene:
            image, mask, trimap = scene["image"], scene["mask"], scene["trimap"]
        began = time.perf_counter()
        try:
            matte = METHODS[method](image, mask, trimap)
        except ValueError:  # no sure subject or no sure background: rembg then keeps its mask
            matte = mask
        seconds.append(time.perf_counter() - began)
        np.save(path.with_suffix(f".{method}.npy"), matte)
    json.dump(seconds, sys.stdout)


if __name__ == "__main__":
    main()
