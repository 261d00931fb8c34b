"""What a script finds when it is run inside GIMP."""

from typing import Any

import gi

gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")

from gi.repository import Gegl, Gimp, Gio, GLib, GObject  # noqa: E402


def gimp_names() -> dict[str, Any]:
    """The names, new for everybody who asks."""
    return {"Gegl": Gegl, "Gimp": Gimp, "Gio": Gio, "GLib": GLib, "GObject": GObject}
