"""A network that sees a quarter of a photo's width and height, as with photos of 12 megapixels."""

from dataclasses import replace

import numpy as np
from maskwright.cancel import CancelToken
from maskwright.matting.geometry import resize_plane
from maskwright.models.contract import Contract, Network, SizeRule
from numpy.typing import NDArray
from PIL import Image


class QuarterFed:
    """Stands for a network in front of a photo that is four times as wide as what it sees.

    Its input has a quarter of the photo's size; that is enlarged for the real network, whose answer
    is reduced again.
    """

    def __init__(self, network: Network, width: int, height: int) -> None:
        self._network = network
        side = max(1, round(max(width, height) / 4))
        self.contract: Contract = replace(
            network.contract, size_rule=SizeRule.long_side, size=side, multiple=1
        )

    def predict(self, pixels: NDArray[np.uint8], cancel: CancelToken) -> NDArray[np.float32]:
        """Run once; see `models.contract.Network`."""
        height, width, _ = pixels.shape
        size = (self._network.contract.size,) * 2
        large = Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)
        answer = self._network.predict(np.asarray(large), cancel)
        return np.clip(resize_plane(answer, width, height), 0, 1)
