"""Every call into Krita's documents: reading pixels, attaching masks. In the main thread only.

Krita's calls answer None, an empty rectangle or True where others raise, and adding a mask waits in
an event loop of its own; what is checked here is checked for that reason.
"""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from krita import Document, Krita, Node
from maskwright_client.protocol import preview_size
from maskwright_editor.pixels import Pixels
from maskwright_editor.record import Existing, Record
from maskwright_editor.texts import _
from maskwright_krita import memory
from maskwright_krita.failure import HostError
from maskwright_krita.memory import Memory, Place, seen_at
from maskwright_krita.qt import QtCore, QtGui

_OURS = "maskwright/"  # before a mask's id: the name of the annotation that remembers it
_SETTINGS = "maskwright"
_SRGB = ("RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc")
_GROUND_TYPES = frozenset(
    {"paintlayer", "grouplayer", "vectorlayer", "filelayer", "clonelayer", "filllayer"}
)
# What these do to a layer comes before our mask, so the engine has to see it.
_SHAPING = frozenset({"transformmask", "filtermask"})
_TRANSPARENCY = "transparencymask"
_FINGERPRINT_SIDE = 512
_ANY_RESOLUTION = 72.0

T = TypeVar("T")
Steps = Generator[None, None, T]
"""Work in parts, between which Krita may draw and listen; what comes of it is returned."""


@dataclass(frozen=True)
class Layer:
    """A layer that is to get a mask; found anew each time, as it may go away meanwhile.

    mask: the id of its transparency mask that the new one meets, if there is one.
    """

    document: Document
    id: Any
    name: str
    mask: Any = None


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
class NewMask:
    """A mask that is to be: of a layer, its bytes, and the packed record of it."""

    layer: Layer
    before: Before
    name: str
    alpha: bytes = field(repr=False)
    record: bytes = field(repr=False)


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


def layers_of(document: Document, nodes: Sequence[Node]) -> list[Layer]:
    """The layers that are meant, each once; a mask stands for its layer.

    Raises HostError where there is nothing to work on.
    """
    layers: dict[str, Layer] = {}
    for given in nodes:
        node = _layer_node(given)
        _check_kind(node)
        mask = _mask_of(node, given)
        layer = Layer(document, node.uniqueId(), node.name(), mask and mask.uniqueId())
        layers.setdefault(_text(node.uniqueId()), layer)
    if not layers:
        raise HostError(_("Select a layer first, then try again."))
    return list(layers.values())


def is_locked(layer: Layer) -> bool:
    """Whether the layer, or a group around it, is locked."""
    return any(node.locked() for node in _upwards(_node(layer)))


def is_hidden(layer: Layer) -> bool:
    """Whether the layer, or a group around it, is hidden."""
    return not all(node.visible() for node in _upwards(_node(layer)))


def is_animated(layer: Layer) -> bool:
    """Whether the layer has frames, which all get the same mask."""
    return bool(_node(layer).animated())


def other_masks(layer: Layer) -> int:
    """How many visible transparency masks the layer has besides the one that the new one meets."""
    masks = [mask for mask in _transparency_masks(_node(layer)) if mask.visible()]
    return sum(_text(mask.uniqueId()) != _text(layer.mask) for mask in masks)


def takes_long_to_read(layer: Layer) -> bool:
    """Whether Krita has to convert the layer's colours for us, which takes seconds when large."""
    return _kind(_node(layer)) != _SRGB


def read(layer: Layer, small: int = 0) -> Steps[tuple[Before, Pixels, Any]]:
    """The layer's own pixels in sRGB without its transparency masks and opacity, and its mask.

    With `small`, also a QImage whose longest side has so many pixels, else None. Raises HostError.
    Everything may happen between two steps, so each looks for the layer anew.
    """
    _node(layer)
    layer.document.waitForDone()
    yield
    node = _node(layer)
    bounds = _bounds(node, layer.name)
    with _source(layer.document, node) as (source, offset):
        lies = _bounds(source, layer.name)
        # The image may be one of these bytes, which it only borrows.
        image, borrowed = _image(source, lies)
        own = borrowed if source is node else b""
        was = None if own else fingerprint(layer)
    yield
    was = zlib.crc32(own) if was is None else was
    pixels = _pixels(image)
    yield
    picture = _shrunk(image, small) if small else None
    del image, borrowed, own
    yield
    if _bounds(_node(layer), layer.name) != bounds:
        raise HostError(_("The layer changed its size meanwhile; try again."))
    place, mask = lies.moved(*offset), _find(layer.document, layer.mask)
    existing = None if mask is None else _existing(layer.document, mask, place)
    return Before(bounds, place, was, existing), pixels, picture


