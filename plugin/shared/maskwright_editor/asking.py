"""Work with the engine in a thread of its own, while the main thread stays awake."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from maskwright_client.connection import Connection
from maskwright_client.errors import ClientError
from maskwright_client.places import locate

T = TypeVar("T")

_TICK_S = 0.05


class Call(Generic[T]):
    """Something that runs in a thread; its outcome is asked for in the main thread."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._result: list[T] = []
        self._error: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, name="maskwright", daemon=True)
        self._thread.start()

    def result(self, tick: Callable[[], None]) -> T:
        """Wait for it, calling `tick` many times a second; raises what the work raised."""
        while self._thread.is_alive():
            self._thread.join(_TICK_S)
            tick()
        if self._error:
            raise self._error[0]
        return self._result[0]

    def _run(self) -> None:
        try:
            self._result.append(self._work())
        except BaseException as error:  # raised again where the result is asked for
            self._error.append(error)


class Background:
    """Pieces of work one after the other in a thread that does not keep anybody waiting."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []

    def run(self, work: Callable[[], None], failed: Callable[[ClientError], None]) -> None:
        """Do something; `failed` is called in that thread."""

        def guarded() -> None:
            try:
                work()
            except ClientError as error:
                failed(error)

        thread = threading.Thread(target=guarded, name="maskwright-background", daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """Wait until all has ended; whoever calls has cancelled it."""
        for thread in self._threads:
            thread.join()


def connect() -> Connection:
    """This user's engine."""
    return Connection(locate(sys.platform, os.environ, Path.home()), os.environ)
