"""What a plug-in does at a click, for the Windows Python to run: have the engine make a matte.

    python.exe windows_client.py PLUG_IN PHOTO WIDTH HEIGHT MATTE

PLUG_IN is the folder that was placed, PHOTO has RGB samples, MATTE is to be written. Says how the
engine stood, each state on a line; the engine has ended afterwards.
"""

import os
import sys
from pathlib import Path

plug_in, photo, width, height, matte = sys.argv[1:]
sys.path.insert(0, plug_in)
sys.dont_write_bytecode = True

from maskwright_client.cancel import CancelSwitch  # noqa: E402
from maskwright_client.connection import Connection, State  # noqa: E402
from maskwright_client.places import current_places  # noqa: E402
from maskwright_client.protocol import AlphaRequest, MatteRequest  # noqa: E402


def tell(state: State) -> None:
    """Say how the engine stands."""
    sys.stdout.write(f"{state.value}\n")


cancel = CancelSwitch()
connection = Connection(current_places(os.environ), os.environ, on_state=tell)
engine = connection.engine(lambda seconds: None, cancel)
try:
    request = MatteRequest(int(width), int(height), 3, 8, "u2netp", "gimp")
    pixels = memoryview(Path(photo).read_bytes())
    name, info = engine.matte(request, pixels, lambda event: None, cancel)
    Path(matte).write_bytes(engine.alpha(name, info, AlphaRequest()).samples)
finally:
    connection.stop(cancel)
