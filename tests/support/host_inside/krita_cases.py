"""Documents of every kind, made inside Krita, and what a run of Remove Background does to them."""

import hashlib
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from host_inside.krita_names import krita_names

for _folder in ("plugin/krita/maskwright", "plugin/shared"):
    sys.path.append(f"/srv/maskwright/{_folder}")

from maskwright_client.cancel import CancelSwitch  # noqa: E402
from maskwright_client.errors import ClientError  # noqa: E402
from maskwright_editor import asking  # noqa: E402
from maskwright_editor.settings import settings  # noqa: E402
from maskwright_editor.wish import Wish  # noqa: E402
from maskwright_krita import host, wishes  # noqa: E402
from maskwright_krita.failure import HostError  # noqa: E402
from maskwright_krita.running import Outcome, Removal  # noqa: E402

_NAMES = krita_names()
InfoObject, Krita, QtCore, QtGui, Selection = (
    _NAMES[name] for name in ("InfoObject", "Krita", "QtCore", "QtGui", "Selection")
)
OURS = "maskwright/"
RED = (
    "<!DOCTYPE color><color channeldepth='U8'>"
    "<RGB r='1' g='0' b='0' space='sRGB-elle-V2-srgbtrc.icc'/></color>"
)
CIRCLE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="600px" height="400px" viewBox="0 0 600 400">'
    '<circle cx="300" cy="200" r="150" fill="#c04020"/><rect x="260" y="20" width="60" height="40"'
    ' fill="#204080"/></svg>'
)


@dataclass
class Case:
    """nodes: what is selected; targets: the layers that get a mask."""

    document: Any
    nodes: list[Any]
    targets: list[Any]
    settings: dict[str, Any] = field(default_factory=dict)


def settle(document: Any) -> None:
    """Wait for what Krita does in the background, some of which begins with the next turn only."""
    for _ in range(5):
        QtCore.QCoreApplication.processEvents()
        time.sleep(0.02)
    document.refreshProjection()
    document.waitForDone()


def shapes_are_drawn(document: Any) -> None:
    """Wait for vector layers, which Krita draws some time after it knows what is on them."""
    settle(document)
    while any(
        node.type() == "vectorlayer" and node.bounds().isEmpty()
        for node in every_node(document.topLevelNodes())
    ):
        settle(document)


def opened(photo: str, model: str = "", depth: str = "", profile: str = "") -> Case:
    """The photo as Krita opens it, or as a document of another kind."""
    document = Krita.instance().openDocument(photo)
    document.setBatchmode(True)
    if model:
        assert document.setColorSpace(model, depth, profile)
        document.waitForDone()
    layer = document.topLevelNodes()[0]
    return Case(document, [layer], [layer])


def kind(model: str, depth: str) -> Callable[[str], Case]:
    """The photo in another colour model and depth, with a profile that Krita has for it."""

    def made(photo: str) -> Case:
        profiles = Krita.instance().profiles(model, depth)
        return opened(photo, model, depth, sorted(profiles)[0])

    return made


def pixels_of(layer: Any) -> bytes:
    """A paint layer's own bytes."""
    box = layer.bounds()
    return bytes(layer.pixelData(box.x(), box.y(), box.width(), box.height()))


def half_transparent(photo: str) -> Case:
    """Its left third is see-through, more and more."""
    case = opened(photo)
    (layer,) = case.targets
    samples = bytearray(pixels_of(layer))
    for x in range(200):
        samples[4 * x + 3 :: 4 * 600] = bytes([x]) * 400
    layer.setPixelData(bytes(samples), 0, 0, 600, 400)
    return case


def moved(photo: str, x: int, y: int) -> Case:
    """The layer lies elsewhere on the canvas, or beside it."""
    case = opened(photo)
    case.targets[0].move(x, y)
    settle(case.document)
    return case


def odd_size(photo: str) -> Case:
    """Rows whose length is no multiple of four bytes."""
    case = opened(photo)
    (layer,) = case.targets
    samples = bytes(layer.pixelData(0, 0, 333, 211))
    other = case.document.createNode("odd", "paintlayer")
    other.setPixelData(samples, -7, 11, 333, 211)
    case.document.rootNode().addChildNode(other, None)
    return Case(case.document, [other], [other])


def with_layer(photo: str, layer_of: Callable[[Any], Any]) -> Case:
    """Another layer lies over the photo and is selected."""
    case = opened(photo)
    layer = layer_of(case.document)
    case.document.rootNode().addChildNode(layer, None)
    if layer.type() == "vectorlayer":
        layer.addShapesFromSvg(CIRCLE)
    shapes_are_drawn(case.document)
    return Case(case.document, [layer], [layer])


