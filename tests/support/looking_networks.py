"""Small real networks: what they answer follows from the pixels that they are shown."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from maskwright.cancel import CancelToken
from maskwright.models.contract import Contract, OutputKind, Resize, SizeRule
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float32]
Answer = Callable[[Pixels], Plane]


def contract_of(
    size: int = 64,
    rule: SizeRule = SizeRule.fixed,
    resize: Resize = Resize.stretch,
    *,
    multiple: int = 1,
    levels: tuple[float, float] = (0.0, 1.0),
) -> Contract:
    """A contract for pixels of that size."""
    return Contract(
        size_rule=rule,
        size=size,
        multiple=multiple,
        resize=resize,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        input_name="",
        output_name="",
        output_kind=OutputKind.probability,
        levels=levels,
    )


@dataclass
class Looking:
    """A network whose answer is a function of the pixels; remembers what it was shown."""

    answer: Answer
    contract: Contract = field(default_factory=contract_of)
    shown: list[Pixels] = field(default_factory=list)

    def predict(self, pixels: Pixels, cancel: CancelToken) -> Plane:
        self.shown.append(pixels)
        cancel.check()
        return np.clip(self.answer(pixels), 0, 1).astype(np.float32)


def redness(pixels: Pixels) -> Plane:
    """How much more red than anything else; grey, black and white are 0."""
    red, green, blue = np.moveaxis(pixels.astype(np.float32) / np.float32(255), 2, 0)
    return np.asarray(red - np.maximum(green, blue))


def darkness(pixels: Pixels) -> Plane:
    """1 where it is black."""
    return np.asarray(1 - pixels.max(axis=2).astype(np.float32) / np.float32(255))


def always(value: float) -> Answer:
    """The same value whatever is shown."""
    return lambda pixels: np.full(pixels.shape[:2], value, np.float32)
