"""The preview's work with the engine, in a thread of its own: only the latest wish counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Union

from maskwright_client.cancel import CancelSwitch
from maskwright_client.errors import Cancelled, ClientError
from maskwright_client.protocol import AlphaRequest, MatteEvent, MatteInfo

from maskwright_editor.matte import Matte
from maskwright_editor.picture import Frame
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
    to the main thread.
    """

    def __init__(
        self, matte: Matte, tell: Callable[[MatteEvent | Seen | ClientError], None]
    ) -> None:
        self._matte = matte
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
        frame = view.frame
        request = AlphaRequest(
            edges=view.wish.edges,
            region=frame.region if frame else None,
            preview=None if frame else view.longest,
        )
        alpha, info = self._matte.alpha(view.wish, request, self._tell, self._cancel)
        return Seen(view, alpha, info)
