"""Runs one script of a test in GIMP's own Python, without a display."""

import os
import sys

sys.path.insert(0, os.environ["HOST_SUPPORT"])

from host_inside.gimp_names import gimp_names
from host_inside.script_server import run_file

run_file(os.environ["HOST_JOB"], gimp_names())
