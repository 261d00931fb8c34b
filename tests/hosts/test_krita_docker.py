"""The docker in a real Krita, as a designer meets it: click, mask, undo, sliders, Cancel."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from engine_client import client_of
from engine_process import EngineProcess, engine_in, wait_for
from host_fixtures import ahead_too
from host_krita import Krita, KritaWindow
from krita_plug_in import CHECKOUT, assembled
from krita_screens import IS_IDLE, NAMES, SAID, keep, picture, press, removed, use, wait
from maskwright.models.store import open_store
from maskwright_client.client import Engine
from tiny_networks import Networks, slow_model, tiny_networks

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(300)]

SAMPLE = CHECKOUT / "installers/sample/coffee.jpg"
IS_ASKING = (
    "answer(docker().desk.panel.doing.value == 'asking' and docker().desk.panel.fraction > 0)"
)
HAS_MASK = "answer(len(masks()))"
SMALL_IS_THE_LAYER = """
small = docker().preview.seen.small
samples = small.constBits()
samples.setsize(small.sizeInBytes())
answer(bytes(samples) == bytes(layer().pixelData(0, 0, 600, 400)))
"""
MAIN_WINDOW = "answer(int(Krita.instance().activeWindow().qwindow().winId()))"
ASKS_ABOUT_LOCKED = "answer(any('Locked' in one for one in questions()))"
ASKS_ABOUT_HIDDEN = "answer(any('Hidden' in one for one in questions()))"


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Networks:
    return tiny_networks(tmp_path_factory.mktemp("networks"), steps=4000)


@pytest.fixture(scope="session")
def brisk(networks: Networks, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A network that takes a few seconds."""
    path = slow_model(tmp_path_factory.mktemp("brisk") / "brisk.onnx", 800)
    return open_store(networks.environ).add(path, "u2netp").id


@pytest.fixture
def plug_ins(tmp_path: Path) -> dict[str, Path]:
    return {"maskwright": assembled(tmp_path)}


@pytest.fixture
def engine(krita: Krita, networks: Networks) -> Iterator[EngineProcess]:
    with engine_in(krita.stay.home, environ=networks.environ) as running:
        yield running


@pytest.fixture
def client(engine: EngineProcess) -> Engine:
    return client_of(engine)


@pytest.fixture
def window(krita: Krita, engine: EngineProcess, plug_ins: dict[str, Path]) -> Iterator[KritaWindow]:
    with krita.gui(SAMPLE, plug_ins=plug_ins) as running:
        running.do(NAMES)
        yield running


