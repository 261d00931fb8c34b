"""Clean colours: the subject's own colour where a matte is soft.

A soft pixel shows subject and background: colour = alpha * subject + (1 - alpha) * background. Both
are looked for, as smooth as the photo allows: blur fusion (Forte, Approximate Fast Foreground
Colour Estimation, ICIP 2021), with one small blur on each of many levels (Germer et al., Fast
Multi-Level Foreground Estimation, ICPR 2020) instead of two large ones at the photo's size.

Every step is linear in the samples but for the limits of their range, and no channel looks at
another: so it works in whatever encoding and colour space they come in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from maskwright.cancel import CancelToken
from maskwright.errors import InputError
from maskwright.matting.photo import Samples
from maskwright.matting.tiles import Tile, on_cores

Planes = NDArray[np.float32]
Array = TypeVar("Array", bound=NDArray[Any])

# The finest levels are computed tile by tile, where something is soft; the others for the whole
# photo, which by then has a 64th of its pixels.
_FINE_LEVELS: Final = 3
_CELL: Final = 1 << _FINE_LEVELS
_TILE: Final = 192
# In cells. Each blur looks one pixel further: 2 pixels of the photo, 2 of 2, 2 of 4 are 14.
_HALO: Final = 2

# Blurs on each level. One saves a quarter of the time and leaves a sixth more error; a third takes
# a quarter more and saves a twentieth.
_BLURS: Final = 2
# What a pixel that shows nothing of a side tells about it, where one that shows only it tells 1.
_UNSEEN: Final = np.float32(1e-3)
# How much of a pixel's own colour may stay unexplained.
_SLACK: Final = np.float32(1e-2)


def clean_colours(
    colours: Samples, matte: Samples, cancel: CancelToken, opacity: Samples | None = None
) -> Samples:
    """The colours, with what the background gave to soft pixels taken out.

    colours: H x W x channels, uint8 or uint16, full range, in any encoding, not premultiplied.
    matte:   H x W, uint8 or uint16: the mask that the colours will be shown with.
    opacity: H x W, uint8 or uint16: the layer's own alpha, or None for an opaque one. Colours that
             it hides mean nothing.

    A copy that differs where the matte is neither empty nor full and the layer not transparent;
    the very same array if that is nowhere. Takes time by the soft area, and up to 2 bytes of memory
    for each pixel beside the copy. Raises Cancelled, and InputError `bad-matte` for other sizes.
    """
    _check(colours, matte, opacity)
    tiles = [tile for tile in _tiles(matte.shape) if _soft(matte, opacity, tile).any()]
    if not tiles:
        return colours
    layer = _Layer(colours, matte, opacity)
    above = _separated_whole(layer.reduced(_with_neighbours(tiles, matte.shape), cancel), cancel)
    depth = np.float32(np.iinfo(colours.dtype).max)
    cleaned: Samples = colours.copy()

    def work(tile: Tile) -> None:
        cancel.check()
        subject = _subject(layer, tile, above, cancel)
        subject *= depth
        subject += np.float32(0.5)
        found = np.clip(subject, 0, depth, out=subject).astype(colours.dtype)
        soft = _soft(matte, opacity, tile)
        np.copyto(cleaned[tile.slices], np.moveaxis(found, 0, -1), where=soft[..., np.newaxis])

    on_cores(work, tiles)
    return cleaned


def _check(colours: Samples, matte: Samples, opacity: Samples | None) -> None:
    planes = [matte] if opacity is None else [matte, opacity]
    if colours.ndim != 3 or any(plane.shape != colours.shape[:2] for plane in planes):
        raise InputError("bad-matte", "A matte and a layer's own alpha have its colours' size.")


def _tiles(shape: tuple[int, ...]) -> list[Tile]:
    height, width = shape
    corners = product(range(0, height, _TILE), range(0, width, _TILE))
    return [Tile(y, min(y + _TILE, height), x, min(x + _TILE, width)) for y, x in corners]


def _with_neighbours(tiles: Sequence[Tile], shape: tuple[int, ...]) -> list[Tile]:
    """The tiles and those that touch them: what is farther away says nothing about a soft edge."""
    steps = list(product((-_TILE, 0, _TILE), repeat=2))
    near = {(tile.top + down, tile.left + right) for tile in tiles for down, right in steps}
    return [tile for tile in _tiles(shape) if (tile.top, tile.left) in near]


def _soft(matte: Samples, opacity: Samples | None, tile: Tile) -> NDArray[np.bool_]:
    """Which of a tile's pixels are to be cleaned."""
    part = matte[tile.slices]
    soft: NDArray[np.bool_] = (part > 0) & (part < np.iinfo(part.dtype).max)
    return soft if opacity is None else soft & (opacity[tile.slices] > 0)


