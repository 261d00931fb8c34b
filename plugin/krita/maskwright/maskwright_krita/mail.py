"""The way from other threads into the main one, where Krita and all widgets live."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from maskwright_krita.qt import QtCore


class Mail(QtCore.QObject):  # type: ignore[misc]
    """What is posted in any thread is run in the thread that made this, one after the other."""

    _posted = QtCore.pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self._closed = threading.Event()
        self._posted.connect(self._run, QtCore.Qt.ConnectionType.QueuedConnection)

    def post(self, work: Callable[[], Any]) -> None:
        """Have something run; what is posted must guard itself."""
        if not self._closed.is_set():
            self._posted.emit(work)

    def close(self) -> None:
        """Run nothing any more."""
        self._closed.set()

    def _run(self, work: Callable[[], Any]) -> None:
        if not self._closed.is_set():
            work()
