"""What tests want to know of the docker, asked inside a Krita with a window."""

import time
from typing import Any

from host_inside.krita_names import krita_names

_NAMES = krita_names()
Krita, QtCore, QtWidgets = (_NAMES[name] for name in ("Krita", "QtCore", "QtWidgets"))


def docker() -> Any:
    """The one in the first window."""
    dockers = Krita.instance().dockers()
    return next(one for one in dockers if one.objectName() == "maskwright_remove_background_docker")


def middle(widget: Any) -> list[int]:
    """Where on the screen its middle is."""
    spot = widget.mapToGlobal(QtCore.QPoint(widget.width() // 2, widget.height() // 2))
    return [spot.x(), spot.y()]


def document() -> Any:
    """The one in front."""
    return Krita.instance().activeDocument()


def layer() -> Any:
    """The lowest one."""
    return document().topLevelNodes()[0]


def masks() -> list[Any]:
    """The layer's transparency masks."""
    return [one for one in layer().childNodes() if one.type() == "transparencymask"]


def bytes_of(mask: Any) -> bytes:
    """All of a mask that is on the canvas."""
    return bytes(mask.pixelData(0, 0, document().width(), document().height()))


def questions() -> list[str]:
    """What is asked right now."""
    windows = QtWidgets.QApplication.topLevelWidgets()
    boxes = [one for one in windows if isinstance(one, QtWidgets.QMessageBox) and one.isVisible()]
    return [box.text() for box in boxes]


class Beat:
    """Looks at the clock whenever Krita has time: where it has none, there is a gap."""

    def __init__(self) -> None:
        self._desk = docker().desk  # the docker goes before Krita does
        self._timer = QtCore.QTimer()
        self._timer.timeout.connect(self._hear)
        self.start()
        self._timer.start(5)

    def start(self) -> None:
        """Begin anew."""
        self._last, self._doing = time.perf_counter(), "nothing"
        self.gaps: dict[str, float] = {}
        self.began: dict[str, float] = {}

    def _hear(self) -> None:
        now, before = time.perf_counter(), self._doing
        self._doing = self._desk.panel.doing.value
        if self._doing != before:
            self.began[self._doing] = now
        self.gaps[before] = round(max(self.gaps.get(before, 0.0), now - self._last), 3)
        self._last = now
