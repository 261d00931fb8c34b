"""Remove Background in a Krita that shows itself: the docker, and what is on the screen."""

import os
import shutil
from pathlib import Path

import numpy as np
from host_krita import KritaWindow
from host_root import HostFailed
from numpy.typing import NDArray
from PIL import Image

# A folder to keep screenshots in, to be looked at.
SCREENSHOTS = os.environ.get("MASKWRIGHT_SCREENSHOTS", "")
PATIENCE_S = 30.0

NAMES = """
from dataclasses import replace
from host_inside.krita_docker import *
desk, beat = docker().desk, Beat()
"""
IS_IDLE = "answer(not docker().desk.panel.is_busy)"
SAID = "answer(' '.join([docker().desk.panel.said, docker().desk.panel.notes]))"
BUTTON = "answer(middle(docker().button))"


def wait(window: KritaWindow, question: str) -> None:
    """Until the answer is yes."""
    try:
        window.program.wait_until(lambda: window.do(question), PATIENCE_S)
    except HostFailed as error:
        error.add_note(f"{question}\n{window.do('answer(repr(docker().desk.panel))')}")
        raise


def click(window: KritaWindow, spot: str) -> None:
    """Click with the mouse where a script says."""
    # Without --sync, which waits for the mouse to come when it is there already.
    x, y = window.do(spot)
    window.display.xdotool("mousemove", str(x), str(y), "click", "1")


def press(window: KritaWindow) -> None:
    """Click the big button with the mouse."""
    click(window, BUTTON)


def removed(window: KritaWindow) -> str:
    """Click, wait until all is done, and give what is said."""
    window.do("beat.start(); docker().desk.tell('')")
    press(window)
    wait(window, "answer(not docker().desk.panel.is_busy and docker().desk.panel.said != '')")
    return str(window.do(SAID))


def keep(window: KritaWindow, folder: Path, name: str) -> Path:
    """A screenshot, also where a person looks for it."""
    path = folder / f"{name}.png"
    window.display.screenshot(path)
    if SCREENSHOTS:
        release = window.display.stay.root.suite.name
        shutil.copy(path, Path(SCREENSHOTS) / f"krita-{release}-{name}.png")
    return path


def picture(screenshot: Path) -> NDArray[np.uint8]:
    """A screenshot's colours."""
    with Image.open(screenshot) as shown:
        return np.asarray(shown.convert("RGB"))


def use(window: KritaWindow, model: str) -> None:
    """Have the docker use another network."""
    window.do("docker().desk.want(replace(docker().desk.wish, model=given['model']))", model=model)
