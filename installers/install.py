#!/usr/bin/env python3
"""Install Maskwright for the current user: `python3 installers/install.py [PHOTO]`.

Only this file has to be readable by an old Python, which it turns away with a sentence.
"""

import sys

if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036
        sys.exit(
            "Maskwright needs Python 3.11 or newer, and this is Python {}.{}: run the same command "
            "with a newer one, for example python3.12.".format(*sys.version_info)
        )
    sys.dont_write_bytecode = True  # nothing is written into the checkout
    from pathlib import Path

    sys.path.insert(1, str(Path(__file__).resolve().parent.parent / "engine"))
    from command_line import main

    sys.exit(main())