@ahead_too
def test_a_designer_removes_a_background_and_takes_it_back(
    window: KritaWindow, client: Engine, tmp_path: Path
):
    display = window.display
    assert window.do("answer(docker().isVisible())"), "it opens itself the first time"
    before = picture(keep(window, tmp_path, "open"))
    said = removed(window)
    sys.stdout.write(f"\nlongest gaps, 0.24 megapixels: {window.do('answer(beat.gaps)')}\n")
    assert "Ctrl+Z takes the mask back" in said
    assert window.do("answer(docker().desk.panel.engine)").startswith("Engine ready; u2netp ran on")
    assert window.do("answer([one.name() for one in masks()])") == ["Cut-out, u2netp"]
    wait(window, "answer(document().activeNode().type() == 'transparencymask')")
    display.wait_until_still()
    after = picture(keep(window, tmp_path, "mask"))
    canvas = np.s_[150:900, 100:1300]
    assert (before[canvas] != after[canvas]).any(axis=2).mean() > 0.1, "no cut-out on the canvas"

    assert window.do(SMALL_IS_THE_LAYER)

    written = window.do("first = bytes_of(masks()[0]); answer(len(set(first)))")
    assert written > 10
    display.key("ctrl+z")
    wait(window, "answer(not masks())")
    display.key("ctrl+shift+z")
    wait(window, "answer(len(masks()) == 1)")
    assert window.do("document().waitForDone(); answer(bytes_of(masks()[0]) == first)")

    # A stroke on the canvas goes into the mask, which is the active node.
    window.do("document().setActiveNode(masks()[0])")
    wait(window, "answer(document().activeNode().type() == 'transparencymask')")
    display.xdotool("mousemove", "200", "200", "mousedown", "1")
    for x in range(210, 500, 20):
        display.xdotool("mousemove", "--sync", str(x), "220")
    display.xdotool("mouseup", "1")
    wait(window, "document().waitForDone(); answer(bytes_of(masks()[0]) != first)")
    display.wait_until_still()
    keep(window, tmp_path, "painted")
    window.do("painted = bytes_of(masks()[0])")
    display.key("ctrl+z")
    wait(window, "document().waitForDone(); answer(bytes_of(masks()[0]) == first)")
    display.key("ctrl+shift+z")
    wait(window, "document().waitForDone(); answer(bytes_of(masks()[0]) == painted)")

    # The slider moves the preview, and no network runs for that.
    window.do("one = docker(); one.setFloating(True); one.resize(300, 900); one.move(1250, 40)")
    display.wait_until_still()
    runs = client.hello().network_runs
    left, top, wide, high = window.do(
        "one = docker().preview; at = one.mapToGlobal(QtCore.QPoint(0, 0));"
        "answer([at.x(), at.y(), one.width(), one.height()])"
    )
    preview = np.s_[top : top + high, left : left + wide]
    before = picture(keep(window, tmp_path, "before-slider"))
    x, y = window.do(
        "one = docker().controls.widgets['shift']; at = one.rect().topRight();"
        "spot = one.mapToGlobal(QtCore.QPoint(at.x() - 6, one.height() // 2));"
        "answer([spot.x(), spot.y()])"
    )
    display.xdotool("mousemove", str(x), str(y), *["click", "1"] * 5)
    wait(window, "answer(docker().desk.wish.edges.shift > 4)")
    display.wait_until_still()
    after = picture(keep(window, tmp_path, "slider"))
    assert (before[preview] != after[preview]).any(axis=2).sum() > 100, "the preview stood still"
    assert window.do("answer(bytes_of(masks()[0]) == painted)"), "the mask must wait for a click"

    # Replacing keeps the stroke, takes two steps and says so.
    assert "Undo 2 times" in removed(window)
    assert client.hello().network_runs == runs
    wait(window, "answer(len(masks()) == 1)")
    kept = """
new, old = bytes_of(masks()[0]), painted
strokes = [i for i, (was, now) in enumerate(zip(first, painted)) if was != now]
answer([all(new[i] == painted[i] for i in strokes), new != painted, len(strokes) > 50])
"""
    assert window.do(kept) == [True, True, True]
    display.wait_until_still()
    display.focus(window.do(MAIN_WINDOW))
    display.key("ctrl+z")
    wait(window, "answer(len(masks()) == 2)")
    display.key("ctrl+z")
    wait(
        window, "document().waitForDone(); answer([bytes_of(one) for one in masks()] == [painted])"
    )

    # Refine takes up what the mask was made with, and asks the network nothing.
    window.do("docker().controls.reset.click(); document().setActiveNode(layer())")
    assert window.do("answer(docker().desk.wish.edges.shift)") == 0
    removed(window)
    window.do("docker().controls.widgets['feather'].setValue(300)")
    removed(window)
    window.do("docker().controls.reset.click()")
    window.do("docker().refine.click()")
    wait(window, IS_IDLE)
    assert window.do("answer(docker().desk.wish.edges.feather)") > 4
    assert client.hello().network_runs == runs

    # It can be narrow, and the preview can be looked at pixel for pixel.
    window.do("one = docker(); one.resize(240, 840); one.move(80, 60)")
    window.do("docker().close_by.setChecked(True)")
    display.wait_until_still()
    keep(window, tmp_path, "narrow")
    assert window.do("answer(docker().width())") == 240
    window.do("document().setModified(False)")
    assert window.quit() == 0


OLD_MASK = """
for one in masks():
    one.remove()
mask = document().createTransparencyMask("before")
mask.setPixelData(bytes((x * 3 + y) % 256 for y in range(400) for x in range(600)), 0, 0, 600, 400)
layer().addChildNode(mask, None)
document().waitForDone()
"""
CHOOSE = """
box = docker().controls.widgets["existing"]
box.setCurrentIndex(box.findData(given["how"]))
box.activated.emit(box.currentIndex())
"""
IS_CLOSE = """
shown = docker().preview._shown
answer(bool(shown and shown.view.frame and shown.view.wish == docker().desk.wish))
"""
FRAME = """
from maskwright_editor.picture import cut
shown = docker().preview._shown
frame = shown.view.frame
part = shown.alpha
answer([frame.width, frame.height, len(set(part))])
"""
IS_THAT = "document().waitForDone(); answer(cut(bytes_of(masks()[0]), 600, 1, frame) == part)"


