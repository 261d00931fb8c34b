"""What the frozen `maskwright` begins with."""

import multiprocessing
import os


def give_back_library_path() -> None:
    """Undo what the bundle's loader did to the environment, for the programs that we start.

    It put our libraries first on their way, too; this process has found its own by now.
    """
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if before is None:
        os.environ.pop("LD_LIBRARY_PATH", None)
    else:
        os.environ["LD_LIBRARY_PATH"] = before


if __name__ == "__main__":
    give_back_library_path()
    multiprocessing.freeze_support()  # the network's process is this program, too: it stays in here

    from maskwright.cli import main

    main()
