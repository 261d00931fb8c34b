"""Clean colours against the truth, beside PyMatting; how long they take and how much memory."""

import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from bench_process import CACHE, large_photo
from judged_networks import opened
from maskwright.cancel import CancelToken
from maskwright.matting.colours import clean_colours
from maskwright.matting.photo import Photo, Samples
from maskwright.matting.pipeline import matte_photo
from mixed_scenes import Scene, natural_scenes, textured_scenes
from numpy.typing import NDArray
from PIL import Image
from pymatting_peer import PyMatting, provide_pymatting
from reference_photos import DATA

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

needs_photos = pytest.mark.skipif(
    not DATA.is_dir(), reason="no photographs with true alpha beside the checkout"
)

# What is asked for: at most so much of the error that the photo's own colours have.
MOST_ERROR = 0.6
BACKGROUNDS = {"white": (1, 1, 1), "black": (0, 0, 0), "red": (1, 0, 0), "green": (0, 1, 0)}
TWELVE = (4000, 3000)


@pytest.fixture(scope="module")
def peer() -> PyMatting:
    return provide_pymatting(CACHE)


def cleaned(colours: Samples, matte: Samples) -> Samples:
    return clean_colours(colours, matte, CancelToken())


def geometric_mean(ratios: list[float]) -> float:
    return float(np.exp(np.mean(np.log(ratios))))


def told(ratios: list[float]) -> str:
    above = sum(ratio > MOST_ERROR for ratio in ratios)
    return f"{geometric_mean(ratios):.3f}, worst {max(ratios):.2f}, {above} above {MOST_ERROR}"


@needs_photos
@pytest.mark.parametrize("kind", ["natural", "textured"])
def test_error_on_any_new_background(kind: str, peer: PyMatting, tmp_path: Path):
    scenes = list(natural_scenes(peer, tmp_path) if kind == "natural" else textured_scenes())
    photos = {scene.name: (scene.pixels, scene.alpha) for scene in scenes}
    theirs = peer.foregrounds("multi-level", photos, tmp_path).colours
    ours, peers = [], []
    for scene in scenes:
        kept = scene.error(scene.pixels)
        ours.append(scene.error(cleaned(scene.pixels, scene.matte)) / kept)
        peers.append(scene.error(theirs[scene.name]) / kept)
    print(f"\n{kind}, {len(scenes)}: {told(ours)}; PyMatting {told(peers)}")
    assert geometric_mean(ours) <= MOST_ERROR
    assert geometric_mean(ours) <= geometric_mean(peers)


@needs_photos
def test_the_same_subject_before_two_backgrounds_has_the_same_colours():
    """Of the composites nobody knows the subject, but there are two of each, one with a blurred
    background: what their colours differ by is left of the backgrounds.
    """
    ratios = []
    for path in sorted((DATA / "composites" / "im").glob("*__sharp.jpg")):
        matte = grey(DATA / "composites" / "gt" / f"{path.stem}.png")
        sharp, blurred = colour(path), colour(path.with_name(path.name.replace("sharp", "blur")))
        left = difference(cleaned(sharp, matte), cleaned(blurred, matte), matte)
        ratios.append(left / difference(sharp, blurred, matte))
    print(f"\ntwins, {len(ratios)}: {told(ratios)}")
    assert geometric_mean(ratios) <= MOST_ERROR


def difference(one: Samples, other: Samples, matte: NDArray[np.uint8]) -> float:
    """By how much two layers differ where the matte is soft, whatever is put behind them."""
    share = matte[..., np.newaxis] / np.float32(255)
    off = share * np.abs(one.astype(np.float32) - other)
    return float(off[(matte > 0) & (matte < 255)].mean())


