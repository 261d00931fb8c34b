"""Remove Background as a designer meets it: menu, dialog, live preview, OK, undo."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from engine_client import client_of
from engine_process import EngineProcess, engine_in, wait_for
from gimp_plug_in import CHECKOUT, assembled
from host_gimp import Gimp, GimpWindow
from numpy.typing import NDArray
from PIL import Image

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(300)]

SAMPLE = CHECKOUT / "installers/sample/coffee.jpg"
# A folder to keep screenshots in, to be looked at.
SCREENSHOTS = os.environ.get("MASKWRIGHT_SCREENSHOTS", "")
LAYER = "layer = Gimp.get_images()[0].get_layers()[0]\n"
HAS_MASK = LAYER + "answer(layer.get_mask() is not None)"
IS_DIRTY = "answer(Gimp.get_images()[0].is_dirty())"
WRITTEN_WITH = """
import json
parasite = layer.get_mask().get_parasite("maskwright-mask")
answer(json.loads(bytes(parasite.get_data())))
"""


@pytest.fixture
def plug_ins(tmp_path: Path) -> dict[str, Path]:
    return {"maskwright": assembled(tmp_path)}


@pytest.fixture
def engine(gimp: Gimp) -> Iterator[EngineProcess]:
    with engine_in(gimp.stay.home) as running:
        yield running


@pytest.fixture
def window(gimp: Gimp, engine: EngineProcess, plug_ins: dict[str, Path]) -> Iterator[GimpWindow]:
    with gimp.gui(SAMPLE, plug_ins=plug_ins) as running:
        yield running


def open_dialog(
    window: GimpWindow, words: str = "remove background", title: str = "^Remove Background"
) -> int:
    """By GIMP's own search, as one does who does not know the menus."""
    display = window.display
    display.key("slash")
    display.wait_for_window("Search Actions", window.program)
    display.type(words)
    display.wait_until_still()
    display.key("Return")
    return display.wait_for_window(title, window.program)


def keep(window: GimpWindow, tmp_path: Path, name: str) -> Path:
    """A screenshot, also where a person looks for it."""
    path = tmp_path / f"{name}.png"
    window.display.screenshot(path)
    if SCREENSHOTS:
        release = window.display.stay.root.suite.name
        shutil.copy(path, Path(SCREENSHOTS) / f"gimp-{release}-{name}.png")
    return path


def picture(screenshot: Path) -> NDArray[np.uint8]:
    with Image.open(screenshot) as shown:
        return np.asarray(shown.convert("RGB"))


def test_a_designer_removes_a_background_and_takes_it_back(
    window: GimpWindow, engine: EngineProcess, tmp_path: Path
):
    client, display = client_of(engine), window.display
    open_dialog(window)
    wait_for(lambda: client.hello().network_runs > 0 and client.hello().jobs == 0, 30)
    display.wait_until_still()
    keep(window, tmp_path, "dialog")
    before = picture(tmp_path / "dialog.png")
    runs = client.hello().network_runs
    display.key("alt+g")  # the edge's slider
    display.key(*["Page_Up"] * 6)
    display.wait_until_still()
    after = picture(keep(window, tmp_path, "slider"))
    assert (before != after).any(axis=2).sum() > 1000, "the preview did not follow the slider"
    assert client.hello().network_runs == runs
    display.key("alt+o")
    window.program.wait_until(lambda: window.do(HAS_MASK), 30)
    assert client.hello().network_runs == runs
    display.wait_until_still()
    keep(window, tmp_path, "mask")
    assert window.do(LAYER + "answer(layer.get_edit_mask())") is False
    assert window.do(WRITTEN_WITH)["wish"]["edges"]["shift"] > 4
    display.key("ctrl+z")
    window.program.wait_until(lambda: not window.do(HAS_MASK), 10)
    display.key("ctrl+y")
    window.program.wait_until(lambda: window.do(HAS_MASK), 10)


def test_a_designer_changes_their_mind(window: GimpWindow, engine: EngineProcess):
    client, display = client_of(engine), window.display
    open_dialog(window)
    wait_for(lambda: client.hello().jobs > 0 or client.hello().network_runs > 0, 30)
    display.key("Escape")
    window.program.wait_until(lambda: not display.windows("^Remove Background"), 10)
    wait_for(lambda: client.hello().jobs == 0, 1.5)
    assert window.do(HAS_MASK) is False
    assert window.do(IS_DIRTY) is False


BY_SCRIPT = """
from host_inside.gimp_cases import REMOVE, call
layer = Gimp.get_images()[0].get_layers()[0]
answer(call(REMOVE, layer.get_image(), [layer], shift=3.0, feather=2.0))
"""


def test_refining_opens_with_what_the_mask_was_made_with(
    window: GimpWindow, engine: EngineProcess, tmp_path: Path
):
    client, display = client_of(engine), window.display
    assert window.do(BY_SCRIPT)[0] is True
    runs = client.hello().network_runs
    open_dialog(window, "refine background mask", "^Refine Background Mask")
    wait_for(lambda: client.hello().jobs == 0, 30)
    display.wait_until_still()
    keep(window, tmp_path, "refine")
    display.key("alt+o")
    window.program.wait_until(lambda: not display.windows("^Refine Background Mask"), 30)
    edges = window.do(LAYER + WRITTEN_WITH)["wish"]["edges"]
    assert (edges["shift"], edges["feather"]) == (3.0, 2.0)
    assert client.hello().network_runs == runs
