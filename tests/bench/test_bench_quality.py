"""Mattes against true alpha, beside rembg's plain mask with the same network."""

import time

import numpy as np
import pytest
from bench_process import SAMPLE, large_photo
from judged_networks import NETWORKS, opened, plain_mask
from maskwright.cancel import CancelToken
from maskwright.matting.photo import Photo
from maskwright.matting.pipeline import matte_photo
from maskwright.matting.prediction import shown
from matte_scores import edge_band, geometric_mean, rank_correlation, sad
from PIL import Image
from reference_photos import DATA, SETS, references

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3000)]


@pytest.mark.skipif(not DATA.is_dir(), reason="no photographs with true alpha beside the checkout")
@pytest.mark.parametrize("model", NETWORKS)
@pytest.mark.parametrize("name", SETS)
def test_no_worse_than_the_plain_mask(name: str, model: str, tmp_path):
    network, runtime = opened(model, tmp_path)
    ratios, bands, small, doubts, errors, missed = [], [], [], [], [], []
    for reference in references(name):
        pixels, truth = reference.pixels, reference.alpha
        result = matte_photo(Photo(pixels), network, cancel=CancelToken())
        alpha = result.matte / np.float32(255)
        plain = plain_mask(pixels, network, runtime) / np.float32(255)
        ratio = sad(alpha, truth) / sad(plain, truth)
        ratios.append(ratio)
        band = edge_band(reference)
        bands.append(sad(alpha[band], truth[band]) / sad(plain[band], truth[band]))
        small += [ratio] if reference.is_small else []
        doubts.append(result.review.doubt)
        errors.append(float(np.abs(alpha - truth).mean()))
        missed.append(1 - float(np.minimum(alpha, truth).sum() / np.maximum(alpha, truth).sum()))
    mean = geometric_mean(ratios)
    by_error, by_missed = rank_correlation(doubts, errors), rank_correlation(doubts, missed)
    print(
        f"\n{model} on {name}, {len(ratios)}: SAD ratio {mean:.3f}, "
        f"median {np.median(ratios):.3f}, worst {max(ratios):.2f}; in the edge band "
        f"{geometric_mean(bands):.3f}, worst {max(bands):.2f}; {len(small)} small subjects "
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