def grey(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"))


def colour(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


@needs_photos
def test_with_the_mattes_of_the_built_in_network(peer: PyMatting, tmp_path: Path):
    """Against the picture with the true matte: most of the error is the matte's."""
    network, _ = opened("u2netp", tmp_path)
    everywhere, where_right = [], []
    for scene in natural_scenes(peer, tmp_path):
        pixels = scene.pixels
        matte = matte_photo(Photo(pixels), network, cancel=CancelToken()).matte
        soft = (matte > 0) & (matte < 255)
        right = soft & (np.abs(matte / np.float32(255) - scene.alpha) < 0.1)
        if not right.any():
            continue
        kept, new = errors(scene, pixels, matte), errors(scene, cleaned(pixels, matte), matte)
        everywhere.append(float(new[soft].mean() / kept[soft].mean()))
        where_right.append(float(new[right].mean() / kept[right].mean()))
    print(
        f"\nmattes of u2netp, {len(everywhere)}: {told(everywhere)}; where the matte is right to "
        f"0.1: {told(where_right)}"
    )
    assert geometric_mean(everywhere) <= 1
    assert geometric_mean(where_right) <= 0.9


def errors(scene: Scene, colours: Samples, matte: Samples) -> NDArray[np.float32]:
    """How far each pixel is off, on the mean of the backgrounds."""
    share, truth = matte[..., np.newaxis] / np.float32(255), scene.alpha[..., np.newaxis]
    off = np.zeros(matte.shape, np.float32)
    for ground in BACKGROUNDS.values():
        behind = np.array(ground, np.float32)
        shown = share * (colours / np.float32(255)) + (1 - share) * behind
        off += np.abs(shown - truth * scene.subject - (1 - truth) * behind).mean(axis=2)
    return off


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[NDArray[np.uint8], Samples]:
    """12 megapixels and the built-in network's matte of them."""
    folder = tmp_path_factory.mktemp("large")
    pixels = colour(large_photo(folder / "photo.jpg", *TWELVE))
    network, _ = opened("u2netp", folder)
    return pixels, matte_photo(Photo(pixels), network, cancel=CancelToken(), focus=False).matte


def seconds(work: Callable[[], object], repeats: int = 5) -> float:
    spent = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return median(spent)


def test_twelve_megapixels_take_less_than_the_peer(
    large: tuple[NDArray[np.uint8], Samples], peer: PyMatting, tmp_path: Path
):
    pixels, matte = large
    soft = float(((matte > 0) & (matte < 255)).mean())
    photo = {"large": (pixels, np.asarray(matte / np.float32(255), np.float32))}
    theirs = peer.foregrounds("multi-level", photo, tmp_path, repeats=4)
    spent = seconds(partial(cleaned, pixels, matte))
    everywhere = seconds(partial(cleaned, pixels, np.full_like(matte, 128)), 3)
    deep = seconds(partial(cleaned, pixels.astype(np.uint16) * np.uint16(257), matte), 3)
    ratio = spent / median(theirs.seconds[1:])  # the first compiles
    print(
        f"\n12 megapixels, {100 * soft:.1f} % soft: {spent:.3f} s, 16 bits {deep:.3f} s, soft "
        f"everywhere {everywhere:.3f} s; PyMatting {median(theirs.seconds[1:]):.2f} s and "
        f"{theirs.mebibytes:.0f} MiB: {ratio:.2f}x"
    )
    assert ratio <= 0.5


def test_memory_beside_the_result(large: tuple[NDArray[np.uint8], Samples]):
    pixels, matte = large
    pixels = np.tile(pixels, (2, 2, 1))
    narrow = matte.view(np.uint8)
    for name, mask in {"a subject": np.tile(narrow, (2, 2)), "all": noise_like(pixels)}.items():
        tracemalloc.start()
        cleaned(pixels, mask)
        peak = tracemalloc.get_traced_memory()[1] - pixels.nbytes
        tracemalloc.stop()
        per_pixel = peak / mask.size
        print(f"\n48 megapixels, {name} soft: {peak >> 20} MiB, {per_pixel:.2f} bytes for a pixel")
        assert per_pixel <= 2  # what the service counts on


def noise_like(pixels: Samples) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(1, 255, pixels.shape[:2], np.uint8)


def stripes(height: int, width: int, share: float) -> Iterator[NDArray[np.uint8]]:
    """Mattes of which that share is soft, in one place, at the left and at the right."""
    columns = round(width * share)
    for left in (0, width - columns):
        matte = np.zeros((height, width), np.uint8)
        matte[:, left : left + columns] = 128
        yield matte


def test_time_goes_with_the_soft_area(large: tuple[NDArray[np.uint8], Samples]):
    pixels = np.tile(large[0], (2, 2, 1))
    spent = {}
    height, width = pixels.shape[:2]
    for share in (0.02, 0.08, 0.32):
        runs = [seconds(partial(cleaned, pixels, one), 3) for one in stripes(height, width, share)]
        spent[share] = median(runs)
        print(f"\n48 megapixels, {share:4.0%} soft: {spent[share]:.3f} s")
    assert spent[0.32] <= 1.5 * 4 * spent[0.08]
    assert spent[0.02] <= 0.25 * spent[0.32]
