"""Finished mattes: handed out as asked for, kept while there is room."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maskwright.errors import InputError
from maskwright.matting.edges import EdgeSettings, apply_edges, narrowed, widened
from maskwright.matting.photo import Samples
from maskwright.matting.tiles import Matte
from maskwright.service.mattes import MatteKey, MatteShelf, StoredMatte
from maskwright_client.protocol import (
    AlphaRequest,
    Combine,
    Edges,
    Region,
    Review,
    preview_size,
)
from true_mattes import disc
from wire_examples import INFO

WIDTH, HEIGHT = 331, 257
SLIDERS = [
    Edges(shift=3.3),
    Edges(shift=-2.5, invert=True),
    Edges(feather=1.5),
    Edges(feather=19.0),
    Edges(feather=9.0, contrast=0.5, midpoint=0.3),
    Edges(fill_holes=400, drop_specks=60, shift=1),
    Edges(solidify=0.7, largest=True, feather=4),
]


def picture() -> Matte:
    """A soft disc with a hole, haze, a speck and a second subject."""
    alpha = disc(WIDTH, HEIGHT, 90, (150, 120))
    alpha[100:110, 140:155] = 0.1
    alpha[140:170, 120:150] *= 0.8
    alpha[5:9, 5:9] = 1
    alpha += disc(WIDTH, HEIGHT, 25, (290, 220))
    return np.asarray(np.rint(np.clip(alpha, 0, 1) * 255), np.uint8)


def stored(matte: Samples | None = None) -> StoredMatte:
    return StoredMatte(picture() if matte is None else matte, INFO, Review(0.0))


def applied(edges: Edges) -> Matte:
    return apply_edges(picture(), EdgeSettings(**vars(edges)))


def test_the_wires_edge_settings_are_the_engines():
    engines = {field.name: field.default for field in fields(EdgeSettings)}
    assert engines.pop("scale") == 1  # no setting of a designer's
    assert {field.name: field.default for field in fields(Edges)} == engines


@pytest.mark.parametrize("edges", [Edges(), *SLIDERS])
def test_the_whole_matte_is_what_the_edge_settings_make_of_it(edges: Edges):
    matte = stored()
    for _ in range(2):  # the second time from what was kept
        assert np.array_equal(matte.alpha(AlphaRequest(edges), None), applied(edges))


@pytest.mark.parametrize("edges", [Edges(), *SLIDERS])
def test_a_region_is_cut_out_of_the_whole(edges: Edges):
    matte, whole = stored(), applied(edges)
    for box in [(0, 0, 40, 30), (37, 23, 101, 67), (290, 200, 41, 57), (0, 0, WIDTH, HEIGHT)]:
        left, top, width, height = box
        part = matte.alpha(AlphaRequest(edges, region=Region(left, top, width, height)), None)
        assert np.array_equal(part, whole[top : top + height, left : left + width])


@pytest.mark.parametrize("edges", [Edges(), *SLIDERS])
def test_a_preview_looks_like_the_whole_made_smaller(edges: Edges):
    request = AlphaRequest(edges, preview=160)
    preview = stored().alpha(request, None)
    width, height = preview_size(WIDTH, HEIGHT, 160)
    assert preview.shape == (height, width)
    whole = stored(applied(edges)).alpha(AlphaRequest(preview=160), None)
    assert np.abs(preview.astype(float) - whole).mean() < 4


def test_a_preview_never_grows():
    assert np.array_equal(stored().alpha(AlphaRequest(preview=4000), None), picture())


@pytest.mark.parametrize("edges", [Edges(), SLIDERS[0], SLIDERS[-1]])
def test_sixteen_bits_come_as_eight_or_as_sixteen(edges: Edges):
    deep = np.asarray(picture().astype(np.uint16) * 257 - (picture() > 40) * 100, np.uint16)
    matte = stored(deep)
    eight = matte.alpha(AlphaRequest(edges), None)
    sixteen = matte.alpha(AlphaRequest(edges, bits=16), None)
    assert (eight.dtype, sixteen.dtype) == (np.dtype(np.uint8), np.dtype(np.uint16))
    assert np.array_equal(eight, apply_edges(narrowed(deep), EdgeSettings(**vars(edges))))
    expected = deep if edges == Edges() else widened(narrowed(eight))
    assert np.array_equal(sixteen, expected)
    assert np.array_equal(
        stored().alpha(AlphaRequest(edges, bits=16), None), widened(narrowed(applied(edges)))
    )


@pytest.mark.parametrize("combine", [Combine.intersect, Combine.add, Combine.subtract])
@pytest.mark.parametrize("request_", [AlphaRequest(), AlphaRequest(region=Region(9, 9, 80, 50))])
def test_an_existing_mask_is_met_exactly(combine: Combine, request_: AlphaRequest):
    matte = stored()
    new = matte.alpha(request_, None).astype(int)
    old = np.random.default_rng(1).integers(0, 256, new.shape, dtype=np.uint8)
    expected = {
        Combine.intersect: np.minimum(old, new),
        Combine.add: np.maximum(old, new),
        Combine.subtract: np.minimum(old, 255 - new),
    }[combine]
    assert np.array_equal(matte.alpha(replace(request_, combine=combine), old), expected)


@pytest.mark.parametrize(
    "request_",
    [
        AlphaRequest(bits=12),
        AlphaRequest(preview=0),
        AlphaRequest(preview=100_000),
        AlphaRequest(preview=64, region=Region(0, 0, 5, 5)),
        AlphaRequest(region=Region(-1, 0, 5, 5)),
        AlphaRequest(region=Region(0, 0, 0, 5)),
        AlphaRequest(region=Region(0, 0, WIDTH + 1, 5)),
        AlphaRequest(region=Region(0, HEIGHT - 4, 5, 5)),
        AlphaRequest(Edges(shift=11)),
    ],
)
def test_what_cannot_be_is_refused(request_: AlphaRequest):
    with pytest.raises(InputError):
        stored().alpha(request_, None)


@given(
    left=st.integers(0, WIDTH - 1),
    top=st.integers(0, HEIGHT - 1),
    shift=st.floats(-10, 10),
    feather=st.floats(0, 20),
    contrast=st.floats(0, 1),
)
def test_any_region_is_cut_out_of_the_whole(
    left: int, top: int, shift: float, feather: float, contrast: float
):
    edges = Edges(shift=shift, feather=feather, contrast=contrast)
    width, height = min(64, WIDTH - left), min(48, HEIGHT - top)
    request = AlphaRequest(edges, region=Region(left, top, width, height))
    part = stored().alpha(request, None)
    assert np.array_equal(part, applied(edges)[top : top + height, left : left + width])


def key(name: int) -> MatteKey:
    return MatteKey(bytes([name]), 10, 10, 3, 8, "0" * 64, True)


def small(bytes_: int) -> StoredMatte:
    return stored(np.zeros((1, bytes_), np.uint8))


def test_the_longest_unused_leaves_first():
    shelf = MatteShelf(250)
    for name in (1, 2):
        shelf.put(key(name), small(100))
    assert shelf.get(key(1)) is not None
    shelf.put(key(3), small(100))
    assert [shelf.get(key(name)) is not None for name in (1, 2, 3)] == [True, False, True]


def test_the_newest_stays_even_if_it_is_too_large():
    shelf = MatteShelf(250)
    shelf.put(key(1), small(100))
    shelf.put(key(2), small(1000))
    assert shelf.get(key(1)) is None
    assert shelf.get(key(2)) is not None


def test_what_is_kept_for_sliders_counts():
    matte = stored()
    before = matte.bytes
    matte.alpha(AlphaRequest(Edges(largest=True)), None)
    matte.alpha(AlphaRequest(preview=100), None)
    assert matte.bytes == before + WIDTH * HEIGHT + 100 * preview_size(WIDTH, HEIGHT, 100)[1]
    assert stored().bytes == before
