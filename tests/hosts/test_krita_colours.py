"""Clean edge colours in a real Krita: a new layer, exact but for the soft pixels; nothing else."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_client import client_of
from engine_process import EngineProcess, engine_in
from host_fixtures import ahead_too
from host_krita import Krita, KritaWindow
from krita_expected import what_the_engine_says
from krita_plug_in import CHECKOUT, assembled
from krita_screens import IS_IDLE, NAMES, SAID, click, keep, picture, press, removed, wait
from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.protocol import ColoursRequest
from numpy.typing import NDArray

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(600)]

SAMPLE = CHECKOUT / "installers/sample/coffee.jpg"
BGRA = [2, 1, 0, 3]
ALPHA_BYTES = {"U8": 1, "U16": 2, "F16": 2, "F32": 4}

CASES = (
    *("RGBA U8", "half transparent", "RGBA U16", "RGBA F16", "RGBA F32", "GRAYA U8", "GRAYA U16"),
    *("CMYKA U8", "LABA U16", "another profile", "U16, another profile", "off the canvas"),
    *("odd size", "group, U16", "vector", "clone", "mask: add", "two layers", "transform mask"),
)
EVERY_CASE = """
from host_inside.krita_cleaning import run_clean_case
answer({name: run_clean_case(name, given["photo"], "/srv/files") for name in given["cases"]})
"""
IN_ITS_KIND = """
from host_inside.krita_cleaning import converted
for layer in given["layers"]:
    stem = "/srv/files/" + layer["stem"]
    with open(stem + ".wanted", "rb") as file:
        samples = file.read()
    samples = converted(samples, layer["sent kind"], layer["kind"], layer["place"][2:])
    with open(stem + ".wanted-own", "wb") as file:
        file.write(samples)
"""


@pytest.fixture
def engine(krita: Krita) -> Iterator[EngineProcess]:
    with engine_in(krita.stay.home) as running:
        yield running


def cleaned(client: Engine, layer: dict[str, Any], files: Path) -> None:
    """Leave beside a layer's samples what the engine makes of them."""
    _, _, width, height = layer["place"]
    stem = str(files / layer["stem"])
    dtype = np.uint8 if layer["sent kind"][1] == "U8" else np.uint16
    bgra = np.fromfile(f"{stem}.sent", dtype).reshape(height, width, 4)
    mask = np.fromfile(f"{stem}.mask", np.uint8)
    rgba = np.ascontiguousarray(bgra[..., BGRA])
    request = ColoursRequest(width, height, 4, 8 * rgba.itemsize, "test")
    found = client.colours(request, rgba.data, mask.data, CancelSwitch())
    np.frombuffer(found, dtype).reshape(rgba.shape)[..., BGRA].tofile(f"{stem}.wanted")


def facts_of(client: Engine, case: dict[str, Any], layer: dict[str, Any], files: Path):
    """What holds of a layer, and how many soft pixels have other colours than before."""
    _, _, width, height = layer["place"]

    def load(ending: str) -> NDArray[np.uint8]:
        return np.fromfile(files / f"{layer['stem']}.{ending}", np.uint8).reshape(height, width, -1)

    expected, _ = what_the_engine_says(client, case, layer, files)
    mask = load("mask")[..., 0]
    soft = (mask > 0) & (mask < 255)
    own, new, wanted = load("own"), load("new"), load("wanted-own")
    alpha = ALPHA_BYTES[layer["kind"][1]]
    other = (new != own).any(axis=2)
    facts = {
        **layer["facts"],
        "mask": mask.tobytes() == expected,
        "exact where it is not soft": not other[~soft].any(),
        "its own alpha": (new[..., -alpha:] == own[..., -alpha:]).all(),
        "the engine's colours": (new[soft, :-alpha] == wanted[soft, :-alpha]).all(),
    }
    return facts, int(soft.sum()), int(other.sum())


