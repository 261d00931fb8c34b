"""Running local operations over a large matte, tile by tile and on several cores."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Lock
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Matte = NDArray[np.uint8]
T = TypeVar("T")
R = TypeVar("R")

# Small enough that a tile's intermediate results stay in a core's cache.
TILE_HEIGHT = 256
TILE_WIDTH = 512
_MOST_THREADS = 4


class Tile(NamedTuple):
    """A rectangle of pixels; bottom and right lie just outside."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """What takes the tile out of a picture."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, halo: int) -> "Tile":
        """The tile with `halo` pixels around it, cut at the picture's top and left frame."""
        return Tile(
            max(0, self.top - halo),
            self.bottom + halo,
            max(0, self.left - halo),
            self.right + halo,
        )

    def within(self, outer: "Tile") -> "Tile":
        """The tile in the coordinates of one that surrounds it."""
        return Tile(
            self.top - outer.top,
            self.bottom - outer.top,
            self.left - outer.left,
            self.right - outer.left,
        )


def each_tile(
    shape: tuple[int, ...],
    work: Callable[[Tile], None],
    told: Callable[[float], None] | None = None,
) -> None:
    """Call `work` once for every tile of a picture of `shape`, from several threads at a time.

    After each of them `told` hears the share that is done, rising to 1; one call at a time.
    """
    height, width = shape
    tiles = [
        Tile(y, min(y + TILE_HEIGHT, height), x, min(x + TILE_WIDTH, width))
        for y in range(0, height, TILE_HEIGHT)
        for x in range(0, width, TILE_WIDTH)
    ]
    if told is None:
        on_cores(work, tiles)
        return
    done, lock = count(1), Lock()

    def heard(tile: Tile) -> None:
        work(tile)
        with lock:
            told(next(done) / len(tiles))

    on_cores(heard, tiles)


def on_cores(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """What `work` makes of each item, in order; several at a time, one for each core."""
    threads = min(cores(), len(items))
    if threads <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))


def cores() -> int:
    """How many threads are worth starting."""
    return min(os.cpu_count() or 1, _MOST_THREADS)


def in_tiles(matte: Matte, halo: int, operation: Callable[[Matte], Matte]) -> Matte:
    """Apply `operation` to a matte, H x W, uint8, as if it saw the whole picture; a new array.

    `operation` maps an array to one of its shape, looks no further than `halo` pixels from the
    pixel it computes, ends at the array's border as it does at the picture's, and leaves a constant
    array as it is: that is why flat tiles, most of a usual matte, cost nothing.
    """
    result = np.empty_like(matte)

    def work(tile: Tile) -> None:
        outer = tile.grown(halo)
        window = matte[outer.slices]
        if window.min() != window.max():
            window = operation(window)
        result[tile.slices] = window[tile.within(outer).slices]

    each_tile(matte.shape, work)
    return result