def test_the_preview_shows_what_the_button_makes_of_a_mask(window: KritaWindow, tmp_path: Path):
    window.do("one = docker(); one.setFloating(True); one.resize(300, 900); one.move(1250, 40)")
    window.do("docker().close_by.setChecked(True)")
    parts = []
    for how in ("intersect", "add", "subtract", "replace"):
        window.do(OLD_MASK)
        window.do("document().setActiveNode(layer())")
        window.do(CHOOSE, how=how)
        window.do("docker().look.click()")
        wait(window, IS_IDLE)
        wait(window, IS_CLOSE)
        wide, high, values = window.do(FRAME)
        assert min(wide, high) > 100
        assert values > 20
        window.display.wait_until_still()
        keep(window, tmp_path, f"preview-{how}")
        removed(window)
        assert window.do(IS_THAT), how
        parts.append(window.do("answer(hash(part))"))
    assert len(set(parts)) == len(parts)

    # Where the mask went away by an undo, the preview is of the layer without it.
    window.do(CHOOSE, how="intersect")
    wait(window, IS_CLOSE)
    window.do("for one in masks(): one.remove()")
    window.do("document().waitForDone(); document().setActiveNode(layer())")
    window.do("docker().controls.widgets['invert'].click()")
    assert window.do(IS_IDLE)
    wait(window, IS_CLOSE)
    window.do(FRAME)
    removed(window)
    assert window.do(IS_THAT)


def test_cancel_half_way_leaves_everything_as_it_was(
    window: KritaWindow, client: Engine, networks: Networks, brisk: str, tmp_path: Path
):
    use(window, networks.slow)
    window.do("document().setModified(False); beat.start()")
    press(window)
    wait(window, IS_ASKING)
    wait(window, "answer(docker().desk.panel.fraction > 0.2)")
    assert window.do("answer(docker().desk.panel.said)").startswith("Finding the subject")
    assert window.do("answer(docker().button.text())") == "Cancel"
    assert client.hello().jobs == 1
    at = time.monotonic()
    press(window)
    wait(window, IS_IDLE)
    stopped_s = time.monotonic() - at
    wait_for(lambda: client.hello().jobs == 0, 1.0)
    idle_s = time.monotonic() - at
    gap = window.do("answer(beat.gaps)")["asking"]
    sys.stdout.write(f"\ncancelled after {stopped_s:.2f} s, engine idle after {idle_s:.2f} s")
    sys.stdout.write(f", longest gap {gap:.3f} s\n")
    assert window.do(SAID).strip() == "Stopped."
    assert window.do("answer([document().modified(), len(masks())])") == [False, 0]
    assert stopped_s < 1.0  # with two round trips of xdotool and the script line in it
    assert idle_s < 1.5

    seconds_left: list[bool] = []
    use(window, brisk)

    # The same goes for what happens to the document while the engine works.
    def meanwhile(change: str) -> str:
        # Other pixels each time: the engine would know the old ones.
        new = f"layer().setPixelData(bytes([{len(seconds_left)}]) * 400, 0, 0, 10, 10)"
        window.do(f"{new}; document().waitForDone()")
        press(window)
        wait(window, IS_ASKING)
        seconds_left.append("s left" in window.do("answer(docker().desk.panel.said)"))
        keep(window, tmp_path, "progress")
        window.do(change)
        wait(window, IS_IDLE)
        return str(window.do(SAID))

    assert "changed its size" in meanwhile(
        "layer().setPixelData(bytes([255]) * 4000, 700, 0, 100, 10)"
    )
    window.do("layer().setPixelData(bytes(4000), 700, 0, 100, 10); document().waitForDone()")
    assert "changed meanwhile: run it" in meanwhile(
        "layer().setPixelData(bytes([9]) * 40000, 50, 50, 100, 100)"
    )
    assert window.do(HAS_MASK) == 1
    assert "was deleted meanwhile" in meanwhile("layer().remove()")
    assert seconds_left[-1], "after one run the engine can tell how long the next one takes"


