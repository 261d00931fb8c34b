"""Remove Background in a GIMP that shows itself: the dialog, and what is on the screen."""

import os
import shutil
from pathlib import Path

import numpy as np
from host_gimp import GimpWindow
from numpy.typing import NDArray
from PIL import Image

# A folder to keep screenshots in, to be looked at.
SCREENSHOTS = os.environ.get("MASKWRIGHT_SCREENSHOTS", "")
LAYER = "layer = Gimp.get_images()[0].get_layers()[0]\n"
HAS_MASK = LAYER + "answer(layer.get_mask() is not None)"
IS_DIRTY = "answer(Gimp.get_images()[0].is_dirty())"


def open_dialog(
    window: GimpWindow,
    words: str = "remove background",
    title: str = "^Remove Background",
    search: str = "Search Actions",
) -> int:
    """By GIMP's own search, as one does who does not know the menus."""
    display = window.display
    display.key("slash")
    display.wait_for_window(search, window.program)
    display.type(words)
    display.wait_until_still()
    display.key("Return")
    return display.wait_for_window(title, window.program)


def keep(window: GimpWindow, folder: Path, name: str) -> Path:
    """A screenshot, also where a person looks for it."""
    path = folder / f"{name}.png"
    window.display.screenshot(path)
    if SCREENSHOTS:
        release = window.display.stay.root.suite.name
        shutil.copy(path, Path(SCREENSHOTS) / f"gimp-{release}-{name}.png")
    return path


def picture(screenshot: Path) -> NDArray[np.uint8]:
    """A screenshot's colours."""
    with Image.open(screenshot) as shown:
        return np.asarray(shown.convert("RGB"))
