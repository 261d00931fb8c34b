"""Mattes against true alpha, beside rembg's plain mask with the same network."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from bench_process import SAMPLE, large_photo
from maskwright.cancel import CancelToken
from maskwright.matting.photo import Photo
from maskwright.matting.pipeline import matte_photo
from maskwright.matting.prediction import shown
from maskwright.models.runtime import CPU, Runtime, Tuning, open_runtime
from maskwright.models.session import Session
from maskwright.models.store import open_store
from numpy.typing import NDArray
from PIL import Image
from reference_photos import DATA, SETS, references

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3000)]

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
    pixels: NDArray[np.uint8], network: Session, runtime: Runtime
) -> NDArray[np.float32]:
    """What rembg 2.0.86 makes of the network: Lanczos in, minimum-maximum stretch, Lanczos out."""
    contract = network.contract
    small = Image.fromarray(pixels).resize((contract.size,) * 2, Image.Resampling.LANCZOS)
    scaled = np.asarray(small, np.float32) / max(1, np.asarray(small).max())
    tensor = ((scaled - contract.mean) / contract.std).transpose(2, 0, 1)[None].astype(np.float32)
    (name,) = runtime.inputs
    answer = np.squeeze(runtime.run(runtime.outputs[0], {name: tensor}, CancelToken()))
    answer = (answer - answer.min()) / (answer.max() - answer.min())
    mask = Image.fromarray((answer * 255).astype(np.uint8))
    full = mask.resize((pixels.shape[1], pixels.shape[0]), Image.Resampling.LANCZOS)
    return np.asarray(full, np.float32) / np.float32(255)


def sad(alpha: NDArray[np.floating], truth: NDArray[np.float32]) -> float:
    return float(np.abs(alpha - truth).sum() / 1000) + 1e-3


def ranked(values: list[float]) -> NDArray[np.int64]:
    return np.argsort(np.argsort(values))


def geometric_mean(ratios: list[float]) -> float:
    return float(np.exp(np.mean(np.log(ratios))))


@pytest.mark.skipif(not DATA.is_dir(), reason="no photographs with true alpha beside the checkout")
@pytest.mark.parametrize("model", NETWORKS)
@pytest.mark.parametrize("name", SETS)
def test_no_worse_than_the_plain_mask(name: str, model: str, tmp_path):
    network, runtime = opened(model, tmp_path)
    ratios, small, doubts, errors, missed = [], [], [], [], []
    for reference in references(name):
        pixels, truth = reference.pixels, reference.alpha
        result = matte_photo(Photo(pixels), network, cancel=CancelToken())
        alpha = result.matte / np.float32(255)
        ratio = sad(alpha, truth) / sad(plain_mask(pixels, network, runtime), truth)
        ratios.append(ratio)
        small += [ratio] if reference.is_small else []
        doubts.append(result.review.doubt)
        errors.append(float(np.abs(alpha - truth).mean()))
        missed.append(1 - float(np.minimum(alpha, truth).sum() / np.maximum(alpha, truth).sum()))
    mean = geometric_mean(ratios)
    by_error = np.corrcoef(ranked(doubts), ranked(errors))[0, 1]
    by_missed = np.corrcoef(ranked(doubts), ranked(missed))[0, 1]
    print(
        f"\n{model} on {name}, {len(ratios)}: SAD ratio {mean:.3f}, "
        f"median {np.median(ratios):.3f}, worst {max(ratios):.2f}; {len(small)} small subjects "
        f"{geometric_mean(small) if small else 1:.3f}; MAE {np.mean(errors):.4f}; Spearman of "
        f"doubt with MAE {by_error:.2f}, with 1 - IoU {by_missed:.2f}"
    )
    assert mean <= 1
    if name == "objects":
        assert min(by_error, by_missed) > 0.4
        assert model != "u2netp" or geometric_mean(small) < 0.85


@pytest.mark.parametrize(("model", "bound"), [("u2netp", 1.5), ("isnet-general-use", 1.15)])
def test_overhead_of_a_warm_mask(model: str, bound: float, tmp_path):
    if model not in NETWORKS:
        pytest.skip("MASKWRIGHT_BENCH_ISNET names no IS-Net file")
    network, _ = opened(model, tmp_path)
    with Image.open(large_photo(tmp_path / "photo.jpg", 4000, 3000)) as picture:
        photo = Photo(np.asarray(picture.convert("RGB")))
    size = network.contract.size
    whole, plain, bare = [], [], []
    for _ in range(7):
        started = time.perf_counter()
        seconds = matte_photo(photo, network, cancel=CancelToken(), focus=False).seconds
        whole.append(time.perf_counter() - started)
        plain.append(whole[-1] - seconds["refine"])
        pixels = shown(photo, size, size)
        started = time.perf_counter()
        network.predict(pixels, CancelToken())
        bare.append(time.perf_counter() - started)
    figures = [np.median(times) for times in (whole, plain, bare)]
    print(
        f"\n{model} on {SAMPLE.stem}, 12 megapixels: {figures[0]:.3f} s, {figures[1]:.3f} before "
        f"refinement, bare network {figures[2]:.3f}"
    )
    assert figures[1] <= bound * figures[2]


def test_time_beyond_the_network_is_linear(tmp_path):
    network, _ = opened("u2netp", tmp_path)
    per_megapixel = {}
    for width in (3000, 6000, 9000):
        with Image.open(large_photo(tmp_path / f"{width}.jpg", width, width * 3 // 4)) as picture:
            photo = Photo(np.asarray(picture.convert("RGB")))
        runs = []
        for _ in range(4):
            result = matte_photo(photo, network, cancel=CancelToken(), focus=False)
            runs.append(result.seconds["refine"])
        per_megapixel[width] = min(runs) / (width * width * 0.75e-6)
    print()
    for width, seconds in per_megapixel.items():
        print(f"{width:5} px wide {seconds * 1000:6.2f} ms/MP {'#' * round(seconds * 2000)}")
    assert per_megapixel[9000] <= 2 * per_megapixel[3000]