@ahead_too
def test_every_kind_of_layer(krita: Krita, engine: EngineProcess):
    photo = krita.stay.bring(SAMPLE)
    cases = krita.runner(EVERY_CASE, timeout=400, photo=photo, cases=CASES)
    client, files = client_of(engine), krita.stay.files
    layers = [layer for case in cases.values() for layer in case["layers"]]
    for layer in layers:
        cleaned(client, layer, files)
    krita.runner(IN_ITS_KIND, layers=layers)
    wrong, table, others = [], [], 0
    for name, case in cases.items():
        bad = [] if case["unchanged"] else ["else as before"]
        bad += [] if case["new nodes"] == len(case["layers"]) else ["one new layer for each"]
        for layer in case["layers"]:
            facts, soft, other = facts_of(client, case, layer, files)
            bad += [fact for fact, holds in facts.items() if not holds]
            others += other > soft / 3
        kind = " ".join(case["layers"][0]["kind"])
        figures = f"{soft:>7} soft, {other:>7} changed"
        verdict = "ok" if not bad else "NOT: " + ", ".join(bad)
        table.append(f"  {name:<22}{kind:<40}{figures}  {verdict}")
        wrong += [(name, bad, case["before"], case["after"])] if bad else []
    sys.stdout.write("\n".join(["", *table, ""]))
    assert not wrong
    assert others == len(layers)


AGAIN = """
from host_inside.krita_cases import *

def tree(document):
    return [[one.name(), one.visible(), len(one.childNodes())]
            for one in every_node(document.topLevelNodes())]

def meant(document, node, **settings):
    return Case(document, [node], [node], {"clean_colours": True, **settings})

def paint(node):
    node.setPixelData(bytes([77]) * node.pixelData(0, 0, 40, 30).size(), 200, 150, 40, 30)

found = {}
for name in ("RGBA U8", "filter mask", "transform mask"):
    case = CASES[name](given["photo"])
    document, (original,) = case.document, case.targets
    before = pixels_of(original)
    remove(meant(document, original, existing="replace"))
    first = tree(document)
    (clean,) = [one for one in document.topLevelNodes() if one.name().endswith("clean edges")]
    mask = clean.childNodes()[0]
    at_first = bytes(mask.pixelData(0, 0, 600, 400)), pixels_of(clean)

    # Saved and opened again it is still known, and asks nobody about the hidden original.
    assert document.saveAs("/srv/files/again.kra")
    QtCore.QCoreApplication.processEvents()
    document = Krita.instance().openDocument("/srv/files/again.kra")
    shapes_are_drawn(document)
    clean, mask, original = (document.nodeByUniqueID(one.uniqueId())
                             for one in (clean, mask, original))
    (layer,) = host.layers_of(document, [mask], clean=True)
    stands = [layer.id == original.uniqueId(), layer.clean == clean.uniqueId(),
              host.is_hidden(layer), host.recalled(layer) is not None]

    # A stroke on the mask is kept; the new layer takes the place of the old one.
    paint(mask)
    said = " ".join(remove(meant(document, mask, shift=3.0)).notes)
    second = tree(document)
    clean = [one for one in document.topLevelNodes() if one.name().endswith("clean edges")][0]
    new = bytes(clean.childNodes()[0].pixelData(0, 0, 600, 400))
    strokes = {new[row * 600 + x] for row in range(150, 180) for x in range(200, 240)}

    # Back as it was first: the same, and so the engine saw the same.
    remove(meant(document, clean, painted="discard"))
    clean = [one for one in document.topLevelNodes() if one.name().endswith("clean edges")][0]
    same = [bytes(clean.childNodes()[0].pixelData(0, 0, 600, 400)) == at_first[0],
            pixels_of(clean) == at_first[1], pixels_of(original) == before]

    # One that was painted on is a layer like others, and is never replaced.
    paint(clean)
    remove(meant(document, clean))
    found[name] = [first == second, "undo 2 times" in said, new != at_first[0], strokes == {77},
                   stands, same, [one for one in tree(document) if "clean" in one[0]]]
answer(found)
"""


def test_another_run_replaces_the_layer_unless_it_was_painted_on(
    krita: Krita, engine: EngineProcess
):
    found = krita.runner(AGAIN, photo=krita.stay.bring(SAMPLE))
    for name, (*facts, stands, same, layers) in found.items():
        assert facts == [True, True, True, True], name
        assert stands == [True, True, False, True], name
        assert same == [True, True, True], name
        layer = layers[0][0].partition(",")[0]
        assert layers == [
            [f"{layer}, clean edges", False, 1],
            [f"{layer}, clean edges, clean edges", True, 1],
        ], name
    assert len(found) == 3


