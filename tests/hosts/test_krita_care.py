"""What Remove Background does not do in Krita: lose strokes, work on what is none of its."""

from collections.abc import Iterator
from pathlib import Path

import gimp_plug_in
import pytest
from engine_client import client_of
from engine_process import EngineProcess, engine_in
from host_gimp import Gimp
from host_krita import Krita
from krita_plug_in import CHECKOUT

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(300)]

SAMPLE = CHECKOUT / "installers/sample/coffee.jpg"
BEGIN = "from host_inside.krita_cases import *\n"


@pytest.fixture
def engine(krita: Krita) -> Iterator[EngineProcess]:
    with engine_in(krita.stay.home) as running:
        yield running


REFUSALS = """
photo = given["photo"]

def added(layer_of):
    case = opened(photo)
    layer = layer_of(case.document)
    case.document.rootNode().addChildNode(layer, None)
    settle(case.document)
    return Case(case.document, [layer], [layer])

passing = in_a_group(photo)
passing.targets[0].setPassThroughMode(True)
settle(passing.document)

only_selection = with_selection(photo)
nodes = only_selection.document.topLevelNodes()
only_selection.nodes = [node for node in nodes if node.type() == "selectionmask"]

nothing = opened(photo)
nothing.nodes = []
unknown, absent = opened(photo), opened(photo)
unknown.settings, absent.settings = {"model": "no-such-model"}, {"model": "modnet"}

answer({
    "empty layer": refused(added(lambda one: one.createNode("new", "paintlayer"))),
    "empty group": refused(added(lambda one: one.createGroupLayer("new"))),
    "empty vector layer": refused(added(lambda one: one.createVectorLayer("new"))),
    "filter layer": refused(added(lambda one: one.createFilterLayer(
        "filter", Krita.instance().filter("blur"), Selection()))),
    "group that passes through": refused(passing),
    "only a selection": refused(only_selection),
    "nothing": refused(nothing),
    "no such model": refused(unknown),
    "model is not here": refused(absent),
})
"""
SENTENCES = {
    "empty layer": "new is empty",
    "empty group": "group is empty",
    "empty vector layer": "new is empty",
    "filter layer": "no pixels of its own",
    "group that passes through": "passes through",
    "only a selection": "Select a layer",
    "nothing": "Select a layer",
    "no such model": "no such model",
    "model is not here": "get modnet",
}


def test_what_it_cannot_do_it_says_and_changes_nothing(krita: Krita, engine: EngineProcess):
    found = krita.runner(BEGIN + REFUSALS, photo=krita.stay.bring(SAMPLE))
    assert found.keys() == SENTENCES.keys()
    for name, (said, unchanged) in found.items():
        assert SENTENCES[name] in said, (name, said)
        assert unchanged, name


STROKES = """
BOX = (100, 50, 40, 30)

def mask(layer):
    return [one for one in layer.childNodes() if one.type() == "transparencymask"][-1]

def run(case, **settings):
    case.settings = settings
    outcome = remove(case)
    layer = case.targets[0]
    masks = [one for one in layer.childNodes() if one.type() == "transparencymask"]
    assert len(masks) == 1
    return bytes(masks[0].pixelData(0, 0, 600, 400))

def paint(case):
    mask(case.targets[0]).setPixelData(bytes([77]) * (40 * 30), *BOX)

def box_of(samples, x=0, y=0):
    return {samples[(row + y) * 600 + column + x] for row in range(50, 80)
            for column in range(100, 140)}

photo = given["photo"]
grown = run(opened(photo), shift=4.0)
first = opened(photo)
before = run(first)
paint(first)
kept = run(first, shift=4.0)
kept_again = run(first, shift=4.0)
document = first.document
assert document.saveAs("/srv/files/strokes.kra")
QtCore.QCoreApplication.processEvents()
again = Krita.instance().openDocument("/srv/files/strokes.kra")
layer = again.topLevelNodes()[0]
reopened = Case(again, [layer], [layer])
kept_after_saving = run(reopened, shift=4.0)
anew = run(first, shift=4.0, painted="discard")

second = opened(photo)
run(second)
paint(second)
layer = second.targets[0]
for node in (layer, mask(layer)):
    node.move(30, 20)
layer.setPixelData(bytes([0, 0, 255, 255]) * 100, 640, 20, 10, 10)
settle(second.document)
second.settings = {}
remove(second)
moved_and_grown = bytes(mask(layer).pixelData(30, 20, 600, 400))

outside = [k == g for i, (k, g) in enumerate(zip(kept, grown))
           if not (100 <= i % 600 < 140 and 50 <= i // 600 < 80)]
answer({
    "strokes stay": box_of(kept) == {77},
    "and stay": kept_again == kept,
    "and stay when reopened": kept_after_saving == kept,
    "the rest is new": all(outside),
    "or start anew": anew == grown,
    "something changed": before != grown,
    "where the layer moved and grew": box_of(moved_and_grown) == {77},
    "and it did": layer.bounds().width() == 620,
    "one annotation for each mask": len(second.document.annotationTypes()) <= 2,
})
"""


