#!/usr/bin/env python3
"""Build what users download: `python3 installers/build.py [--out FOLDER] [ARTEFACT ...]`."""

import sys

if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036
        sys.exit("Building needs Python 3.11 or newer: run this with one, for example python3.12.")
    sys.dont_write_bytecode = True  # nothing is written into the checkout
    from pathlib import Path

    sys.path.insert(1, str(Path(__file__).resolve().parent.parent / "engine"))
    from artefacts import main

    sys.exit(main())
