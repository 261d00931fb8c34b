"""The photo that comes with the installers, and what a mask of it must look like."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from host_root import CHECKOUT_INSIDE

SAMPLE = Path(__file__).resolve().parents[2] / "installers/sample/coffee.jpg"
SAMPLE_INSIDE = f"{CHECKOUT_INSIDE}/installers/sample/coffee.jpg"
_WIDTH, _HEIGHT = 600, 400
_ON_THE_CUP, _IN_THE_CORNER = (300, 180), (590, 10)


def is_the_cups(mask: bytes) -> bool:
    """Whether a mask, as 8-bit samples, keeps the cup and hides what is around it."""
    assert len(mask) == _WIDTH * _HEIGHT
    cup, corner = (mask[y * _WIDTH + x] for x, y in (_ON_THE_CUP, _IN_THE_CORNER))
    return cup > 250 and corner < 3


def gimp_shows_it(said: Mapping[str, Any]) -> bool:
    """Whether GIMP has made that mask; `said` is what `REMOVE_IN_GIMP` answers."""
    assert said["said"] == ""
    return is_the_cups(base64.b64decode(said["mask"]))