def test_strokes_are_kept_unless_they_are_to_go(krita: Krita, engine: EngineProcess):
    found = krita.runner(BEGIN + STROKES, photo=krita.stay.bring(SAMPLE))
    assert [name for name, holds in found.items() if not holds] == []


MEANWHILE = """
def meanwhile(change):
    \"\"\"What is said if something happens between the engine's answer and the mask.\"\"\"
    case = with_mask(given["photo"])
    layers = host.layers_of(case.document, case.nodes)
    removal = Removal(asking.connect(), layers, wish_of())
    while not removal.is_read:
        at_once(removal.read_next())
        asking.Call(lambda: removal.ask(lambda event: None, CancelSwitch())).result(lambda: None)
    change(case)
    QtCore.QCoreApplication.processEvents()
    try:
        return " ".join(at_once(removal.apply()).notes)
    except HostError as error:
        return str(error)

def grow(case):
    case.targets[0].setPixelData(bytes(4000), 700, 0, 100, 10)
    case.targets[0].setPixelData(bytes([255]) * 4000, 700, 0, 100, 10)

def paint_on_mask(case):
    case.targets[0].childNodes()[0].setPixelData(bytes([9]) * 100, 0, 0, 10, 10)

answer({
    "closed": meanwhile(lambda case: case.document.close()),
    "deleted": meanwhile(lambda case: case.targets[0].remove()),
    "resized": meanwhile(grow),
    "mask was painted on": meanwhile(paint_on_mask),
    "mask was deleted": meanwhile(lambda case: case.targets[0].childNodes()[0].remove()),
    "edited": meanwhile(lambda case: case.targets[0].setPixelData(bytes([7]) * 400, 5, 5, 10, 10)),
    "moved": meanwhile(lambda case: [node.move(3, 4) for node in
                                     (case.targets[0], case.targets[0].childNodes()[0])]),
})
"""
SAID_MEANWHILE = {
    "closed": "closed meanwhile",
    "deleted": "deleted meanwhile",
    "resized": "changed its size meanwhile",
    "mask was painted on": "mask was changed meanwhile",
    "mask was deleted": "mask was changed meanwhile",
    "edited": "changed meanwhile: run it again",
    "moved": "Undo 2 times",
}


def test_what_changes_meanwhile_is_seen(krita: Krita, engine: EngineProcess):
    found = krita.runner(BEGIN + MEANWHILE, photo=krita.stay.bring(SAMPLE))
    assert found.keys() == SAID_MEANWHILE.keys()
    for name, said in found.items():
        assert SAID_MEANWHILE[name] in said, (name, said)


ONE_RUN = """
answer(refused(opened(given["photo"])))
"""


def test_without_an_engine_it_says_what_to_install(krita: Krita):
    said, unchanged = krita.runner(BEGIN + ONE_RUN, photo=krita.stay.bring(SAMPLE))
    assert "run Maskwright's installer" in said
    assert unchanged


def test_in_a_sandbox_it_says_how_to_start_the_engine(krita: Krita):
    photo, snap = krita.stay.bring(SAMPLE), {"SNAP": "/snap/krita/1"}
    said, unchanged = krita.runner(BEGIN + ONE_RUN, env=snap, photo=photo)
    assert "run `maskwright serve`" in said
    assert unchanged


def test_an_engine_that_was_killed_is_said(krita: Krita, engine: EngineProcess):
    engine.kill()
    said, unchanged = krita.runner(BEGIN + ONE_RUN, photo=krita.stay.bring(SAMPLE))
    assert said.count("\n") == 0
    assert said.endswith((".", "log"))
    assert unchanged


IN_GIMP = """
from host_inside.gimp_cases import REMOVE, call, opened
document = opened(given["photo"])
answer(call(REMOVE, document.image, document.drawables))
"""
IN_KRITA = """
outcome = remove(half_transparent(given["photo"]))
(info,) = outcome.infos
answer([info.network_runs, info.from_cache, info.seconds])
"""


def test_the_second_editor_pays_no_model_load(
    gimp: Gimp, krita: Krita, engine: EngineProcess, tmp_path: Path
):
    photo = gimp.stay.bring(SAMPLE)
    plug_ins = {"maskwright": gimp_plug_in.assembled(tmp_path)}
    done, said = gimp.console(IN_GIMP, plug_ins=plug_ins, photo=photo)
    assert done, said
    client = client_of(engine)
    runs = client.hello().network_runs
    assert runs > 0
    network_runs, from_cache, seconds = krita.runner(BEGIN + IN_KRITA, photo=photo)
    assert (from_cache, client.hello().network_runs) == (False, runs + network_runs)
    assert network_runs > 0
    assert seconds["load"] < 0.02, seconds