def test_what_goes_wrong_meanwhile_is_said(
    window: KritaWindow,
    engine: EngineProcess,
    networks: Networks,
    brisk: str,
    tmp_path: Path,
):
    use(window, networks.slow)
    window.do("document().setModified(False)")
    press(window)
    wait(window, IS_ASKING)
    engine.kill()
    wait(window, IS_IDLE)
    assert "engine went away" in window.do(SAID)
    assert "went away" in window.do("answer(docker().desk.panel.engine)")
    assert window.do("answer([document().modified(), len(masks())])") == [False, 0]
    assert "run Maskwright's installer" in removed(window)
    window.display.wait_until_still()
    keep(window, tmp_path, "no-engine")
    assert window.do("answer([document().modified(), len(masks())])") == [False, 0]
    use(window, brisk)
    engine.places.runtime_file.unlink()  # so that the next one is waited for
    with engine_in(window.display.stay.home, environ=networks.environ) as again:
        press(window)
        wait(window, IS_ASKING)
        window.do("Krita.instance().action('file_close').trigger()")
        wait(window, "answer(document() is None)")
        wait(window, IS_IDLE)
        assert "closed meanwhile" in window.do(SAID)
        window.do("docker().button.click()")  # Krita hides its dockers where no picture is open
        assert "Open a picture first" in window.do(SAID)
        wait_for(lambda: client_of(again).hello().jobs == 0, 1.0)


def test_krita_ends_during_a_job(window: KritaWindow, client: Engine, networks: Networks):
    use(window, networks.slow)
    window.do("document().setModified(False)")
    press(window)
    wait(window, IS_ASKING)
    assert window.quit() == 0
    wait_for(lambda: client.hello().jobs == 0, 1.5)


def test_menu_shortcut_and_questions(window: KritaWindow, engine: EngineProcess, tmp_path: Path):
    display = window.display
    taken = """
application = Krita.instance()
own = application.action("maskwright_remove_background")
keys = own.shortcut().toString()
others = [one.objectName() for one in application.actions()
          if one is not own and one.objectName() != own.objectName()
          and any(key.toString() == keys for key in one.shortcuts())]
answer([keys, own.text(), others])
"""
    keys, text, others = window.do(taken)
    assert (keys, text, others) == ("Ctrl+Alt+Shift+B", "Remove Background", [])

    # With the docker closed the shortcut opens it, then it removes the background.
    window.do("docker().setVisible(False)")
    display.key("ctrl+alt+shift+b")
    wait(window, "answer(docker().isVisible())")
    assert window.do(HAS_MASK) == 0
    window.do("document().setModified(False)")
    display.wait_until_still()
    display.key("ctrl+alt+shift+b")
    wait(window, "answer(len(masks()) == 1)")
    wait(window, IS_IDLE)

    # The menu makes a selection of the mask.
    window.do("made = bytes_of(masks()[0]); docker().desk.select()")
    selected = "answer(bytes(document().selection().pixelData(0, 0, 600, 400)) == made)"
    assert window.do(selected)
    assert "cannot undo" in window.do(SAID)
    window.do("document().setSelection(Selection())")

    # A locked layer and a hidden one are asked about.
    window.do(
        "[one.remove() for one in masks()]; layer().setLocked(True); layer().setVisible(False)"
    )
    press(window)
    wait(window, ASKS_ABOUT_LOCKED)
    display.wait_until_still()
    keep(window, tmp_path, "question")
    display.key("Escape")
    wait(window, IS_IDLE)
    assert window.do(HAS_MASK) == 0
    press(window)
    wait(window, ASKS_ABOUT_LOCKED)
    display.key("alt+y")
    wait(window, ASKS_ABOUT_HIDDEN)
    display.key("alt+y")
    wait(window, "answer(len(masks()) == 1)")
    wait(window, IS_IDLE)

    # The list of networks comes from the engine.
    wait(window, "answer(docker().models.list.count() > 10)")
    window.do("docker().models.list.setCurrentIndex(docker().models.list.findData('rmbg-1.4'))")
    window.do("docker().models._select()")
    assert window.do("answer(docker().models.get.isVisible())")
    assert "not for commercial use" in window.do("answer(docker().models.line.text())")
    display.wait_until_still()
    keep(window, tmp_path, "models")

    # Stopping the engine is in the menu, too.
    window.do("docker().desk.free()")
    wait_for(lambda: engine.process.poll() is not None)
    wait(window, "answer('has stopped' in docker().desk.panel.said)")
    assert window.do("answer(docker().preview.seen is None)")
