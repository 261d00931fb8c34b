"""A plug-in of Krita that runs scripts of a test while the window is open; for tests only.

One script runs between two turns of Krita's event loop. Krita notices some things only there, the
active layer of a document just opened for one: such a step goes into the next script.
"""

import contextlib
import os
import sys

sys.path.insert(0, os.environ["HOST_SUPPORT"])

from host_inside.krita_names import QtCore, krita, krita_names
from host_inside.script_server import listen, serve_one

_EVERY_MS = 20


class TestHook(krita.Extension):  # type: ignore[misc]
    """Looks for scripts as long as Krita runs."""

    def setup(self) -> None:
        """Krita calls this once, before there is a window."""
        self._listener = listen(os.environ["HOST_LINE"])
        self._listener.setblocking(False)
        self._names = krita_names()
        self._timer = QtCore.QTimer()
        self._timer.timeout.connect(self._look)
        self._timer.start(_EVERY_MS)

    def createActions(self, window: object) -> None:
        """Krita calls this for every window."""

    def _look(self) -> None:
        with contextlib.suppress(BlockingIOError):
            serve_one(self._listener, self._names)


krita.Krita.instance().addExtension(TestHook(krita.Krita.instance()))
