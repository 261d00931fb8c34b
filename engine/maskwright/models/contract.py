"""What a network wants to see and what its answer means."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from maskwright.cancel import CancelToken


class SizeRule(Enum):
    """How the network's input size follows from the photo's."""

    fixed = "fixed"  # always size x size
    multiple = "multiple"  # size x size wanted; any multiple of `multiple` works
    short_side = "short_side"  # short side becomes `size`, both sides multiples of `multiple`
    long_side = "long_side"  # long side becomes `size`, both sides multiples of `multiple`


class Resize(Enum):
    """How the photo is brought to the input size."""

    stretch = "stretch"
    letterbox = "letterbox"  # aspect kept, centred, zero border


class OutputKind(Enum):
    """What the network's numbers are."""

    probability = "probability"
    logits = "logits"


@dataclass(frozen=True, slots=True)
class Contract:
    """One model's input and output contract.

    The tensor is (pixels / 255 - mean) / std, RGB, NCHW float32. `levels` maps the answer so that
    levels[0] becomes 0 and levels[1] becomes 1 (fixed per model, never taken from a picture).
    """

    size_rule: SizeRule
    size: int
    multiple: int
    resize: Resize
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    input_name: str
    output_name: str
    output_kind: OutputKind
    levels: tuple[float, float] = (0.0, 1.0)
    # Recurrent video models: state inputs that start as zeros, and the down-sampling ratio's input.
    state_inputs: tuple[str, ...] = ()
    ratio_input: str | None = None
    ratio_side: int = 512


class Network(Protocol):
    """A loaded network; `models.session.Session` is one, a test may bring another."""

    @property
    def contract(self) -> Contract:
        """What it wants to see and what its answer means."""

    def predict(self, pixels: NDArray[np.uint8], cancel: CancelToken) -> NDArray[np.float32]:
        """Run once.

        pixels: h x w x 3 uint8 sRGB at a size that the contract allows. Returns h x w float32 in
        0..1, finite (probability after sigmoid and clipping, before levels). Raises ModelError
        `bad-output` on NaN or a wrong shape, Cancelled when interrupted.
        """