@dataclass(frozen=True, slots=True)
class _View:
    """A layer, or a part of it, at one size; everything 0..1.

    colours: channels x h x w.
    alpha:   h x w, of the matte.
    trust:   h x w, how much the colours mean.
    """

    colours: Planes
    alpha: Planes
    trust: Planes

    def halved(self) -> "_View":
        """At half the size, by the means of what can be trusted."""
        trust = _halved(self.trust)
        divisor = np.maximum(trust, np.finfo(np.float32).tiny)
        colours, alpha = _halved(self.colours * self.trust), _halved(self.alpha * self.trust)
        colours /= divisor
        alpha /= divisor
        return _View(colours, alpha, trust)


@dataclass(frozen=True, slots=True)
class _Layer:
    """What `clean_colours` was given, as views of it are wanted."""

    colours: Samples
    matte: Samples
    opacity: Samples | None

    def view(self, tile: Tile) -> _View:
        """The tile at full size; beyond the frame, the pixels at the frame again."""
        colours = _unit(np.ascontiguousarray(_window(np.moveaxis(self.colours, -1, 0), tile)))
        alpha = _unit(_window(self.matte, tile))
        if self.opacity is None:
            return _View(colours, alpha, np.ones_like(alpha))
        return _View(colours, alpha, _unit(_window(self.opacity, tile)))

    def reduced(self, tiles: Sequence[Tile], cancel: CancelToken) -> _View:
        """All of it, a cell of pixels to one, with trust in no other tiles than these."""
        height, width, channels = self.colours.shape
        size = (-(-height // _CELL), -(-width // _CELL))
        whole = _View(
            np.zeros((channels, *size), np.float32),
            np.zeros(size, np.float32),
            np.zeros(size, np.float32),
        )

        def work(tile: Tile) -> None:
            cancel.check()
            cells = _cells(tile)
            view = self.view(Tile(*(edge * _CELL for edge in cells)))
            for _ in range(_FINE_LEVELS):
                view = view.halved()
            whole.colours[:, *cells.slices] = view.colours
            whole.alpha[cells.slices] = view.alpha
            whole.trust[cells.slices] = view.trust

        on_cores(work, tiles)
        return whole


def _cells(tile: Tile) -> Tile:
    """The tile in cells; those at the right and bottom may go on beyond the frame."""
    return Tile(
        tile.top // _CELL, -(-tile.bottom // _CELL), tile.left // _CELL, -(-tile.right // _CELL)
    )


@dataclass(frozen=True, slots=True)
class _Level:
    """What is the same for every channel at one size.

    shares: 2 x h x w, how much of a pixel is subject and how much background.
    weight: 2 x h x w, how much it tells its neighbours about either.
    spread: 2 x h x w, one over the sum of the weights around it.
    gain:   h x w, how much of what its colour leaves unexplained to give to the sides.
    """

    shares: Planes
    weight: Planes
    spread: Planes
    gain: Planes

    @classmethod
    def of(cls, view: _View) -> "_Level":
        """The level of a view.

        The gain explains a colour with the least change to both sides, in the sense of least
        squares. The weight is the fourth power of the share, the best of the powers 1 to 4 on
        photos with true alpha.
        """
        shares = np.stack((view.alpha, 1 - view.alpha))
        squares = shares * shares
        weight = squares * squares * view.trust
        weight += _UNSEEN
        gain = view.trust.copy()
        gain /= view.trust * (squares[0] + squares[1]) + _SLACK
        spread = np.ones_like(weight)
        spread /= _around(weight)
        return cls(shares, weight, spread, gain)

    def settle(self, sides: Planes, colours: Planes) -> Planes:
        """Blur a guess of the sides, channels x 2 x h x w, and have it explain the colours."""
        self._explain(sides, colours)
        for _ in range(_BLURS):
            sides = _around(sides * self.weight)
            sides *= self.spread
            self._explain(sides, colours)
        return np.clip(sides, 0, 1, out=sides)

    def _explain(self, sides: Planes, colours: Planes) -> None:
        unexplained = colours - self.shares[0] * sides[:, 0]
        unexplained -= self.shares[1] * sides[:, 1]
        unexplained *= self.gain
        sides += self.shares * unexplained[:, np.newaxis]


def _subject(layer: _Layer, tile: Tile, above: Planes, cancel: CancelToken) -> Planes:
    """The subject's colours in a tile, channels x h x w, from the sides of the whole `above`."""
    top, bottom, left, right = _cells(tile)
    cells = Tile(top - _HALO, bottom + _HALO, left - _HALO, right + _HALO)
    outer = Tile(*(edge * _CELL for edge in cells))
    sides = _separated(_views(layer.view(outer), _FINE_LEVELS), _window(above, cells), cancel)
    return sides[:, 0, *tile.within(outer).slices]


def _separated_whole(view: _View, cancel: CancelToken) -> Planes:
    """Both sides of a whole view; at first, on a level of one pixel, they are the same."""
    views = _views(view, (max(view.alpha.shape) - 1).bit_length() + 1)
    mean = views[-1].colours
    return _separated(views, np.stack((mean, mean), axis=1), cancel)


def _views(finest: _View, count: int) -> list[_View]:
    views = [finest]
    while len(views) < count:
        views.append(views[-1].halved())
    return views


def _separated(views: Sequence[_View], sides: Planes, cancel: CancelToken) -> Planes:
    """Both sides at the size of the first view, channels x 2 x h x w; each view halves the last.

    sides: the same at half the size of the last view, or at its own.
    """
    for view in reversed(views):
        cancel.check()
        sides = _Level.of(view).settle(_enlarged(sides, view.alpha.shape), view.colours)
    return sides


def _halved(planes: Planes) -> Planes:
    """Means of 2 x 2 pixels of the last two axes; an odd last row or column counts twice."""
    height, width = planes.shape[-2:]
    odd = [*[(0, 0)] * (planes.ndim - 2), (0, height % 2), (0, width % 2)]
    if height % 2 or width % 2:
        planes = np.pad(planes, odd, mode="edge")
    rows = planes[..., ::2, :] + planes[..., 1::2, :]
    sums = rows[..., ::2] + rows[..., 1::2]
    sums *= np.float32(0.25)
    return sums


def _enlarged(planes: Planes, size: tuple[int, ...]) -> Planes:
    """Twice the size along the last two axes, cut to `size`; a copy if it has that size already."""
    if planes.shape[-2:] == size:
        return planes.copy()
    return planes.repeat(2, axis=-2).repeat(2, axis=-1)[..., : size[0], : size[1]]


def _around(planes: Planes) -> Planes:
    """Sums over 3 x 3 pixels of the last two axes; the edge is repeated."""
    rows = np.empty_like(planes)
    np.add(planes[..., 1:, :], planes[..., :-1, :], out=rows[..., 1:, :])
    np.add(planes[..., 0, :], planes[..., 0, :], out=rows[..., 0, :])
    rows[..., :-1, :] += planes[..., 1:, :]
    rows[..., -1, :] += planes[..., -1, :]
    sums = np.empty_like(planes)
    np.add(rows[..., 1:], rows[..., :-1], out=sums[..., 1:])
    np.add(rows[..., 0], rows[..., 0], out=sums[..., 0])
    sums[..., :-1] += rows[..., 1:]
    sums[..., -1] += rows[..., -1]
    return sums


def _window(samples: Array, tile: Tile) -> Array:
    """The tile of the last two axes, which go on beyond the frame as they are at the frame."""
    height, width = samples.shape[-2:]
    rows = slice(max(tile.top, 0), min(tile.bottom, height))
    columns = slice(max(tile.left, 0), min(tile.right, width))
    part = samples[..., rows, columns]
    outside = [
        *[(0, 0)] * (samples.ndim - 2),
        (rows.start - tile.top, tile.bottom - rows.stop),
        (columns.start - tile.left, tile.right - columns.stop),
    ]
    return cast(Array, np.pad(part, outside, mode="edge") if np.any(outside) else part)


def _unit(samples: NDArray[Any]) -> Planes:
    """Samples of 8 or 16 bits as 0..1."""
    scale = np.float32(1 / np.iinfo(samples.dtype).max)
    return cast(Planes, np.multiply(samples, scale, dtype=np.float32))
