"""Photo to prediction: what the network is shown and what it answers, at its own resolution."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskwright.cancel import CancelToken
from maskwright.matting.geometry import Box, content_box, input_size, shrink
from maskwright.matting.photo import Photo, Samples
from maskwright.models.contract import Network

# What lies behind a layer's transparent parts as far as the network can see.
BACKDROP = 128


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a network said about a photo.

    values: h x w, float32, 0..1, before the model's levels; the whole photo, stretched.
    pixels: h x w x 3, uint8, sRGB: the photo as the network saw it, pixel for pixel.
    levels: the values that become 0 and 1 in the matte (fixed per model).
    """

    values: NDArray[np.float32]
    pixels: NDArray[np.uint8]
    levels: tuple[float, float]

    @property
    def alpha(self) -> NDArray[np.float32]:
        """The values after levels: h x w, float32, 0..1."""
        alpha: NDArray[np.float32] = np.clip(self.levelled, 0, 1)
        return alpha

    @property
    def levelled(self) -> NDArray[np.float32]:
        """The values after levels and before clipping: h x w, float32, beyond 0..1 where sure."""
        low, high = self.levels
        return (self.values - np.float32(low)) / np.float32(high - low)


def predict(photo: Photo, network: Network, cancel: CancelToken) -> Prediction:
    """Show the photo to the network once.

    Raises ModelError when the network fails, Cancelled when it was interrupted.
    """
    _, content = _places(photo, network)
    pixels = shown(photo, content.width, content.height)
    return Prediction(_answer(photo, pixels, network, cancel), pixels, network.contract.levels)


def predict_mirrored(
    photo: Photo, first: Prediction, network: Network, cancel: CancelToken
) -> Prediction:
    """Show the network what it saw at first, mirrored, and turn its answer back.

    Raises what `predict` raises.
    """
    mirrored = np.ascontiguousarray(first.pixels[:, ::-1])
    values = _answer(photo, mirrored, network, cancel)
    return replace(first, values=np.ascontiguousarray(values[:, ::-1]))


def _answer(
    photo: Photo, pixels: NDArray[np.uint8], network: Network, cancel: CancelToken
) -> NDArray[np.float32]:
    """What the network says of the photo when it is shown as these pixels."""
    (width, height), content = _places(photo, network)
    cancel.check()
    canvas = pixels
    if (content.height, content.width) != (height, width):
        canvas = np.zeros((height, width, 3), np.uint8)
        canvas[content.slices] = pixels
    return network.predict(canvas, cancel)[content.slices]


def _places(photo: Photo, network: Network) -> tuple[tuple[int, int], Box]:
    """Width and height of the network's input, and where in it the photo is."""
    size = input_size(network.contract, photo.width, photo.height)
    return size, content_box(network.contract, (photo.width, photo.height), size)


def shown(photo: Photo, width: int, height: int) -> NDArray[np.uint8]:
    """The photo at `height` x `width`, uint8 sRGB, its transparency laid over a grey backdrop.

    Colours of fully transparent pixels mean nothing and must not leak in: the resize works on
    premultiplied colours (Porter and Duff 1984), as Pillow does for RGBA.
    """
    rgb = _eight_bits(photo.rgb)
    if photo.alpha is None:
        return shrink(rgb, width, height)
    rgba = np.dstack((rgb, _eight_bits(photo.alpha)))
    small = Image.fromarray(shrink(rgba, width, height))
    backdrop = Image.new("RGBA", small.size, (BACKDROP, BACKDROP, BACKDROP, 255))
    return np.asarray(Image.alpha_composite(backdrop, small).convert("RGB"))


def _eight_bits(samples: Samples) -> NDArray[np.uint8]:
    if samples.dtype == np.uint8:
        return samples.view(np.uint8)
    # samples / 257, rounded, without leaving 16 bits.
    return ((samples - (samples >> 8) + np.uint16(128)) >> 8).astype(np.uint8)
