"""The networks whose mattes benchmarks judge, and the masks that rembg makes of them."""

import os
from pathlib import Path

import numpy as np
from maskwright.cancel import CancelToken
from maskwright.models.runtime import CPU, Runtime, Tuning, open_runtime
from maskwright.models.session import Session
from maskwright.models.store import open_store
from numpy.typing import NDArray
from PIL import Image

# MASKWRIGHT_BENCH_ISNET names an IS-Net file; without it only the built-in network is judged.
ISNET = os.environ.get("MASKWRIGHT_BENCH_ISNET", "")
NETWORKS = ["u2netp", *(["isnet-general-use"] if ISNET else [])]


def opened(model: str, models: Path) -> tuple[Session, Runtime]:
    """The network as a user has it: built in, or a file of one's own added to `models`."""
    store = open_store({"MASKWRIGHT_MODELS": str(models)})
    spec = store.spec(model) if model == "u2netp" else store.add(Path(ISNET), model)
    runtime = open_runtime(store.path(spec.id), CPU, Tuning(threads=None), CancelToken())
    return Session(spec, runtime), runtime


def plain_mask(
    pixels: NDArray[np.uint8],
    network: Session,
    runtime: Runtime,
    size: tuple[int, int] | None = None,
) -> NDArray[np.uint8]:
    """What rembg 2.0.86 makes of the network: Lanczos in, minimum-maximum stretch, Lanczos out.

    size: width and height of the mask, if not the pixels'.
    """
    contract = network.contract
    small = Image.fromarray(pixels).resize((contract.size,) * 2, Image.Resampling.LANCZOS)
    scaled = np.asarray(small, np.float32) / max(1, np.asarray(small).max())
    tensor = ((scaled - contract.mean) / contract.std).transpose(2, 0, 1)[None].astype(np.float32)
    (name,) = runtime.inputs
    answer = np.squeeze(runtime.run(runtime.outputs[0], {name: tensor}, CancelToken()))
    answer = (answer - answer.min()) / (answer.max() - answer.min())
    mask = Image.fromarray((answer * 255).astype(np.uint8))
    size = size or (pixels.shape[1], pixels.shape[0])
    full = mask.resize(size, Image.Resampling.LANCZOS)
    return np.asarray(full)
