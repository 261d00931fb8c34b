"""Every call into Krita's documents: reading pixels, attaching masks. In the main thread only.

Krita's calls answer None, an empty rectangle or True where others raise, and adding a mask waits in
an event loop of its own; what is checked here is checked for that reason.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from krita import Document, Krita, Node
from maskwright_editor.pixels import Pixels
from maskwright_editor.record import Existing, Record
from maskwright_editor.texts import _
from maskwright_krita import memory, reading
from maskwright_krita.failure import HostError
from maskwright_krita.memory import CleanLayer, Memory, Place, seen_at
from maskwright_krita.qt import QtCore
from maskwright_krita.reading import TRANSPARENCY, bounds_of, bytes_at, upwards
from maskwright_krita.steps import Steps

# Before the id of a mask, or of a layer with clean edges: the annotation that remembers it.
_OURS = "maskwright/"
_SETTINGS = "maskwright"
_GROUND_TYPES = frozenset(
    {"paintlayer", "grouplayer", "vectorlayer", "filelayer", "clonelayer", "filllayer"}
)
_FINGERPRINT_SIDE = 512


@dataclass(frozen=True)
class Layer:
    """A layer that is to get a mask; found anew each time, as it may go away meanwhile.

    mask:  the id of its transparency mask that the new one meets, if there is one.
    clean: the id of the layer with clean edges that was made of it, if that is what is meant; the
           mask is on that one.
    """

    document: Document
    id: Any
    name: str
    mask: Any = None
    clean: Any = None


@dataclass(frozen=True)
class Before:
    """How a layer was when it was read.

    bounds:      where Krita says that it lies.
    place:       where its pixels lie; elsewhere if a transform mask moves them.
    fingerprint: the same as long as nobody changes the layer.
    existing:    the mask that is there, at that place, and what is remembered of it.
    """

    bounds: Place
    place: Place
    fingerprint: int
    existing: Existing | None


@dataclass(frozen=True)
class NewClean:
    """A layer with clean edges that is to be, with its mask on it, and the layer's fingerprint."""

    layer: Node
    mask: Node
    fingerprint: int


@dataclass(frozen=True)
class NewMask:
    """A mask that is to be: of a layer, its bytes, and the packed record of it.

    clean: the layer that is to lie above and have the mask, if it is not the layer itself.
    """

    layer: Layer
    before: Before
    name: str
    alpha: bytes = field(repr=False)
    record: bytes = field(repr=False)
    clean: NewClean | None = None


def current_document() -> Document:
    """The document that is in front; HostError if there is none."""
    document = Krita.instance().activeDocument()
    if document is None or not is_open(document):
        raise HostError(_("Open a picture first, then try again."))
    return document


def selected(document: Document) -> list[Node]:
    """The layers and masks that are selected in the Layers docker."""
    window = Krita.instance().activeWindow()
    view = window.activeView() if window is not None else None
    nodes = view.selectedNodes() if view is not None else []
    if nodes:
        return nodes
    active = document.activeNode()
    return [] if active is None else [active]


def layers_of(document: Document, nodes: Sequence[Node], *, clean: bool = False) -> list[Layer]:
    """The layers that are meant, each once; a mask stands for its layer.

    With `clean`, a layer with clean edges stands for the one that it was made of, unless somebody
    has painted on it. Raises HostError where there is nothing to work on.
    """
    layers: dict[str, Layer] = {}
    for given in nodes:
        node = _layer_node(given)
        mask = _mask_of(node, given)
        original = _original_of(document, node) if clean else None
        meant = node if original is None else original
        _check_kind(meant)
        layer = Layer(
            document,
            meant.uniqueId(),
            meant.name(),
            mask and mask.uniqueId(),
            None if original is None else node.uniqueId(),
        )
        layers.setdefault(_text(layer.id), layer)
    if not layers:
        raise HostError(_("Select a layer first, then try again."))
    return list(layers.values())


def is_locked(layer: Layer) -> bool:
    """Whether the layer, or a group around it, is locked."""
    return any(node.locked() for node in upwards(_seen_node(layer)))


def is_hidden(layer: Layer) -> bool:
    """Whether the layer, or a group around it, is hidden."""
    return not all(node.visible() for node in upwards(_seen_node(layer)))


