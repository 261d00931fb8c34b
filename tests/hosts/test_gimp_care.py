"""What Remove Background does not do: lose strokes, work on what is none of its, leave a mess."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from engine_client import client_of
from engine_process import EngineProcess, engine_in
from gimp_plug_in import CHECKOUT, assembled
from host_gimp import Gimp
from maskwright_client.cancel import CancelSwitch
from maskwright_client.protocol import ColoursRequest

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(300)]

SAMPLE = CHECKOUT / "installers/sample/coffee.jpg"
BEGIN = "from host_inside.gimp_cases import *\n"


@pytest.fixture
def plug_ins(tmp_path: Path) -> dict[str, Path]:
    return {"maskwright": assembled(tmp_path)}


@pytest.fixture
def engine(gimp: Gimp) -> Iterator[EngineProcess]:
    with engine_in(gimp.stay.home) as running:
        yield running


REFUSALS = """
def refused(document, **settings):
    before = everything(document.image)
    masks = [mask_of(layer) for layer in document.targets]
    done, said = call(REMOVE, document.image, document.drawables, **settings)
    same = before == everything(document.image)
    return [done, said, same and masks == [mask_of(layer) for layer in document.targets]]

photo = given["photo"]
own_lock, group_lock = locked(photo), locked(photo, parent=True)

empty = opened(photo)
group = Gimp.GroupLayer.new(empty.image, "Group")
empty.image.insert_layer(group, None, 0)
empty.drawables = [group]

channel = opened(photo)
added = Gimp.Channel.new(channel.image, "Channel", 600, 400, 50, Gimp.context_get_foreground())
channel.image.insert_channel(added, None, 0)
channel.drawables = [added]

floating = opened(photo)
floating.image.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 10, 100, 100)
Gimp.edit_copy(floating.drawables)
floating.drawables = Gimp.edit_paste(floating.targets[0], True)[:1]

answer({
    "locked": refused(own_lock),
    "in a locked group": refused(group_lock),
    "empty group": refused(empty),
    "channel": refused(channel),
    "floating selection": refused(floating),
    "no such model": refused(opened(photo), model="no-such-model"),
    "model is not here": refused(opened(photo), model="modnet"),
    "not ours to refine": [*call("maskwright-refine-mask", *(lambda d: (d.image, d.drawables))
                           (with_mask(photo))), True],
})
"""
SENTENCES = {
    "locked": "locked",
    "in a locked group": "locked",
    "empty group": "empty",
    "channel": "select a layer",
    "floating selection": "floating selection",
    "no such model": "no such model",
    "model is not here": "get modnet",
    "not ours to refine": "run that first",
}


def test_what_it_cannot_do_it_says_and_changes_nothing(
    gimp: Gimp, engine: EngineProcess, plug_ins: dict[str, Path]
):
    photo = gimp.stay.bring(SAMPLE)
    found = gimp.console(BEGIN + REFUSALS, plug_ins=plug_ins, photo=photo)
    assert found.keys() == SENTENCES.keys()
    for name, (done, said, unchanged) in found.items():
        assert (done, unchanged) == (False, True), name
        assert SENTENCES[name] in said, (name, said)


STROKES = """
def paint(layer):
    mask = layer.get_mask()
    box = Gegl.Rectangle.new(100, 50, 40, 30)
    mask.get_buffer().set(box, MASK, bytes([77]) * (40 * 30))
    mask.get_buffer().flush()
    mask.update(100, 50, 40, 30)

def box_of(mask):
    return {mask[y * 600 + x] for y in range(50, 80) for x in range(100, 140)}

def run(layer, name=REMOVE, **settings):
    done, said = call(name, layer.get_image(), [layer], **settings)
    assert done, said
    return mask_of(layer)

