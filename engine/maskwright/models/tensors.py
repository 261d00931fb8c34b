"""Between pixels and a network's numbers: pure functions, arrays in, arrays out."""

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import ModelError
from maskwright.models.contract import Contract, OutputKind

Tensor = NDArray[np.float32] | NDArray[np.float16]


def to_tensor(pixels: NDArray[np.uint8], contract: Contract, dtype: np.dtype[np.generic]) -> Tensor:
    """h x w x 3 uint8 sRGB to 1 x 3 x h x w, (x / 255 - mean) / std; `dtype` float32 or float16."""
    height, width, _ = pixels.shape
    tensor = np.empty((1, 3, height, width), np.float32)
    for channel, (mean, std) in enumerate(zip(contract.mean, contract.std, strict=True)):
        plane = tensor[0, channel]
        np.multiply(pixels[..., channel], np.float32(1.0 / (255.0 * std)), out=plane)
        plane -= np.float32(mean / std)
    return tensor if dtype == np.float32 else tensor.astype(np.float16)


def state_tensors(contract: Contract, height: int, width: int) -> dict[str, NDArray[np.float32]]:
    """What a recurrent network wants before its first frame, by input name.

    Zeros of one element stand for "no state yet", and the ratio shrinks the frame inside the
    network to `ratio_side` (Robust Video Matting, Lin et al. 2021, documentation/inference.md).
    """
    tensors: dict[str, NDArray[np.float32]] = {
        name: np.zeros((1, 1, 1, 1), np.float32) for name in contract.state_inputs
    }
    if contract.ratio_input is not None:
        ratio = min(1.0, contract.ratio_side / max(height, width))
        tensors[contract.ratio_input] = np.array([ratio], np.float32)
    return tensors


def to_prediction(
    answer: NDArray[np.generic], height: int, width: int, kind: OutputKind
) -> NDArray[np.float32]:
    """A network's answer as h x w float32 in 0..1; logits go through the sigmoid.

    Raises ModelError `bad-output` when it has another size or a number that is none.
    """
    if not np.issubdtype(answer.dtype, np.floating) or not _is_plane(answer, height, width):
        raise ModelError(
            "bad-output",
            f"The model answered with {'x'.join(map(str, answer.shape))} numbers where one picture "
            f"of {width} x {height} was due; choose another model.",
        )
    plane: NDArray[np.float32] = answer.reshape(height, width).astype(np.float32, copy=False)
    # A NaN anywhere makes both of them NaN: two passes, no copy.
    low, high = plane.min(), plane.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ModelError(
            "bad-output",
            "The model answered with numbers that are none (NaN); choose another model, or set "
            "MASKWRIGHT_DEVICE=cpu if a graphics card was in use.",
        )
    if kind is OutputKind.logits:
        # The same curve as 1 / (1 + exp(-x)), without its overflow.
        plane = np.tanh(plane * np.float32(0.5))
        plane *= np.float32(0.5)
        plane += np.float32(0.5)
    return np.clip(plane, 0.0, 1.0)


def _is_plane(answer: NDArray[np.generic], height: int, width: int) -> bool:
    """Whether the answer is h x w, give or take axes of length one."""
    wanted = [side for side in (height, width) if side != 1]
    return [side for side in answer.shape if side != 1] == wanted
