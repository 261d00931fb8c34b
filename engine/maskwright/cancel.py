"""Stopping work that another thread no longer wants."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from maskwright.errors import Cancelled


class CancelToken:
    """Handed to long work; `cancel` may be called from any thread, any number of times.

    Work calls `check` between its steps. A step that can be interrupted from outside (a network
    run) registers how with `interrupting`; the callback runs in the thread that cancels.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._interrupts: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to stop."""
        return self._cancelled

    def cancel(self) -> None:
        """Ask the work to stop, and interrupt the step that runs now if it can be."""
        with self._lock:
            self._cancelled = True
            interrupts = list(self._interrupts)
        for interrupt in interrupts:
            interrupt()

    def check(self) -> None:
        """Raise `Cancelled` if somebody asked to stop."""
        if self._cancelled:
            raise Cancelled

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Call `interrupt` if the work is cancelled while the body runs."""
        with self._lock:
            self.check()
            self._interrupts.append(interrupt)
        try:
            yield
        finally:
            with self._lock:
                self._interrupts.remove(interrupt)
