"""Connected components of a matte, from runs: maximal spans of one row above a threshold.

A matte of millions of pixels has some ten thousand runs, so everything after finding them is cheap.
Runs that touch between two rows are joined by a union-find without a loop over runs: every tree is
flattened by pointer jumping, then each root with a smaller neighbour is hooked below it, until no
edge is left (after Shiloach and Vishkin, An O(log n) parallel connectivity algorithm, 1982).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskwright.matting.tiles import Matte

Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]

_BAND_ROWS = 256


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of a picture, in reading order.

    height, width: the picture's. start, stop: positions in a row-major picture that has one more
    column, always clear, on its right, so that no run reaches from one row into the next.
    """

    height: int
    width: int
    start: Indices
    stop: Indices

    @property
    def stride(self) -> int:
        """Positions from one row to the next."""
        return self.width + 1

    def paint(self, flags: Flags) -> Flags:
        """The pixels of the flagged runs: H x W."""
        edges = np.stack((self.start[flags], self.stop[flags]), axis=1).ravel()
        lengths = np.diff(edges, prepend=0, append=self.height * self.stride)
        inside = np.arange(lengths.size) % 2 == 1
        painted: Flags = np.repeat(inside, lengths)
        return painted.reshape(self.height, self.stride)[:, : self.width]

    def paint_cells(self, flags: Flags, cell: int) -> Flags:
        """The cells of `cell` x `cell` pixels that hold a pixel of a flagged run."""
        if cell == 1:
            return self.paint(flags)
        rows, columns = -(-self.height // cell), -(-self.width // cell)
        y, first = np.divmod(self.start[flags], self.stride)
        last = (self.stop[flags] - 1) % self.stride
        row = y // cell * (columns + 1)
        size = rows * (columns + 1)
        begun = np.bincount(row + first // cell, minlength=size)
        ended = np.bincount(row + last // cell + 1, minlength=size)
        covered = np.cumsum(begun - ended).reshape(rows, columns + 1)[:, :columns]
        return covered > 0


@dataclass(frozen=True, slots=True)
class Components:
    """Which run belongs to which component.

    label: a component's number for every run, 0 .. count - 1 in reading order of first pixels.
    area: pixels of every component.
    """

    runs: Runs
    label: Indices
    area: Indices

    def at_frame(self) -> Flags:
        """Which components touch the picture's frame."""
        runs = self.runs
        y, first = np.divmod(runs.start, runs.stride)
        touching = (y == 0) | (y == runs.height - 1) | (first == 0)
        touching |= runs.stop % runs.stride == runs.width
        return self.marked(touching)

    def containing(self, inner: Runs) -> Flags:
        """Which components hold a run of `inner`, each of which lies within one run of these."""
        held = np.zeros(self.label.size, np.bool_)
        held[np.searchsorted(self.runs.start, inner.start, side="right") - 1] = True
        return self.marked(held)

    def marked(self, flags: Flags) -> Flags:
        """Which components have a flagged run."""
        found = np.zeros(self.area.size, np.bool_)
        found[self.label[flags]] = True
        return found


def runs_between(matte: Matte, low: int, high: int) -> Runs:
    """The runs of alpha `low` .. `high` (both included) in a matte, H x W, uint8."""
    height, width = matte.shape
    found = []
    for top in range(0, height, _BAND_ROWS):
        band = matte[top : top + _BAND_ROWS]
        # One clear position ahead: a run at the very start then begins with a change as well.
        inside = np.zeros(band.shape[0] * (width + 1) + 1, np.bool_)
        cells = inside[1:].reshape(band.shape[0], width + 1)[:, :width]
        np.less_equal(band - np.uint8(low), np.uint8(high - low), out=cells)
        found.append(np.flatnonzero(inside[1:] != inside[:-1]) + top * (width + 1))
    changes = np.concatenate(found)
    return Runs(height, width, changes[0::2], changes[1::2])


def components(runs: Runs, *, diagonal: bool) -> Components:
    """Join runs that touch; with `diagonal` also at a corner (8-connected, else 4-connected)."""
    count = runs.start.size
    reach = 1 if diagonal else 0
    # The runs first .. beyond - 1 are those of the row above that touch this one.
    first = np.searchsorted(runs.stop, runs.start - runs.stride + 1 - reach)
    beyond = np.searchsorted(runs.start, runs.stop - runs.stride + reach)
    touching = np.maximum(beyond - first, 0)
    own = np.arange(count)
    parent = np.where(touching > 0, first, own)
    more = np.maximum(touching - 1, 0)
    lower = np.repeat(own, more)
    upper = np.repeat(first + 1, more) + _ramps(more)
    roots = _joined(parent, lower, upper)
    label, area = _numbered(roots, runs.stop - runs.start)
    return Components(runs, label, area)


def _ramps(lengths: Indices) -> Indices:
    """0, 1, .. n - 1 for every n of `lengths`, one after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if ends.size else 0
    ramps: Indices = np.arange(total) - np.repeat(ends - lengths, lengths)
    return ramps


def _joined(parent: Indices, left: Indices, right: Indices) -> Indices:
    """The root of every node of a forest once the ends of all edges are in the same tree."""
    parent = _flattened(parent)
    while True:
        left, right = parent[left], parent[right]
        apart = left != right
        if not apart.any():
            return parent
        left, right = left[apart], right[apart]
        np.minimum.at(parent, np.maximum(left, right), np.minimum(left, right))
        parent = _flattened(parent)


def _flattened(parent: Indices) -> Indices:
    """Every node's root, by pointer jumping."""
    while True:
        grand = parent[parent]
        if np.array_equal(grand, parent):
            return parent
        parent = grand


def _numbered(roots: Indices, lengths: Indices) -> tuple[Indices, Indices]:
    """Consecutive labels for roots, and the sum of `lengths` under each."""
    is_root = roots == np.arange(roots.size)
    label = (np.cumsum(is_root) - 1)[roots]
    area = np.bincount(label, weights=lengths).astype(np.int64)
    return label, area