def fill_layer(document: Any) -> Any:
    """One colour, in a part of the picture."""
    part, colour = Selection(), InfoObject()
    part.select(40, 30, 400, 300, 255)
    colour.setProperties({"color": RED})
    return document.createFillLayer("fill", "color", colour, part)


def clone_layer(photo: str) -> Case:
    """It shows another layer."""
    case = opened(photo)
    clone = case.document.createCloneLayer("clone", case.targets[0])
    case.document.rootNode().addChildNode(clone, None)
    settle(case.document)
    return Case(case.document, [clone], [clone])


def in_a_group(photo: str) -> Case:
    """The group is selected, with a copy of the photo and a stroke in it."""
    case = opened(photo)
    document, (layer,) = case.document, case.targets
    group = document.createGroupLayer("group")
    document.rootNode().addChildNode(group, None)
    below, above = (document.createNode(name, "paintlayer") for name in ("below", "above"))
    below.setPixelData(pixels_of(layer), 0, 0, 600, 400)
    above.setPixelData(bytes([30, 60, 200, 255]) * 2000, -10, 50, 100, 20)
    group.addChildNode(below, None)
    group.addChildNode(above, None)
    settle(document)
    return Case(document, [group], [group])


def deep_group(photo: str) -> Case:
    """The same in a document of more than 8 bits, in another profile."""
    case = in_a_group(photo)
    case.document.setBatchmode(True)
    assert case.document.setColorSpace("RGBA", "U16", "ClayRGB-elle-V2-g22.icc")
    settle(case.document)
    return case


def with_mask(photo: str, **settings: Any) -> Case:
    """A transparency mask is there already."""
    case = opened(photo)
    (layer,) = case.targets
    mask = case.document.createTransparencyMask("before")
    mask.setPixelData(bytes((x + y) % 256 for y in range(400) for x in range(600)), 0, 0, 600, 400)
    layer.addChildNode(mask, None)
    settle(case.document)
    case.settings = settings
    return case


def mask_selected(photo: str) -> Case:
    """The mask is what is selected."""
    case = with_mask(photo)
    case.nodes = case.targets[0].childNodes()
    return case


def two_masks(photo: str) -> Case:
    """Of two masks the upper one is replaced."""
    case = with_mask(photo)
    mask = case.document.createTransparencyMask("second")
    mask.setPixelData(bytes([200]) * 240000, 0, 0, 600, 400)
    case.targets[0].addChildNode(mask, None)
    settle(case.document)
    return case


def two_layers(photo: str) -> Case:
    """Both are selected, and the mask of one of them."""
    case = with_mask(photo)
    (layer,) = case.targets
    second = case.document.createNode("second", "paintlayer")
    second.setPixelData(pixels_of(layer)[: 4 * 600 * 300], 50, 60, 600, 300)
    second.setColorLabel(3)
    second.setOpacity(120)
    case.document.rootNode().addChildNode(second, None)
    settle(case.document)
    return Case(case.document, [second, layer, layer.childNodes()[0]], [second, layer])


def with_selection(photo: str) -> Case:
    """Part of the picture is selected."""
    case = opened(photo)
    selection = Selection()
    selection.select(50, 60, 200, 150, 90)
    case.document.setSelection(selection)
    settle(case.document)
    return case


def with_filter_mask(photo: str) -> Case:
    """The layer is blurred by a mask."""
    case = opened(photo)
    blur, everything = Krita.instance().filter("blur"), Selection()
    everything.select(0, 0, 600, 400, 255)
    mask = case.document.createFilterMask("blur", blur, everything)
    case.targets[0].addChildNode(mask, None)
    settle(case.document)
    return case


def with_transform_mask(photo: str, **settings: Any) -> Case:
    """The layer is shown larger and elsewhere."""
    case = opened(photo)
    document = case.document
    layer = document.createNode("small", "paintlayer")
    layer.setPixelData(bytes(case.targets[0].pixelData(150, 50, 300, 300)), 20, 30, 300, 300)
    document.rootNode().addChildNode(layer, None)
    mask = document.createTransformMask("transform")
    layer.addChildNode(mask, None)
    xml = mask.toXML()
    for name, x, y in (("transformedCenter", 330, 150), ("originalCenter", 170, 180)):
        xml = re.sub(f"<{name}[^>]*>", f'<{name} type="pointf" x="{x}" y="{y}"/>', xml)
    xml = re.sub("<scaleX[^>]*>", '<scaleX type="value" value="1.5"/>', xml)
    assert mask.fromXML(xml)
    settle(document)
    return Case(document, [layer], [layer], settings)


def locked(photo: str) -> Case:
    """Krita lets plug-ins work on a locked layer; the docker asks before."""
    case = opened(photo)
    case.targets[0].setLocked(True)
    return case


