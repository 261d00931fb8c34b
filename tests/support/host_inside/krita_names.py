"""What a script finds when it is run inside Krita."""

from importlib import import_module
from typing import Any

krita: Any = import_module("krita")
# Krita has no use for the other Qt, and some versions crash with it.
_QT = getattr(import_module("pykrita"), "qt_major_version", lambda: 5)()
QtCore, QtGui, QtWidgets = (
    import_module(f"PyQt{_QT}.{name}") for name in ("QtCore", "QtGui", "QtWidgets")
)


def krita_names() -> dict[str, Any]:
    """The names, new for everybody who asks."""
    return {
        "Krita": krita.Krita,
        "InfoObject": krita.InfoObject,
        "Selection": krita.Selection,
        "QtCore": QtCore,
        "QtGui": QtGui,
        "QtWidgets": QtWidgets,
    }