MEANWHILE = """
from host_inside.krita_cases import *

def meanwhile(change, step):
    \"\"\"What is said if something happens at a step, and which nodes there are.\"\"\"
    case = opened(given["photo"])
    document, (layer,) = case.document, case.targets
    layers = host.layers_of(document, case.nodes, clean=True)
    removal = Removal(asking.connect(), layers, wish_of(clean_colours=True))
    work = [
        lambda: at_once(removal.read_next()),
        lambda: asking.Call(lambda: removal.ask(lambda event: None, cancel)).result(lambda: None),
        lambda: at_once(removal.read_colours()),
        lambda: asking.Call(lambda: removal.clean(cancel)).result(lambda: None),
        lambda: at_once(removal.make_layer()),
        lambda: at_once(removal.apply()),
    ]
    cancel = CancelSwitch()
    try:
        for number, part in enumerate(work):
            if number == step:
                change(case)
                QtCore.QCoreApplication.processEvents()
            said = part()
        said = " ".join(said.notes)
    except HostError as error:
        said = str(error)
    gone = document not in Krita.instance().documents()
    nodes = [] if gone else list(every_node(document.topLevelNodes()))
    return [said, len(nodes), [one.visible() for one in nodes if one.name() == layer.name()]]

def grow(case):
    case.targets[0].setPixelData(bytes([255]) * 4000, 700, 0, 100, 10)

changes = {
    "closed": lambda case: case.document.close(),
    "deleted": lambda case: case.targets[0].remove(),
    "grown": grow,
    "moved": lambda case: case.targets[0].move(5, 7),
    "painted": lambda case: case.targets[0].setPixelData(bytes([7]) * 400, 5, 5, 10, 10),
}
answer({name: [meanwhile(change, step) for step in (2, 4, 5)] for name, change in changes.items()})
"""
SAID_MEANWHILE = {
    "closed": ("closed meanwhile", 0),
    "deleted": ("deleted meanwhile", 0),
    "grown": ("changed its size meanwhile", 1),
    "moved": ("meanwhile; try again", 1),
    "painted": ("changed meanwhile: run it again", 2),
}


def test_what_changes_meanwhile_is_seen(krita: Krita, engine: EngineProcess):
    found = krita.runner(MEANWHILE, photo=krita.stay.bring(SAMPLE))
    for name, steps in found.items():
        sentence, number = SAID_MEANWHILE[name]
        for said, nodes, visible in steps:
            assert sentence in said, (name, said)
            assert nodes == number, (name, nodes)
            # Hidden only where the new layer is there.
            assert visible == ([] if number == 0 else [number == 1]), name
    assert found.keys() == SAID_MEANWHILE.keys()


@pytest.fixture
def window(krita: Krita, engine: EngineProcess, tmp_path: Path) -> Iterator[KritaWindow]:
    with krita.gui(SAMPLE, plug_ins={"maskwright": assembled(tmp_path)}) as running:
        running.do(NAMES)
        yield running


TREE = """
answer([[one.name(), one.visible(), [mask.name() for mask in one.childNodes()]]
        for one in document().topLevelNodes()])
"""
PLAIN = [["Background", True, []]]
CLEANED = [["Background", False, []], ["Background, clean edges", True, ["Cut-out, u2netp"]]]
BOX = """
box = docker().controls.widgets["clean-colours"]
docker().widget().findChild(QtWidgets.QScrollArea).ensureWidgetVisible(box)
answer([box.mapToGlobal(QtCore.QPoint(8, box.height() // 2)).x(), middle(box)[1]])
"""
IS_SHOWN = "answer(docker().controls.widgets['clean-colours'].isVisible())"
BOTH = """
document().waitForDone()
answer([bytes(one.pixelData(0, 0, 600, 400)) == want for one, want in
        zip([layer(), *document().topLevelNodes()[1:]], [original, *cleaned])])
"""

SEEN_IS_THE_MASK = """
document().waitForDone()
mask = document().topLevelNodes()[1].childNodes()[0]
answer(bytes(document().pixelData(0, 0, 600, 400))[3::4] == bytes_of(mask))
"""
STOP_AT_CLEANING = """
heard, show = [], desk._show
def stop(panel):
    show(panel)
    if panel.doing.value == "cleaning" and not heard:
        heard.append(panel.doing.value)
        QtCore.QTimer.singleShot(0, docker().button.click)
desk._show = stop
"""