def is_animated(layer: Layer) -> bool:
    """Whether the layer has frames, which all get the same mask."""
    return bool(node_of(layer).animated())


def other_masks(layer: Layer) -> int:
    """How many visible transparency masks the layer has besides the one that the new one meets."""
    masks = [mask for mask in _transparency_masks(_seen_node(layer)) if mask.visible()]
    return sum(_text(mask.uniqueId()) != _text(layer.mask) for mask in masks)


def takes_long_to_read(layer: Layer) -> bool:
    """Whether Krita has to convert the layer's colours for us, which takes seconds when large."""
    return reading.kind_of(node_of(layer)) != reading.SRGB


def read(layer: Layer, small: int = 0) -> Steps[tuple[Before, Pixels, Any]]:
    """The layer's own pixels in sRGB without its transparency masks and opacity, and its mask.

    With `small`, also a QImage whose longest side has so many pixels, else None. Raises HostError.
    Everything may happen between two steps, so each looks for the layer anew.
    """
    node_of(layer)
    layer.document.waitForDone()
    yield
    node = node_of(layer)
    bounds = bounds_of(node, layer.name)
    with reading.source(layer.document, node) as (source, offset):
        lies = bounds_of(source, layer.name)
        # The image may be one of these bytes, which it only borrows.
        image, borrowed = reading.image_of(source, lies)
        own = borrowed if source is node else b""
        was = None if own else fingerprint(layer)
    yield
    was = zlib.crc32(own) if was is None else was
    pixels = reading.pixels_of(image)
    yield
    picture = reading.shrunk(image, small) if small else None
    del image, borrowed, own
    yield
    if bounds_of(node_of(layer), layer.name) != bounds:
        raise HostError(_("The layer changed its size meanwhile; try again."))
    place, mask = lies.moved(*offset), _find(layer.document, layer.mask)
    existing = None if mask is None else _existing(layer.document, mask, place)
    return Before(bounds, place, was, existing), pixels, picture


def node_of(layer: Layer) -> Node:
    """The layer as it is now; HostError if it went away."""
    if not is_open(layer.document):
        raise HostError(_("The picture was closed meanwhile, so nothing was changed."))
    node = _find(layer.document, layer.id)
    if node is None:
        raise HostError(_("The layer was deleted meanwhile, so nothing was changed."))
    return node


def fingerprint(layer: Layer) -> int:
    """The same as before as long as nobody has changed the layer's pixels.

    Exact for paint layers; what others show is looked at in a smaller size.
    """
    node = node_of(layer)
    if node.type() == "paintlayer":
        return _stored_fingerprint(node)
    bounds = node.bounds()
    longest = max(bounds.width(), bounds.height(), 1)
    scale = min(1.0, _FINGERPRINT_SIDE / longest)
    wide, high = (max(1, round(side * scale)) for side in (bounds.width(), bounds.height()))
    return zlib.crc32(reading.samples_of(node.thumbnail(wide, high)))


def recalled(layer: Layer) -> Memory | None:
    """What the document remembers of the layer's mask, if it is one of ours."""
    mask = _find(layer.document, layer.mask)
    return None if mask is None else _recalled(layer.document, mask)


def attach(masks: Sequence[NewMask]) -> list[Layer]:
    """Give layers their masks, or change nothing and raise HostError; gives them with those masks.

    The new masks are made and filled before the document knows of them. A mask or layer that is
    replaced is removed, which is an undo step of its own: Krita's Python cannot make one of two.
    """
    places = [_place_now(one) for one in masks]
    ready = [
        (one, one.clean.mask if one.clean else made_mask(one, place), place)
        for one, place in zip(masks, places, strict=True)
    ]
    done = []
    for one, mask, place in ready:
        document, node = one.layer.document, node_of(one.layer)
        if one.clean is None:
            _accept(node, mask, None)
            replaced, clean = one.layer.mask, None
        else:
            _lay_over(node, one.clean.layer)
            replaced, clean = one.layer.clean, one.clean.layer.uniqueId()
            copy = CleanLayer(_text(one.layer.id), one.clean.fingerprint)
            _remember(document, one.clean.layer, one.clean.layer.name(), memory.pack_clean(copy))
        position = mask.position()
        place = place.moved(-position.x(), -position.y())
        _remember(document, mask, one.name, memory.pack(place, one.record))
        done.append(replace(one.layer, mask=mask.uniqueId(), clean=clean))
        old = _find(document, replaced)
        if old is not None:
            old.remove()
    document, last = masks[-1].layer.document, ready[-1][1].uniqueId()
    # Krita makes a new mask the active one by itself, later; that this one is it, is said after it.
    QtCore.QTimer.singleShot(0, lambda: _activate(document, last))
    return done


