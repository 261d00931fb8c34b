"""The Qt that this Krita is built on; some refuse the other one, some crash with it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Krita 5.2 does not say, and knows the one only.
_MAJOR: int = getattr(import_module("pykrita"), "qt_major_version", lambda: 5)()

QtCore: Any = import_module(f"PyQt{_MAJOR}.QtCore")
QtGui: Any = import_module(f"PyQt{_MAJOR}.QtGui")
QtWidgets: Any = import_module(f"PyQt{_MAJOR}.QtWidgets")
