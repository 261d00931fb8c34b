"""The settings as a native dialog."""

from __future__ import annotations

import gi

from maskwright_gimp.arguments import arguments

gi.require_version("Gtk", "3.0")
gi.require_version("GimpUi", "3.0")
from gi.repository import Gimp, GimpUi  # noqa: E402


def ask(procedure: Gimp.Procedure, config: Gimp.ProcedureConfig) -> bool:
    """Let the designer choose; False if they changed their mind."""
    GimpUi.init("maskwright")
    dialog = GimpUi.ProcedureDialog.new(procedure, config, procedure.get_menu_label())
    for argument in arguments():
        if isinstance(argument.default, float):
            dialog.get_scale_entry(argument.name, 1.0)
    dialog.fill([argument.name for argument in arguments()])
    try:
        return bool(dialog.run())
    finally:
        dialog.destroy()
