"""A new layer with the subject's own colours at a mask's soft edges, made beside the document.

Everywhere else it has what the layer that it is made of stores, to the last bit: only the soft
pixels are ever converted. All of it in the main thread, strip by strip.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace

from krita import Node
from maskwright_editor.pixels import Samples
from maskwright_editor.texts import _
from maskwright_krita import colours, host, reading
from maskwright_krita.failure import HostError
from maskwright_krita.host import Before, Layer, NewClean, NewMask
from maskwright_krita.memory import Place
from maskwright_krita.reading import Kind
from maskwright_krita.steps import Steps

_WIDEST_PLAIN = 8  # bytes of a pixel that needs no conversion
_ALPHA_BYTES = {"U8": 1, "U16": 2, "F16": 2, "F32": 4}


@dataclass(frozen=True)
class Stored:
    """A layer's samples as Krita stores them, in strips of rows.

    sent_kind: the kind in which the engine gets them.
    strips:    where each of the parts lies.
    """

    kind: Kind
    sent_kind: Kind
    place: Place
    strips: tuple[Place, ...]
    parts: tuple[bytes, ...] = field(repr=False)

    @property
    def pixel_bytes(self) -> int:
        """How many bytes a pixel has."""
        return sum(map(len, self.parts)) // self.place.pixels

    @property
    def alpha_bytes(self) -> int:
        """How many of them, the last ones, are alpha."""
        return _ALPHA_BYTES[self.kind[1]]

    @property
    def sent_bits(self) -> int:
        """How many bits a sample has that the engine gets."""
        return 8 if self.sent_kind[1] == "U8" else 16

    def of(self, mask: bytes) -> bytes:
        """The pixels where a mask is soft."""
        found, at = [], 0
        for part in self.parts:
            pixels = len(part) // self.pixel_bytes
            found.append(colours.picked(part, mask[at : at + pixels], self.pixel_bytes))
            at += pixels
        return b"".join(found)


@dataclass(frozen=True)
class Soft:
    """The pixels where a mask is soft: the layer's own, and clean ones as they were sent."""

    own: bytes = field(repr=False)
    clean: bytes = field(repr=False)


def converts(layer: Layer) -> bool:
    """Whether Krita has to convert all of a layer for the engine, which takes seconds if large.

    It need not where the engine can take the numbers as they are: nothing is lost on the way then.
    """
    return not reading.is_like_srgb(reading.kind_of(host.node_of(layer)))


def read(layer: Layer, before: Before) -> Steps[Stored]:
    """What a layer stores where it was read before; of groups and the like, what they show."""
    node, place = host.node_of(layer), before.place
    kind, parts = reading.kind_of(node), []
    sent_kind, strips = kind, _strips(place, colours.STRIP_BYTES // _WIDEST_PLAIN)
    if converts(layer):
        sent_kind, strips = reading.DEEP_SRGB, _strips(place, colours.STRIP_PIXELS)
    with reading.source(layer.document, node, stored=True) as (source, offset):
        if source is not node:
            left, top = offset
            parts = [reading.bytes_at(source, one.moved(-left, -top)) for one in strips]
    for strip in () if parts else strips:
        parts.append(reading.bytes_at(_unmoved(layer, before), strip))
        yield
    return Stored(kind, sent_kind, place, strips, tuple(parts))


def to_send(stored: Stored) -> Steps[bytearray]:
    """The same as the engine wants it: RGBA."""
    samples, pixel = bytearray(), stored.pixel_bytes
    for part in stored.parts:
        if stored.kind != stored.sent_kind:
            part = reading.converted(part, len(part) // pixel, stored.kind, stored.sent_kind)
        samples += colours.swapped(part, stored.sent_bits // 8)
        yield
    return samples


def soft_of(stored: Stored, mask: bytes, answer: Samples) -> Soft:
    """What the engine answered, as far as it is needed; in any thread."""
    clean = colours.picked(answer, mask, stored.sent_bits // 2)
    return Soft(stored.of(mask), bytes(colours.swapped(clean, stored.sent_bits // 8)))


def new_layer(one: NewMask, stored: Stored, soft: Soft) -> Steps[NewMask]:
    """The mask together with a layer for it."""
    sent_pixel = stored.sent_bits // 2
    found = bytearray()
    for at in range(0, len(soft.clean), colours.STRIP_PIXELS * sent_pixel):
        part = soft.clean[at : at + colours.STRIP_PIXELS * sent_pixel]
        if stored.kind != stored.sent_kind:
            part = reading.converted(part, len(part) // sent_pixel, stored.sent_kind, stored.kind)
        found += part
        yield
    new = colours.with_alpha_of(found, soft.own, stored.pixel_bytes, stored.alpha_bytes)
    yield
    return replace(one, clean=(yield from _filled(one, stored, new)))


def _filled(one: NewMask, stored: Stored, soft: bytes) -> Steps[NewClean]:
    name = _("{layer}, clean edges").format(layer=one.layer.name)
    # A new layer is in the document's colours, whatever the one below it is in.
    document = reading.bench((1, 1), stored.kind)
    try:
        layer = document.createNode(name, "paintlayer")
        _like(layer, _unmoved(one.layer, one.before))
        fingerprint, pixel, at, used = 0, stored.pixel_bytes, 0, 0
        for part, strip in zip(stored.parts, stored.strips, strict=True):
            mask = one.alpha[at : at + strip.pixels]
            length = pixel * sum(last - first for first, last in colours.soft_runs(mask))
            samples = colours.put_back(part, mask, soft[used : used + length], pixel)
            layer.setPixelData(samples, strip.left, strip.top, strip.width, strip.height)
            fingerprint = zlib.crc32(samples, fingerprint)
            at, used = at + strip.pixels, used + length
            yield
        # The layer's image must still be there when it gets its mask.
        mask_node = host.made_mask(one, stored.place)
        if not layer.addChildNode(mask_node, None):
            raise HostError(_("Krita could not make a mask; try again."))
    finally:
        document.close()
    return NewClean(layer, mask_node, fingerprint)


def _like(layer: Node, other: Node) -> None:
    """Have a layer that is in no document be mixed with what is below as another one is."""
    layer.setOpacity(other.opacity())
    layer.setBlendingMode(other.blendingMode())
    layer.setInheritAlpha(other.inheritAlpha())


def _unmoved(layer: Layer, before: Before) -> Node:
    node = host.node_of(layer)
    if reading.bounds_of(node, layer.name) != before.bounds:
        raise HostError(_("The layer changed its size meanwhile; try again."))
    return node


def _strips(place: Place, pixels: int) -> tuple[Place, ...]:
    return tuple(
        Place(place.left, place.top + rows.start, place.width, len(rows))
        for rows in colours.strips(place.width, place.height, pixels)
    )
