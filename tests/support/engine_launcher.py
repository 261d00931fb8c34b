"""The `maskwright` command as a file that an isolated Python can run, for tests only.

It stands for the installed command: the environment is cleaned before an engine starts, so the
checkout cannot come by PYTHONPATH. Anything that leaves the machine ends the process.
"""

import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT / name) for name in ("engine", "plugin/shared", "tests/support")]

from loopback_only import only_loopback  # noqa: E402

only_loopback()  # in the network process, too: it runs this file again under another name

if __name__ == "__main__":
    from maskwright.cli import main

    main()