def hidden(photo: str) -> Case:
    """It cannot be seen."""
    case = opened(photo)
    case.targets[0].setVisible(False)
    settle(case.document)
    return case


def animated(photo: str) -> Case:
    """It has frames."""
    case = opened(photo)
    case.targets[0].enableAnimation()
    settle(case.document)
    return case


CASES: dict[str, Callable[[str], Case]] = {
    "RGBA U8": opened,
    "half transparent": half_transparent,
    "RGBA U16": kind("RGBA", "U16"),
    "RGBA F16": kind("RGBA", "F16"),
    "RGBA F32": kind("RGBA", "F32"),
    "GRAYA U8": kind("GRAYA", "U8"),
    "GRAYA U16": kind("GRAYA", "U16"),
    "CMYKA U8": kind("CMYKA", "U8"),
    "CMYKA U16": kind("CMYKA", "U16"),
    "LABA U16": kind("LABA", "U16"),
    "another profile": lambda photo: opened(photo, "RGBA", "U8", "ClayRGB-elle-V2-g22.icc"),
    "U16, another profile": lambda photo: opened(photo, "RGBA", "U16", "ClayRGB-elle-V2-g22.icc"),
    "offset": lambda photo: moved(photo, 37, -53),
    "off the canvas": lambda photo: moved(photo, 5000, -5000),
    "odd size": odd_size,
    "group": in_a_group,
    "group, U16": deep_group,
    "vector": lambda photo: with_layer(photo, lambda one: one.createVectorLayer("vector")),
    "file": lambda photo: with_layer(photo, lambda one: one.createFileLayer("file", photo, "None")),
    "clone": clone_layer,
    "fill": lambda photo: with_layer(photo, fill_layer),
    "mask: replace": with_mask,
    "mask: intersect": lambda photo: with_mask(photo, existing="intersect"),
    "mask: add": lambda photo: with_mask(photo, existing="add"),
    "mask: subtract": lambda photo: with_mask(photo, existing="subtract", shift=2.5),
    "mask is selected": mask_selected,
    "two masks": two_masks,
    "two layers": two_layers,
    "selection": with_selection,
    "filter mask": with_filter_mask,
    "transform mask": with_transform_mask,
    "locked": locked,
    "hidden": hidden,
    "animated": animated,
}


def wish_of(**given: Any) -> Wish:
    """A wish with some settings changed, named as in `settings()`."""
    wish, by_name = Wish(), {one.field: one for one in settings()}
    for name, value in given.items():
        wish = wishes.changed(wish, by_name[name], value)
    return wish


def at_once(steps: Any) -> Any:
    """What comes of work in steps."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def remove(case: Case) -> Outcome:
    """What the docker does on a click, with the same parts and no widgets."""
    wish = wish_of(**case.settings)
    layers = host.layers_of(case.document, case.nodes, clean=wish.clean_colours)
    removal = Removal(asking.connect(), layers, wish)
    cancel = CancelSwitch()
    while not removal.is_read:
        at_once(removal.read_next())
        asking.Call(lambda: removal.ask(lambda event: None, cancel)).result(lambda: None)
        if removal.cleans:
            at_once(removal.read_colours())
            asking.Call(lambda: removal.clean(cancel)).result(lambda: None)
            at_once(removal.make_layer())
    outcome: Outcome = at_once(removal.apply())
    QtCore.QCoreApplication.processEvents()
    case.document.waitForDone()
    return outcome


def refused(case: Case) -> tuple[str, bool]:
    """What is said instead of a mask, and whether everything is as before."""
    before = everything(case.document)
    masks = [mask_list(layer) for layer in case.targets]
    try:
        remove(case)
    except (HostError, ClientError) as error:
        same = before == everything(case.document)
        return str(error), same and masks == [mask_list(layer) for layer in case.targets]
    return "", False


def mask_list(layer: Any) -> list[tuple[str, str]]:
    """A layer's masks: names and content."""
    return [(mask.name(), digest(pixels_of(mask))) for mask in layer.childNodes()]


def every_node(nodes: list[Any]) -> Iterator[Any]:
    """Nodes and what is in them, without transparency masks."""
    for node in nodes:
        if node.type() != "transparencymask":
            yield node
            yield from every_node(node.childNodes())


def everything(document: Any) -> dict[str, Any]:
    """All that must be after a run as it was before, but for transparency masks."""
    selection = document.selection()
    box = (0, 0, document.width(), document.height())
    types = [name for name in document.annotationTypes() if not name.startswith(OURS)]
    clipboard = QtGui.QGuiApplication.clipboard().text()
    return {
        "size": list(box),
        "colours": [document.colorModel(), document.colorDepth(), document.colorProfile()],
        "selection": digest(bytes(selection.pixelData(*box))) if selection else None,
        "annotations": sorted(types),
        "clipboard": clipboard,
        "nodes": [about(node) for node in every_node(document.topLevelNodes())],
    }