def made_mask(one: NewMask, place: Place) -> Node:
    """A mask at a place that belongs to no layer yet."""
    if len(one.alpha) != place.pixels:
        raise HostError(_("The mask is not of the layer's size; try again."))
    mask = one.layer.document.createTransparencyMask(one.name)
    if mask is None:
        raise HostError(_("Krita could not make a mask; try again."))
    mask.setPixelData(one.alpha, place.left, place.top, place.width, place.height)
    return mask


def met_now(layer: Layer, before: Before) -> tuple[Layer, Before]:
    """The same if a new mask would still meet the one that the layer was found with, or none.

    Otherwise, as after an undo, with the one that it would meet.
    """
    if layer.mask is not None and _find(layer.document, layer.mask) is not None:
        return layer, before
    node = _seen_node(layer)
    mask = _mask_of(node, node)
    if mask is None and layer.mask is None:
        return layer, before
    existing = None if mask is None else _existing(layer.document, mask, before.place)
    clean = layer.clean if node.uniqueId() == layer.clean else None
    now = replace(layer, mask=mask and mask.uniqueId(), clean=clean)
    return now, replace(before, existing=existing)


def was_edited(one: NewMask) -> bool:
    """Whether somebody changed the layer's pixels while the engine worked."""
    return fingerprint(one.layer) != one.before.fingerprint


def ids_of(layers: Sequence[Layer]) -> set[str]:
    """Under which ids layers' masks, and the layers that these are on, are remembered."""
    return {_text(one) for layer in layers for one in (layer.mask, layer.clean)}


def forget_lost(document: Document, but: frozenset[str]) -> None:
    """Forget what is not in the document any more, and cannot come back by an undo.

    `but` are the ids of what was made since it was opened.
    """
    for name in document.annotationTypes():
        text = name[len(_OURS) :]
        if name.startswith(_OURS) and text not in but and not _find(document, QtCore.QUuid(text)):
            document.removeAnnotation(name)


def select_mask(layer: Layer) -> None:
    """Make the layer's mask the selection, which Krita cannot undo; HostError without one."""
    mask: Any = _find(layer.document, layer.mask)
    if mask is None:
        raise HostError(_("This layer has no mask to make a selection of."))
    layer.document.setSelection(mask.selection().duplicate())


def setting(name: str) -> str:
    """What was kept under a name; empty if nothing was."""
    return Krita.instance().readSetting(_SETTINGS, name, "")


def keep_setting(name: str, value: str) -> None:
    """Keep something until the next start."""
    Krita.instance().writeSetting(_SETTINGS, name, value)


def is_open(document: Document) -> bool:
    """Whether a document has not been closed."""
    return document in Krita.instance().documents()


def _layer_node(given: Node) -> Node:
    node: Node | None = given
    while node is not None and node.type().endswith("mask"):
        node = node.parentNode()
    if node is None or node.parentNode() is None:  # the selection, as Krita shows it among layers
        raise HostError(_("Select a layer first, then try again."))
    return node


def _check_kind(node: Node) -> None:
    kind = node.type()
    if kind not in _GROUND_TYPES:
        raise HostError(
            _("{name} has no pixels of its own; select another layer, then try again.").format(
                name=node.name()
            )
        )
    passes_through: Any = getattr(node, "passThroughMode", None)
    if kind == "grouplayer" and passes_through is not None and passes_through():
        raise HostError(
            _("A mask has no effect on a group that passes through; switch that off first.")
        )
    if not node.bounds().isEmpty():
        return
    if kind == "grouplayer":
        raise HostError(_("This group is empty; select one with layers in it."))
    raise HostError(_("{name} is empty; select a layer with a picture.").format(name=node.name()))


