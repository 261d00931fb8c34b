"""One layer's matte, as the engine has it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from maskwright_client.cancel import CancelSwitch
from maskwright_client.connection import Connection
from maskwright_client.errors import JobFailed
from maskwright_client.protocol import (
    UNKNOWN_MATTE,
    AlphaRequest,
    MatteEvent,
    MatteInfo,
    MatteRequest,
    MatteState,
)

from maskwright_editor.pixels import Pixels
from maskwright_editor.wish import Wish

_POLL_S = 0.05


class Matte:
    """Found once for a network, then only handed out; found anew if the engine let go of it.

    `client` names the editor to the engine. May be used from several threads: one waits for the
    other, and then has what that one found.
    """

    def __init__(self, connection: Connection, pixels: Pixels, client: str) -> None:
        self.pixels = pixels
        self._connection = connection
        self._client = client
        self._key: tuple[str, bool] | None = None
        self._found: tuple[str, MatteInfo] | None = None
        self._busy = threading.Lock()
        self._event = MatteEvent(MatteState.queued)

    @property
    def event(self) -> MatteEvent:
        """How the job stands, whichever thread waits for it."""
        return self._event

    def alpha(
        self,
        wish: Wish,
        request: AlphaRequest,
        progress: Callable[[MatteEvent], None],
        cancel: CancelSwitch,
        mask: bytes | None = None,
    ) -> tuple[bytes, MatteInfo]:
        """The alpha for a request; the network runs only if the engine has no such matte.

        Raises ClientError.
        """

        def hear(event: MatteEvent) -> None:
            self._event = event
            progress(event)

        with self._alone(cancel):
            return self._alpha(wish, request, hear, cancel, mask)

    def _alpha(
        self,
        wish: Wish,
        request: AlphaRequest,
        progress: Callable[[MatteEvent], None],
        cancel: CancelSwitch,
        mask: bytes | None,
    ) -> tuple[bytes, MatteInfo]:
        engine = self._connection.engine(lambda waited: None, cancel)
        again = self._found is not None
        if self._found is None or self._key != (wish.model, wish.focus):
            wanted = self._request(wish)
            self._found = engine.matte(wanted, self.pixels.samples, progress, cancel)
            self._key, again = (wish.model, wish.focus), False
        matte_id, info = self._found
        try:
            return bytes(engine.alpha(matte_id, info, request, mask, cancel).samples), info
        except JobFailed as error:
            if error.code != UNKNOWN_MATTE or not again:
                raise
        self._found = None  # the engine let go of it, or is another one by now
        return self._alpha(wish, request, progress, cancel, mask)

    @contextmanager
    def _alone(self, cancel: CancelSwitch) -> Iterator[None]:
        while not self._busy.acquire(timeout=_POLL_S):
            cancel.check()
        try:
            yield
        finally:
            self._busy.release()

    def _request(self, wish: Wish) -> MatteRequest:
        return MatteRequest(
            width=self.pixels.width,
            height=self.pixels.height,
            channels=self.pixels.channels,
            bits=8,
            model=wish.model,
            client=self._client,
            focus=wish.focus,
        )
