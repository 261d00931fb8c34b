"""Runs PyInstaller so that the same sources make the same bundle, and nothing is kept elsewhere.

    python run_pyinstaller.py PACKAGES WORK [ARGUMENT]...

PACKAGES is one more folder to import from; WORK is for what PyInstaller wants to keep.
"""

import os
import subprocess
import sys
from pathlib import Path

_A_DAY_IN_1980 = "315532800"


def main() -> int:
    """Run it to its end; returns its exit code."""
    packages, work, *arguments = sys.argv[1:]
    same_each_time = {"PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": _A_DAY_IN_1980}
    own = {"PYTHONPATH": packages, "PYINSTALLER_CONFIG_DIR": str(Path(work, "config"))}
    nothing_here = {"PYTHONDONTWRITEBYTECODE": "1"}  # of our hooks, in the checkout
    given = {**os.environ, **same_each_time, **own, **nothing_here}
    command = [sys.executable, "-m", "PyInstaller", "--workpath", work, *arguments]
    return subprocess.run(command, env=given).returncode


if __name__ == "__main__":
    sys.exit(main())
