"""The engine, which gives all memory that it has freed back to the system at SIGUSR1.

Without that, what its threads' heaps keep for the next time cannot be told from what has leaked.
"""

import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import engine_launcher  # noqa: F401  # finds the checkout

if __name__ == "__main__":
    from maskwright.models.machine import give_back_memory

    signal.signal(signal.SIGUSR1, lambda number, frame: give_back_memory())

    from maskwright.cli import main

    main()
