#!/usr/bin/env python3
"""Maskwright for GIMP 3: registers the procedures, and nothing more.

GIMP asks every plug-in at its start what it can do; one that fails then is missing from the menus
without a word. So whatever can fail is imported when a procedure runs.
"""

import os
import sys

import gi

# Read by babl, which converts colours for GIMP, when it starts in this process: its tables for
# profiles take 350 MB for a moment, however small the layer.
os.environ.setdefault("BABL_LUT", "0")

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, Gio  # noqa: E402


class Maskwright(Gimp.PlugIn):
    """The plug-in as GIMP sees it."""

    def do_set_i18n(self, name):
        """Texts are translated before GIMP hears them, from the editors' common catalogue."""
        return False

    def do_query_procedures(self):
        """Name the procedures."""
        from maskwright_gimp.registration import HELP_DOMAIN, NAMES

        help_folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "help")
        self.set_help_domain(HELP_DOMAIN, Gio.File.new_for_path(help_folder))
        return list(NAMES)

    def do_create_procedure(self, name):
        """Describe one of them."""
        from maskwright_gimp.registration import create

        return create(self, name)


if __name__ == "__main__":
    Gimp.main(Maskwright.__gtype__, sys.argv)
