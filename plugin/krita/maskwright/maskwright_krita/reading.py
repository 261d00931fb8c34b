"""What a node of Krita's shows: its samples as they are stored, and the same in sRGB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from krita import Document, Krita, Node
from maskwright_client.protocol import preview_size
from maskwright_editor.pixels import Pixels
from maskwright_editor.texts import _
from maskwright_krita.failure import HostError
from maskwright_krita.memory import Place
from maskwright_krita.qt import QtCore, QtGui

Kind = tuple[str, str, str]
"""Colour model, depth and profile, as Krita calls them."""

SRGB: Kind = ("RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc")
DEEP_SRGB: Kind = ("RGBA", "U16", "sRGB-elle-V2-srgbtrc.icc")
TRANSPARENCY = "transparencymask"

# What these do to a layer comes before our mask, so the engine has to see it.
_SHAPING = frozenset({"transformmask", "filtermask"})
_ANY_RESOLUTION = 72.0
_BENCH_WIDE = 1024
_ALIKE = 0.15


def kind_of(node: Node) -> Kind:
    """How a node stores its colours."""
    return node.colorModel(), node.colorDepth(), node.colorProfile()


def bench(size: tuple[int, int], kind: Kind) -> Document:
    """A document that nobody sees, in colours of a kind; whoever asks closes it."""
    return Krita.instance().createDocument(*size, "", *kind, _ANY_RESOLUTION)


@contextmanager
def source(
    document: Document, node: Node, *, stored: bool = False
) -> Iterator[tuple[Node, tuple[int, int]]]:
    """A node whose thumbnail is what the engine should see, and how far it was moved for that.

    With `stored`, one that stores that, in colours of the same kind.
    """
    is_shaped = any(mask.type() in _SHAPING and mask.visible() for mask in node.childNodes())
    if is_shaped or (stored and node.type() != "paintlayer"):
        with _flattened(document, node) as found:
            yield found
    else:
        yield node, (0, 0)


def upwards(node: Node) -> Iterator[Node]:
    """A layer and the groups around it, but for the one that is the whole document."""
    above = node.parentNode()
    while above is not None:
        yield node
        node, above = above, above.parentNode()


def bounds_of(node: Node, name: str) -> Place:
    """Where a node's pixels lie; HostError if it has none."""
    found = node.bounds()
    if found.isEmpty():
        raise HostError(_("{name} is empty; select a layer with a picture.").format(name=name))
    return Place(found.x(), found.y(), found.width(), found.height())


def bytes_at(node: Node, place: Place) -> bytes:
    """A node's samples as they are stored, row after row."""
    found: bytes = node.pixelData(place.left, place.top, place.width, place.height).data()
    return found


def converted(samples: bytes, pixels: int, kind: Kind, wanted: Kind) -> bytes:
    """Samples of so many pixels in another kind, as Krita converts layers."""
    high = -(-pixels // _BENCH_WIDE)
    size = (_BENCH_WIDE, high)
    missing = (_BENCH_WIDE * high - pixels) * (len(samples) // pixels)
    document = bench(size, kind)
    try:
        document.setBatchmode(True)
        flat = document.createNode("flat", "paintlayer")
        flat.setPixelData(samples + bytes(missing), 0, 0, *size)
        root: Any = document.rootNode()
        root.addChildNode(flat, None)
        if not flat.setColorSpace(*wanted):
            raise HostError(_("Krita could not convert the layer's colours; try again."))
        document.waitForDone()
        found = bytes_at(flat, Place(0, 0, *size))
    finally:
        document.close()
    return found[: len(found) // (_BENCH_WIDE * high) * pixels]


def is_like_srgb(kind: Kind) -> bool:
    """Whether numbers of a kind stand for light much as sRGB's do, and are of whole steps.

    Half of the most is asked for: linear light comes out at 0.74, gamma 1.8 at 0.57, 2.2 at 0.5.
    """
    model, depth, _profile = kind
    if kind == SRGB or model != "RGBA" or depth not in ("U8", "U16"):
        return kind == SRGB
    half = bytes([128, 128, 128, 255]) if depth == "U8" else bytes([0, 128] * 3 + [255, 255])
    return abs(converted(half, 1, kind, SRGB)[1] / 255 - 0.5) < _ALIKE


def image_of(node: Node, place: Place) -> tuple[Any, bytes]:
    """What a node shows as a QImage, and the bytes that it borrows.

    Krita converts the colours to sRGB. Where they are that already, the layer's own bytes are the
    same and come in a tenth of the time.
    """
    if node.type() == "paintlayer" and kind_of(node) == SRGB:
        samples = bytes_at(node, place)
        form = QtGui.QImage.Format.Format_ARGB32
        return QtGui.QImage(samples, place.width, place.height, 4 * place.width, form), samples
    image = node.thumbnail(place.width, place.height)
    if image.isNull() or (image.width(), image.height()) != (place.width, place.height):
        raise unreadable(node)
    return image, b""


def pixels_of(image: Any) -> Pixels:
    """A QImage as the engine wants it, with alpha only if there is some."""
    form = QtGui.QImage.Format
    wide, high = image.width(), image.height()
    alpha = _rows(image.convertToFormat(form.Format_Alpha8), wide)
    if alpha.count(255) < wide * high:
        return Pixels(wide, high, 4, _rows(image.convertToFormat(form.Format_RGBA8888), 4 * wide))
    return Pixels(wide, high, 3, _rows(image.convertToFormat(form.Format_RGB888), 3 * wide))


def shrunk(image: Any, longest: int) -> Any:
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


def samples_of(image: Any) -> bytes:
    """A QImage's bytes, with what makes its rows multiples of four bytes."""
    found = image.constBits()
    found.setsize(image.sizeInBytes())
    return bytes(found)


def unreadable(node: Node) -> HostError:
    """Krita gave no picture of a node."""
    return HostError(
        _("Krita could not read {name}; save the picture, then try again.").format(name=node.name())
    )


def _rows(image: Any, row: int) -> bytes:
    samples, stride = samples_of(image), image.bytesPerLine()
    if row == stride:
        return samples
    whole = memoryview(samples)
    return b"".join(whole[start : start + row] for start in range(0, len(samples), stride))


@contextmanager
def _flattened(document: Document, node: Node) -> Iterator[tuple[Node, tuple[int, int]]]:
    """What a layer shows without transparency masks, as the pixels of another layer."""
    with ExitStack() as stack:
        copy = document.clone()
        stack.callback(copy.close)
        twin = copy.nodeByUniqueID(node.uniqueId())
        if twin is None:
            raise unreadable(node)
        for mask in twin.childNodes():
            if mask.type() == TRANSPARENCY:
                mask.remove()
        for one in upwards(twin):
            one.setVisible(True)  # or Krita leaves out its masks
        canvas = QtCore.QRect(0, 0, document.width(), document.height())
        whole = canvas.united(node.bounds())
        # Krita computes nothing beside the canvas, so the copy gets one on which all has its place.
        copy.resizeImage(whole.x(), whole.y(), whole.width(), whole.height())
        copy.refreshProjection()
        copy.waitForDone()
        size = (whole.width(), whole.height())
        flat_document = bench(size, kind_of(twin))
        stack.callback(flat_document.close)
        flat = flat_document.createNode("flat", "paintlayer")
        flat.setPixelData(bytes(twin.projectionPixelData(0, 0, *size)), 0, 0, *size)
        yield flat, (whole.x(), whole.y())