plain = opened(given["photo"]).targets[0]
grown = run(plain, shift=4)
first = opened(given["photo"]).targets[0]
before = run(first)
paint(first)
copy = first.copy()
first.get_image().insert_layer(copy, None, 0)
kept = run(first, "maskwright-refine-mask", shift=4)
kept_again = run(first, shift=4)
anew = run(copy, shift=4, painted="discard")
outside = [k == g for i, (k, g) in enumerate(zip(kept, grown))
           if not (100 <= i % 600 < 140 and 50 <= i // 600 < 80)]
answer({
    "strokes stay": box_of(kept) == {77},
    "and stay": kept_again == kept,
    "the rest is new": all(outside),
    "or start anew": anew == grown,
    "something changed": before != grown,
    "parasites": [layer.get_mask().get_parasite_list() for layer in (plain, first, copy)],
})
"""


def test_strokes_are_kept_unless_they_are_to_go(
    gimp: Gimp, engine: EngineProcess, plug_ins: dict[str, Path]
):
    found = gimp.console(BEGIN + STROKES, plug_ins=plug_ins, photo=gimp.stay.bring(SAMPLE))
    assert found.pop("parasites") == [["maskwright-mask"]] * 3
    assert [name for name, holds in found.items() if not holds] == []


ONE_RUN = """
document = opened(given["photo"])
before = everything(document.image)
done, said = call(REMOVE, document.image, document.drawables)
answer([done, said, before == everything(document.image), mask_of(document.targets[0]) is None])
"""


def test_without_an_engine_it_says_what_to_install(gimp: Gimp, plug_ins: dict[str, Path]):
    done, said, unchanged, no_mask = gimp.console(
        BEGIN + ONE_RUN, plug_ins=plug_ins, photo=gimp.stay.bring(SAMPLE)
    )
    assert (done, unchanged, no_mask) == (False, True, True)
    assert "run Maskwright's installer" in said


def test_an_engine_that_dies_meanwhile_is_said(
    gimp: Gimp, engine: EngineProcess, plug_ins: dict[str, Path]
):
    engine.kill()
    done, said, unchanged, no_mask = gimp.console(
        BEGIN + ONE_RUN, plug_ins=plug_ins, photo=gimp.stay.bring(SAMPLE)
    )
    assert (done, unchanged, no_mask) == (False, True, True)
    assert said.count("\n") == 0
    assert said.endswith((".", "log"))


SELECTIONS = """
def selected(document, **settings):
    before = everything(document.image)
    layers = document.targets
    masks = [mask_of(layer) for layer in layers]
    done, said = call(REMOVE, document.image, document.drawables, output="selection", **settings)
    after = everything(document.image)
    assert done, said
    changed = before.pop("selection") != after.pop("selection")
    selection = samples(document.image.get_selection(), MASK)
    return document, selection, changed and before == after and masks == [
        mask_of(layer) for layer in layers]

def expected(document, layer):
    copy = layer.copy()
    document.image.insert_layer(copy, None, 0)
    if copy.get_mask():
        copy.remove_mask(Gimp.MaskApplyMode.DISCARD)
    done, said = call(REMOVE, document.image, [copy])
    assert done, said
    return mask_of(copy)

results = {}
for precision in ("U8_NON_LINEAR", "U8_LINEAR", "U8_PERCEPTUAL", "U16_NON_LINEAR", "FLOAT_LINEAR"):
    document = opened(given["photo"])
    wanted = getattr(Gimp.Precision, precision)
    if document.image.get_precision() != wanted:
        document.image.convert_precision(wanted)
    document, selection, clean = selected(document)
    results[precision] = [clean, selection == expected(document, document.targets[0])]

document, selection, clean = selected(moved(given["photo"], 40, -30))
mask = expected(document, document.targets[0])
on_canvas = b"".join(bytes(40) + mask[(y + 30) * 600 : (y + 30) * 600 + 560] for y in range(370))
results["moved"] = [clean, selection == on_canvas + bytes(600 * 30)]

document, selection, clean = selected(two_layers(given["photo"]))
results["two layers"] = [clean, len(set(selection)) > 10]
answer(results)
"""


def test_a_selection_can_be_had_instead_and_nothing_else_changes(
    gimp: Gimp, engine: EngineProcess, plug_ins: dict[str, Path]
):
    photo = gimp.stay.bring(SAMPLE)
    found = gimp.console(BEGIN + SELECTIONS, plug_ins=plug_ins, photo=photo)
    assert {name: facts for name, facts in found.items() if facts != [True, True]} == {}
    assert len(found) == 7


CLEAN = """
def cleaned(name, document):
    image, (layer,) = document.image, document.targets
    before, pixels = everything(image), samples(layer, None)
    deep = image.get_precision() != Gimp.Precision.U8_NON_LINEAR
    encoding = f"R'G'B'{'A' if layer.has_alpha() else ''} u{16 if deep else 8}"
    seen = samples(layer, encoding)
    done, said = call(REMOVE, image, document.drawables, clean_colours=True)
    assert done, said
    saved = Gio.File.new_for_path(f"/srv/files/{name}.xcf")
    assert Gimp.file_save(QUIET, image, saved, None)
    again = Gimp.file_load(QUIET, saved)
    new, old = again.get_layers()[:2]
    written = {"stored": pixels, "clean-stored": samples(new, None), "seen": seen,
               "clean-seen": samples(new, encoding), "mask": mask_of(new)}
    for kind, content in written.items():
        with open(f"/srv/files/{name}.{kind}", "wb") as file:
            file.write(content)
    return {
        "width": layer.get_width(), "height": layer.get_height(),
        "channels": 4 if layer.has_alpha() else 3, "bits": 16 if deep else 8,
        "one more layer": len(again.get_layers()) == len(before["layers"]) + 1,
        "name": new.get_name() == f"{layer.get_name()}, clean edges",
        "the original's pixels": samples(old, None) == pixels,
        "same masks": mask_of(old) == mask_of(new),
        "only the new one is seen": [new.get_visible(), old.get_visible()] == [True, False],
        "and selected": image.get_selected_layers() == [image.get_layers()[0]],
        "at the same place": new.get_offsets() == old.get_offsets(),
        "refinable": new.get_mask().get_parasite_list() == ["maskwright-mask"],
        "selection": everything(image)["selection"] == before["selection"],
    }

def precise(precision):
    document = opened(given["photo"])
    document.image.convert_precision(precision)
    return document

def changed(change):
    return converted(given["photo"], change)

results = {
    "plain": cleaned("plain", opened(given["photo"])),
    "16-bit": cleaned("16-bit", precise(Gimp.Precision.U16_NON_LINEAR)),
    "float": cleaned("float", precise(Gimp.Precision.FLOAT_LINEAR)),
    "grey": cleaned("grey", changed(lambda image: image.convert_grayscale())),
    "AdobeRGB": cleaned("AdobeRGB", changed(adobe)),
    "moved": cleaned("moved", moved(given["photo"], 40, -30)),
    "transparent": cleaned("transparent", half_transparent(given["photo"])),
}
indexed = changed(lambda image: image.convert_indexed(
    Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 64, False, True, ""))
answer([results, call(REMOVE, indexed.image, indexed.drawables, clean_colours=True),
        mask_of(indexed.targets[0]) is None])
"""
# GIMP converts what is written into the image's own grey, space or precision, and back for us.
TOLERANCE = {"plain": 0, "moved": 0, "transparent": 0, "16-bit": 0, "float": 2, "AdobeRGB": 3}


def test_clean_colours_lie_on_a_layer_of_their_own(
    gimp: Gimp, engine: EngineProcess, plug_ins: dict[str, Path]
):
    photo = gimp.stay.bring(SAMPLE)
    results, refused, untouched = gimp.console(BEGIN + CLEAN, plug_ins=plug_ins, photo=photo)
    client = client_of(engine)
    for name, facts in results.items():
        width, height, channels, bits = (
            facts.pop(key) for key in ("width", "height", "channels", "bits")
        )
        assert {fact for fact, holds in facts.items() if not holds} == set(), name
        files = {
            kind: (gimp.stay.files / f"{name}.{kind}").read_bytes()
            for kind in ("stored", "clean-stored", "seen", "clean-seen", "mask")
        }
        request = ColoursRequest(width, height, channels, bits, client="gimp")
        wanted = client.colours(request, files["seen"], files["mask"], CancelSwitch())
        mask = np.frombuffer(files["mask"], np.uint8)
        soft = (mask > 0) & (mask < 255)
        stored, clean = (
            np.frombuffer(files[kind], np.uint8).reshape(len(mask), -1)
            for kind in ("stored", "clean-stored")
        )
        assert np.array_equal(stored[~soft], clean[~soft]), name
        if name in TOLERANCE:  # a grey image makes grey of the colours
            kind = np.uint8 if bits == 8 else np.uint16
            got, expected = (
                np.frombuffer(content, kind).reshape(len(mask), -1)[soft].astype(int)
                for content in (files["clean-seen"], wanted)
            )
            assert np.abs(got - expected).max() <= TOLERANCE[name], name
        assert not np.array_equal(stored[soft], clean[soft]), name
    assert (refused[0], untouched) == (False, True)
    assert "indexed" in refused[1]


CLIPBOARD = """
document = opened(given["photo"])
image, (layer,) = document.image, document.targets
image.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 20, 30, 40)
Gimp.edit_copy([layer])
Gimp.Selection.none(image)
done, said = call(REMOVE, image, [layer])
assert done, said
(pasted,) = Gimp.edit_paste_as_new_image().get_layers()
wanted = layer.get_buffer().get(Gegl.Rectangle.new(10, 20, 30, 40), 1.0, "R'G'B' u8", NO_ABYSS)
answer([[pasted.get_width(), pasted.get_height()], samples(pasted, "R'G'B' u8") == bytes(wanted)])
"""


def test_the_clipboard_is_left_alone(gimp: Gimp, engine: EngineProcess, plug_ins: dict[str, Path]):
    found = gimp.console(BEGIN + CLIPBOARD, plug_ins=plug_ins, photo=gimp.stay.bring(SAMPLE))
    assert found == [[30, 40], True]