def about(node: Any) -> dict[str, Any]:
    """A node without its masks."""
    box = node.bounds()
    own = node.type() in ("paintlayer", "selectionmask")
    return {
        "name": node.name(),
        "kind": node.type(),
        "id": node.uniqueId().toString(),
        "pixels": digest(pixels_of(node)) if own else None,
        "bounds": [box.x(), box.y(), box.width(), box.height()],
        "colours": [node.colorModel(), node.colorDepth(), node.colorProfile()],
        "opacity": node.opacity(),
        "blending": node.blendingMode(),
        "visible": node.visible(),
        "locked": node.locked(),
        "collapsed": node.collapsed(),
        "label": node.colorLabel(),
    }


def digest(content: bytes) -> str:
    """A short name for bytes."""
    return hashlib.sha256(content).hexdigest()


def rgba(image: Any) -> bytes:
    """A picture's samples in the engine's order."""
    changed = image.convertToFormat(QtGui.QImage.Format.Format_RGBA8888)
    samples = changed.constBits()
    samples.setsize(changed.sizeInBytes())
    return bytes(samples)


def shown_of(layer: Any) -> tuple[list[int], bytes]:
    """Where a layer lies and its sRGB samples, as its masks of the other kinds shape it."""
    box = layer.bounds()
    if not any(mask.type() in ("filtermask", "transformmask") for mask in layer.childNodes()):
        place = [box.x(), box.y(), box.width(), box.height()]
        return place, rgba(layer.thumbnail(box.width(), box.height()))
    # These cases have 8-bit sRGB layers, and nothing of them lies far beside the canvas.
    projection = bytes(layer.projectionPixelData(0, 0, 600, 400))
    image = QtGui.QImage(projection, 600, 400, 2400, QtGui.QImage.Format.Format_ARGB32)
    samples = rgba(image)
    alpha = samples[3::4]
    rows = [y for y in range(400) if any(alpha[600 * y : 600 * y + 600])]
    columns = [x for x in range(600) if any(alpha[x::600])]
    place = [columns[0], rows[0], columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]]
    starts = [4 * (600 * y + place[0]) for y in rows]
    return place, b"".join(samples[start : start + 4 * place[2]] for start in starts)


def mask_at(layer: Any, place: list[int]) -> list[bytes]:
    """The bytes of a layer's transparency masks, the lowest first."""
    masks = [one for one in layer.childNodes() if one.type() == "transparencymask"]
    return [bytes(mask.pixelData(*place)) for mask in masks]


def run_case(name: str, photo: str, folder: str) -> dict[str, Any]:
    """Make a document, run it, save, reopen; what there is to say of it.

    The pixels that the engine must have seen, the mask before and the mask after lie in files.
    """
    case = CASES[name](photo)
    document = case.document
    stem = f"{folder}/{name.replace(' ', '-').replace(':', '').replace(',', '')}"
    before = everything(document)
    shown = [shown_of(layer) for layer in case.targets]
    olds = [mask_at(layer, place) for layer, (place, _) in zip(case.targets, shown, strict=True)]
    outcome = remove(case)
    after = everything(document)
    saved = f"{stem}.kra"
    assert document.saveAs(saved)
    QtCore.QCoreApplication.processEvents()
    again = Krita.instance().openDocument(saved)
    shapes_are_drawn(again)
    layers = []
    for number, layer in enumerate(case.targets):
        place, samples = shown[number]
        masks = mask_at(layer, place)
        twin = again.nodeByUniqueID(layer.uniqueId())
        files = {
            "pixels": samples,
            "old": olds[number][-1] if olds[number] else b"",
            "mask": masks[-1],
            "reopened": mask_at(twin, place)[-1],
        }
        for file_kind, content in files.items():
            with open(f"{stem}-{number}.{file_kind}", "wb") as file:
                file.write(content)
        top = host.Layer(again, twin.uniqueId(), "", twin.childNodes()[-1].uniqueId())
        layers.append(
            {
                "stem": f"{stem}-{number}".rpartition("/")[2],
                "name": layer.name(),
                "place": place,
                "others": masks[:-1] == olds[number][:-1],
                "remembered": host.recalled(top) is not None,
                "mask name": layer.childNodes()[-1].name(),
            }
        )
    result = {
        "unchanged": before == after,
        "unchanged when reopened": before == everything(again),
        "before": before,
        "after": after,
        "layers": layers,
        "settings": case.settings,
        "notes": list(outcome.notes),
        "saved": saved.rpartition("/")[2],
    }
    for one in (again, document):
        QtCore.QCoreApplication.processEvents()
        one.close()
    QtCore.QCoreApplication.processEvents()
    return result
