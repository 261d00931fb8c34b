"""Model downloads for the hosts: one at a time, each listened to by whoever wants."""

import asyncio
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Protocol

from maskwright_client.protocol import DownloadEvent, DownloadState, Fault

from maskwright.cancel import CancelToken
from maskwright.errors import Cancelled, InputError, MaskwrightError
from maskwright.models.store import Progress

log = logging.getLogger(__name__)

_TICK_S: Final = 0.25


class Getter(Protocol):
    """Who gets models; `models.store.Store` is one."""

    def get(
        self,
        model_id: str,
        *,
        accept_licence: bool = False,
        progress: Progress = ...,
        cancel: CancelToken | None = None,
    ) -> Path:
        """See `models.store.Store.get`."""


class Downloads:
    """The download that runs, and how the last one of each model ended; on the event loop."""

    def __init__(self, store: Getter) -> None:
        self._store = store
        self._events: dict[str, DownloadEvent] = {}
        self._running: str | None = None
        self._cancel = CancelToken()
        self._thread = ThreadPoolExecutor(1, "download")
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def active(self) -> bool:
        """Whether one runs."""
        return self._running is not None

    async def start(self, model_id: str, size: int, *, accept_licence: bool) -> None:
        """Begin to load a model, unless that is going on; InputError `download-running`.

        One of the same model that was cancelled and has not ended yet is waited for.
        """
        while self._running == model_id and self._cancel.cancelled:
            await asyncio.wait(set(self._tasks))
        if self._running == model_id:
            return
        if self._running is not None:
            raise InputError(
                "download-running",
                "Another model is being downloaded; wait for it, or cancel it first.",
            )
        self._running, self._cancel = model_id, CancelToken()
        self._events[model_id] = DownloadEvent(DownloadState.downloading, 0, size)
        task = asyncio.create_task(self._load(model_id, accept_licence))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self, model_id: str | None = None) -> None:
        """Stop the download of that model, or whichever runs; what was loaded stays."""
        if self._running is not None and model_id in (None, self._running):
            self._cancel.cancel()

    async def events(self, model_id: str) -> AsyncIterator[DownloadEvent]:
        """How the model's download stands, a few times a second, until it has ended."""
        while True:
            event = self._events.get(model_id)
            if event is None:
                raise InputError("not-found", "This model is not being downloaded.")
            yield event
            if event.state.is_final:
                return
            await asyncio.sleep(_TICK_S)

    def knows(self, model_id: str) -> bool:
        """Whether there is something to say about a download of that model."""
        return model_id in self._events

    async def _load(self, model_id: str, accept_licence: bool) -> None:
        loop, cancel = asyncio.get_running_loop(), self._cancel

        def note(event: DownloadEvent) -> None:
            self._events[model_id] = event

        def progress(done: int, total: int) -> None:
            loop.call_soon_threadsafe(note, DownloadEvent(DownloadState.downloading, done, total))

        def get() -> None:
            self._store.get(
                model_id, accept_licence=accept_licence, progress=progress, cancel=cancel
            )

        size = self._events[model_id].bytes_total
        try:
            await loop.run_in_executor(self._thread, get)
            last = DownloadEvent(DownloadState.done, size, size)
        except Cancelled:
            last = DownloadEvent(DownloadState.cancelled, 0, size)
        except MaskwrightError as error:
            log.warning("download failed: %s", error.code)
            fault = Fault(error.code, str(error))
            last = DownloadEvent(DownloadState.failed, 0, size, fault)
        except Exception:
            log.exception("download failed")
            fault = Fault("internal-error", "The download failed inside; look at the engine's log.")
            last = DownloadEvent(DownloadState.failed, 0, size, fault)
        finally:
            self._running = None
        # After the progress that the thread has reported.
        loop.call_soon(note, last)