@ahead_too
def test_a_designer_has_the_edges_cleaned_and_takes_it_back(window: KritaWindow, tmp_path: Path):
    display = window.display
    window.do("one = docker(); one.setFloating(True); one.resize(300, 900); one.move(1250, 40)")
    window.do("original, cleaned = bytes(layer().pixelData(0, 0, 600, 400)), []")
    assert not window.do(IS_SHOWN), "no engine was asked so far"
    window.do("docker().look.click()")
    wait(window, IS_IDLE)
    wait(window, IS_SHOWN)
    display.wait_until_still()
    click(window, BOX)
    wait(window, "answer(docker().desk.wish.clean_colours)")
    before = picture(keep(window, tmp_path, "clean-before"))

    said = removed(window)
    gaps = window.do("answer(beat.gaps)")
    sys.stdout.write(f"\nlongest gaps, 0.24 megapixels, clean edges: {gaps}\n")
    assert "The original is hidden now: Ctrl+Z takes the new layer away" in said
    assert window.do(TREE) == CLEANED
    wait(window, "answer(document().activeNode().name() == 'Cut-out, u2netp')")
    window.do("cleaned = [bytes(document().topLevelNodes()[1].pixelData(0, 0, 600, 400))]")
    assert window.do("answer(cleaned[0] != original)")
    assert window.do(SEEN_IS_THE_MASK)
    display.wait_until_still()
    after = picture(keep(window, tmp_path, "clean"))
    canvas = np.s_[150:900, 100:1200]
    assert (before[canvas] != after[canvas]).any(axis=2).mean() > 0.1, "no cut-out on the canvas"

    # One step takes the new layer away and another brings it back. That the original is hidden is
    # none, and its eye brings it back.
    display.focus(window.do("answer(int(Krita.instance().activeWindow().qwindow().winId()))"))
    display.key("ctrl+z")
    wait(window, f"{TREE.replace('answer', 'tree = ')}answer(len(tree) == 1)")
    assert window.do(TREE) == [["Background", False, []]]
    display.key("ctrl+shift+z")
    wait(window, f"{TREE.replace('answer', 'tree = ')}answer(len(tree) == 2)")
    assert window.do(TREE) == CLEANED
    assert window.do(BOTH) == [True, True]
    display.key("ctrl+z")
    wait(window, f"{TREE.replace('answer', 'tree = ')}answer(len(tree) == 1)")
    undo = "answer(Krita.instance().action('edit_undo').text().strip())"
    assert window.do(undo) == "Undo", "there is nothing left that could be undone"
    window.do("document().setActiveNode(layer())")
    wait(window, "answer(document().activeNode().name() == 'Background')")
    window.do("Krita.instance().action('toggle_layer_visibility').trigger()")
    wait(window, "answer(layer().visible())")
    assert window.do(TREE) == PLAIN

    # With the mask selected another click replaces the new layer, and says so.
    removed(window)
    window.do("docker().controls.widgets['shift'].setValue(700)")
    assert "undo 2 times" in removed(window)
    assert window.do(TREE) == CLEANED
    display.focus(window.do("answer(int(Krita.instance().activeWindow().qwindow().winId()))"))
    for number in (3, 2):
        display.wait_until_still()  # Krita does not heed an undo while it is still painting
        display.key("ctrl+z")
        wait(window, f"answer(len(document().topLevelNodes()) == {number})")
    assert window.do(BOTH) == [True, True]

    # It can be stopped while the colours are cleaned.
    window.do("[one.remove() for one in document().topLevelNodes()[1:]]; layer().setVisible(True)")
    window.do("document().setActiveNode(layer()); document().waitForDone()")
    window.do(STOP_AT_CLEANING)
    press(window)
    wait(window, "answer('Stopped.' in docker().desk.panel.said)")
    assert window.do(TREE) == PLAIN
    assert window.do("answer(heard)") == ["cleaning"]
    assert window.do(SAID).strip() == "Stopped."
    window.do("document().setModified(False)")
    assert window.quit() == 0
