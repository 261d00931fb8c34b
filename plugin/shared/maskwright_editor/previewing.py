"""The preview's work with the engine, in a thread of its own: only the latest wish counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Union

from maskwright_client.cancel import CancelSwitch
from maskwright_client.errors import Cancelled, ClientError
from maskwright_client.protocol import AlphaRequest, Combine, MatteEvent, MatteInfo, preview_size

from maskwright_editor.matte import Matte
from maskwright_editor.picture import Frame, cut, sampled
from maskwright_editor.record import Existing
from maskwright_editor.strokes import carried_over
from maskwright_editor.wish import Wish


@dataclass(frozen=True)
class View:
    """What is to be seen: with which wish, the whole (its longest side) or a frame of it."""

    wish: Wish
    longest: int
    frame: Frame | None = None


@dataclass(frozen=True)
class Seen:
    """What came of a view: the mask's bytes, and what there is to say about the matte."""

    view: View
    alpha: bytes
    info: MatteInfo


News = Union[MatteEvent, Seen, ClientError]  # noqa: UP007  # evaluated, and Python 3.10


class Previewer:
    """Shows views as they are asked for; what was asked for in between is left out.

    `tell` is called in this thread with what there is to show: the caller sees to it that it comes
    to the main thread. `existing` is the mask that the new one meets, which is shown as well.
    """

    def __init__(
        self,
        matte: Matte,
        tell: Callable[[MatteEvent | Seen | ClientError], None],
        existing: Existing | None = None,
    ) -> None:
        self._matte = matte
        self._existing = existing
        self._small: tuple[int, Existing] | None = None
        self._tell = tell
        self._wanted: View | None = None
        self._changed = threading.Condition()
        self._cancel = CancelSwitch()
        self._left = False
        self._thread = threading.Thread(target=self._run, name="maskwright-preview", daemon=True)
        self._thread.start()

    def show(self, view: View) -> None:
        """Ask for a view."""
        with self._changed:
            self._wanted = view
            self._changed.notify()

    def leave(self) -> None:
        """Ask for no more; what runs goes on, so that whoever wants the matte next has it."""
        with self._changed:
            self._left = True
            self._changed.notify()

    def stop(self) -> None:
        """Ask for no more; whatever runs is cancelled."""
        self._cancel.cancel()
        self.leave()
        self._thread.join()

    def _run(self) -> None:
        while (view := self._next()) is not None:
            try:
                self._tell(self._seen(view))
            except Cancelled:
                return
            except ClientError as error:
                self._tell(error)

    def _next(self) -> View | None:
        with self._changed:
            while self._wanted is None and not self._left:
                self._changed.wait()
            view, self._wanted = self._wanted, None
            return None if self._left else view

    def _seen(self, view: View) -> Seen:
        wish, frame, existing = view.wish, view.frame, self._part(view)
        combine = Combine.replace if existing is None else wish.existing
        request = AlphaRequest(
            edges=wish.edges,
            region=frame.region if frame else None,
            preview=None if frame else view.longest,
            combine=combine,
        )
        old = existing.mask if existing and combine is not Combine.replace else None
        alpha, info = self._matte.alpha(wish, request, self._tell, self._cancel, old)
        return Seen(view, carried_over(wish, existing, alpha), info)

    def _part(self, view: View) -> Existing | None:
        """What a view shows of the mask that is there."""
        whole, pixels, frame = self._existing, self._matte.pixels, view.frame
        if whole is None:
            return None
        if frame is not None:
            return _each(whole, lambda mask: cut(mask, pixels.width, 1, frame))
        if self._small is None or self._small[0] != view.longest:
            size = preview_size(pixels.width, pixels.height, view.longest)
            small = _each(whole, lambda mask: sampled(mask, pixels.width, pixels.height, size))
            self._small = (view.longest, small)
        return self._small[1]


def _each(existing: Existing, change: Callable[[bytes], bytes]) -> Existing:
    """The same change for a mask and for how it was when it was written."""
    record = existing.record
    changed = record and replace(record, written=change(record.written))
    return Existing(change(existing.mask), changed)