def _mask_of(node: Node, given: Node) -> Node | None:
    """The mask that is meant: the selected one, else one of ours, else the topmost that acts."""
    if given.type() == TRANSPARENCY:
        return given
    masks = [mask for mask in _transparency_masks(node) if mask.visible()]
    return masks[-1] if masks else None


def _transparency_masks(node: Node) -> list[Node]:
    return [child for child in node.childNodes() if child.type() == TRANSPARENCY]


def _seen_node(layer: Layer) -> Node:
    """What is seen of a layer: the one with clean edges lies over the one that it was made of."""
    clean = None if layer.clean is None else _find(layer.document, layer.clean)
    return node_of(layer) if clean is None else clean


def _original_of(document: Document, node: Node) -> Node | None:
    """What a layer with clean edges was made of; None if it is none, or was painted on since."""
    if _key(node) not in document.annotationTypes():
        return None
    remembered = memory.unpack_clean(bytes(document.annotation(_key(node))))
    if remembered is None or remembered.fingerprint != _stored_fingerprint(node):
        return None
    return _find(document, QtCore.QUuid(remembered.original))


def _stored_fingerprint(node: Node) -> int:
    bounds = node.bounds()
    at = (bounds.x(), bounds.y(), bounds.width(), bounds.height())
    return zlib.crc32(memoryview(node.pixelData(*at)))


def _find(document: Document, node_id: Any) -> Node | None:
    return None if node_id is None else document.nodeByUniqueID(node_id)


def _recalled(document: Document, mask: Node) -> Memory | None:
    if _key(mask) not in document.annotationTypes():
        return None
    found = memory.unpack(bytes(document.annotation(_key(mask))))
    if found is None:
        return None
    position = mask.position()
    return Memory(found.place.moved(position.x(), position.y()), found.record)


def _existing(document: Document, mask: Node, place: Place) -> Existing:
    remembered = _recalled(document, mask)
    if remembered is None:
        return Existing(bytes_at(mask, place))
    record = remembered.record
    written = seen_at(remembered.place, record.written, place)
    return Existing(bytes_at(mask, place), Record(record.wish, written))


def _place_now(one: NewMask) -> Place:
    """Where the layer lies now; HostError if it went away, grew, or its mask was painted on."""
    node, before = node_of(one.layer), one.before.bounds
    now = bounds_of(node, one.layer.name)
    if (now.width, now.height) != (before.width, before.height):
        raise HostError(_("The layer changed its size meanwhile; try again."))
    if one.clean and now != before:
        raise HostError(_("The layer was moved meanwhile; try again."))
    place = one.before.place.moved(now.left - before.left, now.top - before.top)
    mask, existing = _find(one.layer.document, one.layer.mask), one.before.existing
    if existing is not None and (mask is None or bytes_at(mask, place) != existing.mask):
        raise HostError(_("The mask was changed meanwhile; try again."))
    return place


def _accept(parent: Node, child: Node, above: Node | None) -> None:
    if not parent.addChildNode(child, above):
        raise HostError(_("Krita did not accept the mask; try again."))


def _lay_over(node: Node, clean: Node) -> None:
    """Put a layer over one that is hidden for that, unless it is not accepted.

    Hiding is no undo step here; it is one only if a designer clicks on the eye. It also changes
    nothing on the canvas: adding a layer does, so that comes after.
    """
    was_visible, parent = node.visible(), node.parentNode()
    node.setVisible(False)
    try:
        _accept(parent or node, clean, node)
    except HostError:
        node.setVisible(was_visible)
        raise


def _remember(document: Document, node: Node, name: str, content: bytes) -> None:
    document.setAnnotation(_key(node), name, QtCore.QByteArray(content))


def _activate(document: Document, mask_id: Any) -> None:
    if is_open(document):
        mask = _find(document, mask_id)
        if mask is not None:
            document.setActiveNode(mask)


def _key(mask: Node) -> str:
    return _OURS + _text(mask.uniqueId())


def _text(node_id: Any) -> str:
    return "" if node_id is None else str(node_id.toString())
