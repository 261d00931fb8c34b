"""Runs scripts of a test in GIMP's own Python for as long as its window is open.

This is a process of its own beside GIMP's, so the window stays alive while a script runs.
"""

import os
import sys

sys.path.insert(0, os.environ["HOST_SUPPORT"])

from host_inside.gimp_names import gimp_names
from host_inside.script_server import listen, serve_one

listener = listen(os.environ["HOST_LINE"])
names = gimp_names()
while True:
    serve_one(listener, names)