def fingerprint(layer: Layer) -> int:
    """The same as before as long as nobody has changed the layer's pixels.

    Exact for paint layers; what others show is looked at in a smaller size.
    """
    node = _node(layer)
    bounds = node.bounds()
    if node.type() == "paintlayer":
        at = (bounds.x(), bounds.y(), bounds.width(), bounds.height())
        return zlib.crc32(memoryview(node.pixelData(*at)))
    longest = max(bounds.width(), bounds.height(), 1)
    scale = min(1.0, _FINGERPRINT_SIDE / longest)
    wide, high = (max(1, round(side * scale)) for side in (bounds.width(), bounds.height()))
    return zlib.crc32(_samples(node.thumbnail(wide, high)))


def recalled(layer: Layer) -> Memory | None:
    """What the document remembers of the layer's mask, if it is one of ours."""
    mask = _find(layer.document, layer.mask)
    return None if mask is None else _recalled(layer.document, mask)


def attach(masks: Sequence[NewMask]) -> list[str]:
    """Give layers their masks, or change nothing and raise HostError; gives the masks' ids.

    The new masks are made and filled before the document knows of them. A mask that is met is
    removed, which is an undo step of its own: Krita's Python cannot make one of two.
    """
    places = [_place_now(one) for one in masks]
    ready = [(one, *_made(one, place)) for one, place in zip(masks, places, strict=True)]
    for one, mask, place in ready:
        document = one.layer.document
        if not _node(one.layer).addChildNode(mask, None):
            raise HostError(_("Krita did not accept the mask; try again."))
        remembered = QtCore.QByteArray(memory.pack(place, one.record))
        document.setAnnotation(_key(mask), one.name, remembered)
        old = _find(document, one.layer.mask)
        if old is not None:
            old.remove()
    document = masks[-1].layer.document
    last = ready[-1][1].uniqueId()
    # Krita makes a new mask the active one by itself, later; that this one is it, is said after it.
    QtCore.QTimer.singleShot(0, lambda: _activate(document, last))
    return [_text(mask.uniqueId()) for _one, mask, _place in ready]


def was_edited(one: NewMask) -> bool:
    """Whether somebody changed the layer's pixels while the engine worked."""
    return fingerprint(one.layer) != one.before.fingerprint


