"""Clean colours: layers and their masks come in, the layers go out; clients take turns.

Beside the mattes and not in their queue, as it takes a second where a network may take a minute.
Everything here runs on the event loop but the work itself.
"""

import asyncio
from collections.abc import Callable

from maskwright_client.protocol import ColoursRequest

from maskwright.cancel import CancelToken
from maskwright.errors import Cancelled
from maskwright.matting.colours import clean_colours
from maskwright.matting.photo import Samples
from maskwright.service.frames import Frame
from maskwright.service.jobs import photo_of
from maskwright.service.limits import Limits, Stopping, out_of_memory
from maskwright.service.turns import OneByOne


class Cleaning:
    """One layer at a time, in a thread."""

    def __init__(self, limits: Limits) -> None:
        self._order = OneByOne(limits.waiting, limits.waiting_each)
        self._is_stopping = False
        self._running: CancelToken | None = None

    @property
    def active(self) -> int:
        """Layers that wait or are being cleaned."""
        return self._order.active

    def check_open(self) -> None:
        """Raise Busy or Stopping when no layer can be taken, whoever asks."""
        if self._is_stopping:
            raise Stopping
        self._order.check_room()

    def stop(self) -> None:
        """Take no more layers, and none that wait; the one in hand may be finished."""
        self._is_stopping = True

    def abandon(self) -> None:
        """Stop with the one in hand, too."""
        self.stop()
        if self._running is not None:
            self._running.cancel()

    async def clean(self, frame: Frame[ColoursRequest]) -> Samples:
        """The pixels that were sent, cleaned, in the memory that they came in or in a copy.

        Raises Busy, Stopping, and ModelError `not-enough-memory`.
        """
        async with self._order.turn(frame.head.client):
            if self._is_stopping:
                raise Stopping
            self._running = cancel = CancelToken()
            try:
                return await _to_its_end(lambda: _cleaned(frame, cancel), cancel)
            except Cancelled as error:
                raise Stopping from error
            finally:
                self._running = None


def _cleaned(frame: Frame[ColoursRequest], cancel: CancelToken) -> Samples:
    asked = frame.head
    layer = photo_of(asked, frame.samples[: asked.pixels_bytes])
    mask = frame.samples[asked.pixels_bytes :].reshape(asked.height, asked.width)
    try:
        cleaned = clean_colours(layer.rgb, mask, cancel, layer.alpha)
    except MemoryError as error:
        raise out_of_memory() from error
    if asked.channels == 3:
        return cleaned
    layer.rgb[:] = cleaned  # a view of what came in: the alpha beside it stays
    return frame.samples[: asked.pixels_bytes]


async def _to_its_end(work: Callable[[], Samples], cancel: CancelToken) -> Samples:
    """Run the work in a thread; who is cancelled meanwhile cancels it, and stays until it ends."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        cancel.cancel()
        await asyncio.gather(working, return_exceptions=True)
        raise
