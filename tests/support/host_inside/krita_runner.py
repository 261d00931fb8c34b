"""Runs one script of a test in Krita's own Python, without a display."""

import os
import sys

from host_inside.krita_names import krita_names
from host_inside.script_server import run_file


def __main__(arguments: list[str]) -> None:
    """Kritarunner calls this with what is left of its command line."""
    well = run_file(arguments[0], krita_names())
    sys.stdout.flush()
    sys.stderr.flush()
    # Kritarunner itself may crash when it takes everything down, and knows no other exit code.
    os._exit(0 if well else 1)
