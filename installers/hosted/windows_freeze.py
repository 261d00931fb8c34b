#!/usr/bin/env python3
"""Freeze the engine for Windows, on Windows: `python installers/hosted/windows_freeze.py ENGINE`.

The setup is made of it by `installers/build.py setup --payload ENGINE`, on Linux; see windows.yml.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

_INSTALLERS = Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True  # nothing is written into the checkout
sys.path[:0] = [str(_INSTALLERS), str(_INSTALLERS.parent / "engine")]

from artefacts import cache_folder, say  # noqa: E402
from environment import Shell  # noqa: E402
from frozen.freeze import freeze  # noqa: E402
from maskwright.setup.failure import InstallError  # noqa: E402


def main() -> int:
    """Freeze into the folder that is named; returns the exit code."""
    words = sys.argv[1:]
    if len(words) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    cache = cache_folder(os.environ)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="maskwright-build-", dir=cache) as work:
        try:
            made = freeze(cache, Path(work), Shell(cache / "build.log", os.environ), say)
        except InstallError as error:
            print(f"\n{error}", file=sys.stderr)
            return error.exit_code
        shutil.move(made, Path(words[0]).resolve())  # which may be on another drive
    return 0


if __name__ == "__main__":
    sys.exit(main())
