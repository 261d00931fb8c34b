"""Finished mattes: kept while there is room, handed out with any edge settings, no network run."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import asdict, dataclass, replace

import numpy as np
from maskwright_client.protocol import AlphaRequest, MatteInfo, Region, Review, preview_size
from PIL import Image

from maskwright.errors import InputError
from maskwright.matting.edges import (
    Combine,
    EdgeSettings,
    clean_regions,
    combine,
    edge_reach,
    narrowed,
    shape_edges,
    widened,
    with_edges,
)
from maskwright.matting.photo import Samples
from maskwright.matting.tiles import Matte

_MOST_PREVIEW = 4096
_SOFT = {"shift": 0.0, "feather": 0.0, "contrast": 0.0, "midpoint": 0.5, "invert": False}


class StoredMatte:
    """A refined matte, H x W, uint8 or uint16, and what is known about it; threads may share one.

    What the last slider needed is kept for its next step: the smaller version for a preview, and
    the cleaned regions, which take most of the time and which most sliders do not touch.
    """

    def __init__(self, matte: Samples, info: MatteInfo, review: Review) -> None:
        self.info = info
        self.review = review
        self._matte = matte
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[Hashable, Matte]] = {}

    @property
    def bytes(self) -> int:
        """The memory that it takes, what is kept for sliders included."""
        return int(self._matte.nbytes) + sum(kept.nbytes for _, kept in self._kept.values())

    def answer_size(self, request: AlphaRequest) -> tuple[int, int]:
        """Width and height of what the request asks for; raises InputError `bad-request`."""
        height, width = self._matte.shape
        if request.bits not in (8, 16):
            raise InputError("bad-request", "Alpha has 8 or 16 bits.")
        if request.region is not None and request.preview is not None:
            raise InputError("bad-request", "A region has no preview; ask for one of them.")
        if request.region is not None:
            _check_region(request.region, width, height)
            return request.region.width, request.region.height
        if request.preview is not None:
            if not 1 <= request.preview <= _MOST_PREVIEW:
                raise InputError("bad-request", f"A preview has 1 to {_MOST_PREVIEW} pixels.")
            return preview_size(width, height, request.preview)
        return width, height

    def alpha(self, request: AlphaRequest, mask: Matte | None) -> Samples:
        """What the request asks for, h x w; `mask`, of that size, is the one to combine with.

        Raises InputError `bad-request`, `bad-setting` or `bad-matte`.
        """
        size = self.answer_size(request)
        settings = EdgeSettings(**asdict(request.edges))
        if request.region is not None:
            alpha = self._region(request.region, settings)
        elif request.preview is not None:
            alpha = self._preview(size, settings)
        elif settings.is_neutral or not _cleans(settings):
            alpha = with_edges(self._matte, settings)
        else:
            alpha = shape_edges(self._cleaned(settings), settings)
        if mask is not None:
            alpha = combine(mask, narrowed(alpha), Combine(request.combine.value))
        return narrowed(alpha) if request.bits == 8 else _sixteen(alpha)

    def _region(self, region: Region, settings: EdgeSettings) -> Samples:
        """As if cut out of the whole: with its surroundings, on the grid of the whole."""
        rows = slice(region.top, region.top + region.height)
        columns = slice(region.left, region.left + region.width)
        if settings.is_neutral:
            return self._matte[rows, columns]
        whole, reach = self._cleaned(settings), edge_reach(settings)
        top = max(0, region.top - reach.halo) // reach.grid * reach.grid
        left = max(0, region.left - reach.halo) // reach.grid * reach.grid
        window = whole[top : rows.stop + reach.halo, left : columns.stop + reach.halo]
        shaped = shape_edges(window, settings)
        return shaped[rows.start - top :, columns.start - left :][: region.height, : region.width]

    def _preview(self, size: tuple[int, int], settings: EdgeSettings) -> Matte:
        small = self._keep("small", size, lambda: _reduced(narrowed(self._matte), *size))
        scaled = settings.scaled(small.shape[1] / self._matte.shape[1])
        return small if settings.is_neutral else shape_edges(clean_regions(small, scaled), scaled)

    def _cleaned(self, settings: EdgeSettings) -> Matte:
        """The whole matte in 8 bits with its regions cleaned."""
        if not _cleans(settings):
            return self._keep("narrow", (), lambda: narrowed(self._matte))
        key = replace(settings, **_SOFT)  # type: ignore[arg-type]
        return self._keep("clean", key, lambda: clean_regions(narrowed(self._matte), settings))

    def _keep(self, place: str, key: Hashable, make: Callable[[], Matte]) -> Matte:
        with self._lock:
            found = self._kept.get(place)
            if found is not None and found[0] == key:
                return found[1]
            made = make()
            if made.base is not self._matte and made is not self._matte:
                self._kept[place] = (key, made)
            return made


def _cleans(settings: EdgeSettings) -> bool:
    return bool(
        settings.drop_specks or settings.largest or settings.fill_holes or settings.solidify
    )


def _sixteen(alpha: Samples) -> Samples:
    return alpha if alpha.dtype == np.uint16 else widened(narrowed(alpha))


def _reduced(matte: Matte, width: int, height: int) -> Matte:
    return np.asarray(Image.fromarray(matte).resize((width, height), Image.Resampling.BOX))


def _check_region(region: Region, width: int, height: int) -> None:
    inside = (
        region.left >= 0
        and region.top >= 0
        and region.width >= 1
        and region.height >= 1
        and region.left + region.width <= width
        and region.top + region.height <= height
    )
    if not inside:
        raise InputError("bad-request", f"The region is not inside the {width} x {height} matte.")


@dataclass(frozen=True, slots=True)
class MatteKey:
    """What makes two mattes the same: the pixels and their layout, the model's file, the way."""

    digest: bytes
    width: int
    height: int
    channels: int
    bits: int
    model_sha256: str
    focus: bool


class MatteShelf:
    """Finished mattes by key, within a budget of bytes; the longest unused leave first."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._mattes: OrderedDict[MatteKey, StoredMatte] = OrderedDict()

    def __len__(self) -> int:
        return len(self._mattes)

    @property
    def bytes(self) -> int:
        """What all of them take."""
        return sum(matte.bytes for matte in self._mattes.values())

    def get(self, key: MatteKey) -> StoredMatte | None:
        """The matte, which now is the last to leave; None if it is not here."""
        found = self._mattes.get(key)
        if found is not None:
            self._mattes.move_to_end(key)
        return found

    def put(self, key: MatteKey, matte: StoredMatte) -> None:
        """Keep a matte. The newest always stays, even if it is larger than the budget."""
        self._mattes[key] = matte
        self._mattes.move_to_end(key)
        self.trim()

    def trim(self) -> None:
        """Let go of mattes until the rest fits."""
        while len(self._mattes) > 1 and self.bytes > self._budget:
            self._mattes.popitem(last=False)

    def drop(self, key: MatteKey) -> None:
        """Let go of one."""
        self._mattes.pop(key, None)
