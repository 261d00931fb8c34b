"""What can go wrong meanwhile: a sentence, the document as it was, a healthy engine."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from engine_client import client_of, matted
from engine_process import EngineProcess, engine_in, wait_for
from gimp_plug_in import CHECKOUT, assembled
from gimp_screens import HAS_MASK, IS_DIRTY, LAYER, keep, open_dialog
from host_gimp import Gimp, GimpWindow
from maskwright_client.places import locate
from maskwright_client.protocol import Hello
from tiny_networks import Networks, tiny_networks

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(300)]

SAMPLE = CHECKOUT / "installers/sample/coffee.jpg"
STEPS = 8000  # of the slow network: about 10 seconds
IDLE_S = 1.0
CANCEL = (1308, 982)  # the button in the bar at the foot of the window, in both releases
BY_SCRIPT = """
from host_inside.gimp_cases import REMOVE, call
layer = Gimp.get_images()[0].get_layers()[0]
answer(call(REMOVE, layer.get_image(), [layer]))
"""
HEADLESS = """
from host_inside.gimp_cases import REMOVE, call, opened
document = opened(given["photo"])
answer(call(REMOVE, document.image, document.drawables))
"""


@pytest.fixture
def plug_ins(tmp_path: Path) -> dict[str, Path]:
    return {"maskwright": assembled(tmp_path)}


@pytest.fixture
def networks(tmp_path: Path) -> Networks:
    return tiny_networks(tmp_path / "networks", steps=STEPS)


@pytest.fixture
def engine(gimp: Gimp, networks: Networks) -> Iterator[EngineProcess]:
    with engine_in(gimp.stay.home, environ=networks.environ) as running:
        yield running


@pytest.fixture
def window(gimp: Gimp, engine: EngineProcess, plug_ins: dict[str, Path]) -> Iterator[GimpWindow]:
    with gimp.gui(SAMPLE, plug_ins=plug_ins) as running:
        yield running


@pytest.fixture
def small_disk(gimp: Gimp) -> Iterator[Path]:
    """A disk of its own for what the engine writes: its address and its log."""
    folder = locate(sys.platform, {}, gimp.stay.home).runtime_file.parent
    folder.mkdir(parents=True, mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(disk: Path) -> None:
    """Leave no room on it."""
    room = shutil.disk_usage(disk).free
    (disk / "filler").write_bytes(bytes(room))
    assert shutil.disk_usage(disk).free == 0


def nothing_happened(window: GimpWindow) -> None:
    """The document is as it was when it was opened."""
    assert window.do(HAS_MASK) is False
    assert window.do(IS_DIRTY) is False


def run_the_slow_network(window: GimpWindow, engine: EngineProcess) -> Callable[[], Hello]:
    """Choose it, the last one in the list, and press OK while it runs; what to ask the engine."""
    ask = client_of(engine).hello
    open_dialog(window)
    wait_for(lambda: ask().network_runs > 0 and ask().jobs == 0, 30)
    window.display.wait_until_still()
    window.display.key("alt+m", "End")
    wait_for(lambda: ask().jobs > 0, 10)
    window.display.key("alt+o")
    window.program.wait_until(lambda: not window.display.windows("^Remove Background"), 10)
    assert ask().jobs == 1, "OK did not wait for the job that the preview had begun"
    return ask


def test_cancel_while_the_network_runs(window: GimpWindow, engine: EngineProcess, tmp_path: Path):
    ask = run_the_slow_network(window, engine)
    keep(window, tmp_path, "progress")
    window.display.click(*CANCEL)
    wait_for(lambda: ask().jobs == 0, IDLE_S)
    window.display.wait_until_still()
    keep(window, tmp_path, "cancelled")
    nothing_happened(window)
    assert window.do(BY_SCRIPT)[0] is True


def test_the_engine_dies_while_the_network_runs(
    window: GimpWindow, engine: EngineProcess, networks: Networks, tmp_path: Path
):
    run_the_slow_network(window, engine)
    engine.kill()
    window.display.wait_for_window("^GIMP Message|^Error", window.program)
    window.display.wait_until_still()
    keep(window, tmp_path, "engine-killed")
    nothing_happened(window)
    engine.places.runtime_file.unlink()  # the next engine's is what this test waits for
    with engine_in(window.display.stay.home, environ=networks.environ):
        assert window.do(BY_SCRIPT)[0] is True


def test_gimp_dies_while_the_network_runs(window: GimpWindow, engine: EngineProcess):
    ask = run_the_slow_network(window, engine)
    window.program.end()
    wait_for(lambda: ask().jobs == 0, IDLE_S)
    pixels = np.zeros((30, 40, 3), np.uint8)
    assert matted(client_of(engine), pixels)[1].network_runs


def test_the_layer_goes_away_while_the_network_runs(
    window: GimpWindow, engine: EngineProcess, tmp_path: Path
):
    ask = run_the_slow_network(window, engine)
    window.do(LAYER + "answer(Gimp.get_images()[0].remove_layer(layer))")
    wait_for(lambda: ask().jobs == 0, 120)
    window.display.wait_for_window("^GIMP Message|^Error", window.program)
    window.display.wait_until_still()
    keep(window, tmp_path, "layer-deleted")
    assert window.do("answer(len(Gimp.get_images()[0].get_layers()))") == 0


def test_without_an_engine_the_dialog_says_so(
    gimp: Gimp, plug_ins: dict[str, Path], tmp_path: Path
):
    with gimp.gui(SAMPLE, plug_ins=plug_ins) as window:
        open_dialog(window)
        window.display.wait_until_still()
        keep(window, tmp_path, "no-engine")
        window.display.key("alt+o")
        window.display.wait_for_window("^GIMP Message|^Error", window.program)
        window.display.wait_until_still()
        keep(window, tmp_path, "no-engine-ok")
        nothing_happened(window)


def test_a_full_disk_keeps_nobody_from_a_mask(
    gimp: Gimp, plug_ins: dict[str, Path], small_disk: Path
):
    with engine_in(gimp.stay.home) as engine:
        fill(small_disk)
        photo = gimp.stay.bring(SAMPLE)
        done, said = gimp.console(HEADLESS, plug_ins=plug_ins, photo=photo)
        assert done, said
        assert client_of(engine).hello().jobs == 0