def forget_lost_masks(document: Document, but: frozenset[str]) -> None:
    """Forget masks that are not in the document any more, and cannot come back by an undo.

    `but` are the ids of those that were made since it was opened.
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
    if given.type() == _TRANSPARENCY:
        return given
    masks = [mask for mask in _transparency_masks(node) if mask.visible()]
    return masks[-1] if masks else None


def _transparency_masks(node: Node) -> list[Node]:
    return [child for child in node.childNodes() if child.type() == _TRANSPARENCY]


def _node(layer: Layer) -> Node:
    if not is_open(layer.document):
        raise HostError(_("The picture was closed meanwhile, so nothing was changed."))
    node = _find(layer.document, layer.id)
    if node is None:
        raise HostError(_("The layer was deleted meanwhile, so nothing was changed."))
    return node


def _find(document: Document, node_id: Any) -> Node | None:
    return None if node_id is None else document.nodeByUniqueID(node_id)


def _upwards(node: Node) -> Iterator[Node]:
    """A layer and the groups around it, but for the one that is the whole document."""
    above = node.parentNode()
    while above is not None:
        yield node
        node, above = above, above.parentNode()


@contextmanager
def _source(document: Document, node: Node) -> Iterator[tuple[Node, tuple[int, int]]]:
    """A node whose thumbnail is what the engine should see, and how far it was moved for that."""
    if not any(mask.type() in _SHAPING and mask.visible() for mask in node.childNodes()):
        yield node, (0, 0)
        return
    with ExitStack() as stack:
        yield _shaped(document, node, stack)


def _shaped(document: Document, node: Node, stack: ExitStack) -> tuple[Node, tuple[int, int]]:
    """A layer as its filter and transform masks shape it, as the pixels of another layer."""
    copy = document.clone()
    stack.callback(copy.close)
    twin = _find(copy, node.uniqueId())
    if twin is None:
        raise _unreadable(node)
    for mask in _transparency_masks(twin):
        mask.remove()
    canvas = QtCore.QRect(0, 0, document.width(), document.height())
    whole = canvas.united(node.bounds())
    # Krita computes nothing beside the canvas, so the copy gets one on which all has its place.
    copy.resizeImage(whole.x(), whole.y(), whole.width(), whole.height())
    copy.refreshProjection()
    copy.waitForDone()
    size = (whole.width(), whole.height())
    bench = Krita.instance().createDocument(*size, "", *_kind(twin), _ANY_RESOLUTION)
    stack.callback(bench.close)
    flat = bench.createNode("flat", "paintlayer")
    flat.setPixelData(bytes(twin.projectionPixelData(0, 0, *size)), 0, 0, *size)
    return flat, (whole.x(), whole.y())


def _kind(node: Node) -> tuple[str, str, str]:
    """Colour model, depth and profile."""
    return node.colorModel(), node.colorDepth(), node.colorProfile()


def _bounds(node: Node, name: str) -> Place:
    found = node.bounds()
    if found.isEmpty():
        raise HostError(_("{name} is empty; select a layer with a picture.").format(name=name))
    return Place(found.x(), found.y(), found.width(), found.height())


def _image(source: Node, place: Place) -> tuple[Any, bytes]:
    """What a node shows as a QImage, and the bytes that it borrows.

    Krita converts the colours to sRGB. Where they are that already, the layer's own bytes are the
    same and come in a tenth of the time.
    """
    if source.type() == "paintlayer" and _kind(source) == _SRGB:
        samples = source.pixelData(place.left, place.top, place.width, place.height).data()
        form = QtGui.QImage.Format.Format_ARGB32
        return QtGui.QImage(samples, place.width, place.height, 4 * place.width, form), samples
    image = source.thumbnail(place.width, place.height)
    if image.isNull() or (image.width(), image.height()) != (place.width, place.height):
        raise _unreadable(source)
    return image, b""


def _pixels(image: Any) -> Pixels:
    form = QtGui.QImage.Format
    wide, high = image.width(), image.height()
    alpha = _rows(image.convertToFormat(form.Format_Alpha8), wide)
    if alpha.count(255) < wide * high:
        return Pixels(wide, high, 4, _rows(image.convertToFormat(form.Format_RGBA8888), 4 * wide))
    return Pixels(wide, high, 3, _rows(image.convertToFormat(form.Format_RGB888), 3 * wide))


def _shrunk(image: Any, longest: int) -> Any:
    """The same in a smaller size, for a preview."""
    size = preview_size(image.width(), image.height(), longest)
    ways = QtCore.Qt.TransformationMode
    stretched = QtCore.Qt.AspectRatioMode.IgnoreAspectRatio
    # All of it smoothly would take half a second of a large photo.
    if size[0] * 2 < image.width():
        twice = (2 * side for side in size)
        image = image.scaled(*twice, stretched, ways.FastTransformation)
    # The copy: what is small already would come back as it is, with its borrowed bytes.
    return image.scaled(*size, stretched, ways.SmoothTransformation).copy()


def _samples(image: Any) -> bytes:
    found = image.constBits()
    found.setsize(image.sizeInBytes())
    return bytes(found)


def _rows(image: Any, row: int) -> bytes:
    """A QImage's samples without what makes its rows multiples of four bytes."""
    samples, stride = _samples(image), image.bytesPerLine()
    if row == stride:
        return samples
    whole = memoryview(samples)
    return b"".join(whole[start : start + row] for start in range(0, len(samples), stride))


def _bytes_at(mask: Node, place: Place) -> bytes:
    return bytes(mask.pixelData(place.left, place.top, place.width, place.height))


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
        return Existing(_bytes_at(mask, place))
    record = remembered.record
    written = seen_at(remembered.place, record.written, place)
    return Existing(_bytes_at(mask, place), Record(record.wish, written))


def _place_now(one: NewMask) -> Place:
    """Where the layer lies now; HostError if it went away, grew, or its mask was painted on."""
    node, before = _node(one.layer), one.before.bounds
    now = _bounds(node, one.layer.name)
    if (now.width, now.height) != (before.width, before.height):
        raise HostError(_("The layer changed its size meanwhile; try again."))
    place = one.before.place.moved(now.left - before.left, now.top - before.top)
    mask, existing = _find(one.layer.document, one.layer.mask), one.before.existing
    if existing is not None and (mask is None or _bytes_at(mask, place) != existing.mask):
        raise HostError(_("The mask was changed meanwhile; try again."))
    return place


def _made(one: NewMask, place: Place) -> tuple[Node, Place]:
    """A mask that belongs to no layer yet, and its place, seen from its position."""
    if len(one.alpha) != place.pixels:
        raise HostError(_("The mask is not of the layer's size; try again."))
    mask = one.layer.document.createTransparencyMask(one.name)
    if mask is None:
        raise HostError(_("Krita could not make a mask; try again."))
    mask.setPixelData(one.alpha, place.left, place.top, place.width, place.height)
    position = mask.position()
    return mask, place.moved(-position.x(), -position.y())


def _activate(document: Document, mask_id: Any) -> None:
    if is_open(document):
        mask = _find(document, mask_id)
        if mask is not None:
            document.setActiveNode(mask)


def _unreadable(node: Node) -> HostError:
    return HostError(
        _("Krita could not read {name}; save the picture, then try again.").format(name=node.name())
    )


def _key(mask: Node) -> str:
    return _OURS + _text(mask.uniqueId())


def _text(node_id: Any) -> str:
    return "" if node_id is None else str(node_id.toString())
