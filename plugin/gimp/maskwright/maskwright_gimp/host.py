"""Every call into GIMP: reading pixels, attaching masks, one undo step. In the main thread only.

GIMP's calls answer False or None where other libraries raise, and some of them end the plug-in when
they are used wrongly; what is checked here is checked for that reason.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import gi
from maskwright_editor.picture import Frame, cut
from maskwright_editor.pixels import Pixels
from maskwright_editor.texts import _

gi.require_version("Gegl", "0.4")
from gi.repository import Gegl, Gimp  # noqa: E402

# Masks are linear, whatever the image is: these bytes are the alpha that is seen.
_MASK = "Y u8"
_STRIP_BYTES = 2 << 20  # converting colours takes GIMP many times as much for a moment
_WIDEST_PIXEL_BYTES = 32  # four doubles
_SHALLOW = (
    Gimp.Precision.U8_LINEAR,
    Gimp.Precision.U8_NON_LINEAR,
    Gimp.Precision.U8_PERCEPTUAL,
)
_KINDS = {
    Gimp.ImageBaseType.RGB: (Gimp.ImageType.RGB_IMAGE, Gimp.ImageType.RGBA_IMAGE),
    Gimp.ImageBaseType.GRAY: (Gimp.ImageType.GRAY_IMAGE, Gimp.ImageType.GRAYA_IMAGE),
}
_SOFT = re.compile(rb"[^\x00\xff]+")


class HostError(Exception):
    """GIMP cannot do what was asked, or the picture is none that we can work on; a sentence."""


@dataclass(frozen=True)
class Colours:
    """A layer's samples in sRGB, 8 bits or, for images that are deeper, 16; RGB or RGBA."""

    channels: int
    bits: int
    samples: bytearray

    @property
    def encoding(self) -> str:
        """As GIMP calls it."""
        return f"R'G'B'{'A' if self.channels == 4 else ''} u{self.bits}"

    @property
    def pixel_bytes(self) -> int:
        """How many bytes a pixel has."""
        return self.channels * self.bits // 8


@dataclass(frozen=True)
class NewMask:
    """A mask that is to be: of a layer, its bytes, and the data of the parasite that it gets.

    clean: the colours, where the mask is soft, of a layer that is to lie above, if there is one.
    """

    layer: Gimp.Layer
    alpha: bytes
    parasite: bytes
    clean: Colours | None = None


def layers_of(drawables: Sequence[Gimp.Drawable]) -> list[Gimp.Layer]:
    """The layers that are meant; a mask that is being edited stands for its layer.

    Raises HostError where there is nothing to work on.
    """
    if not drawables:
        raise HostError(_("Select a layer first, then try again."))
    layers = []
    for drawable in drawables:
        layer = Gimp.Layer.from_mask(drawable) if isinstance(drawable, Gimp.LayerMask) else drawable
        if not isinstance(layer, Gimp.Layer):
            raise HostError(_("A channel has no background; select a layer, then try again."))
        if layer.is_floating_sel():
            raise HostError(_("Anchor the floating selection or make it a layer, then try again."))
        if layer.is_group() and not layer.get_children():
            raise HostError(_("This group is empty; select one with layers in it."))
        if layer not in layers:
            layers.append(layer)
    return layers


def is_locked(layer: Gimp.Layer) -> bool:
    """Whether the content of the layer, or of a group around it, is locked."""
    item = layer
    while item is not None:
        if item.get_lock_content():
            return True
        item = item.get_parent()
    return False


def read_pixels(layer: Gimp.Layer) -> Pixels:
    """The layer's own pixels in sRGB, without its mask, opacity and effects."""
    width, height = layer.get_width(), layer.get_height()
    channels = 4 if layer.has_alpha() else 3
    encoding = "R'G'B'A u8" if channels == 4 else "R'G'B' u8"
    samples = _read(layer.get_buffer(), width, height, channels, encoding)
    return Pixels(width, height, channels, samples)


def check_cleanable(image: Gimp.Image) -> None:
    """Raise HostError if the image has no room for other colours than its own."""
    if image.get_base_type() == Gimp.ImageBaseType.INDEXED:
        raise HostError(
            _("An indexed image takes no clean edge colours; make it RGB first, or leave them out.")
        )


def read_colours(image: Gimp.Image, layer: Gimp.Layer) -> Colours:
    """The layer's own colours, finely enough to be written back."""
    bits = 8 if image.get_precision() in _SHALLOW else 16
    empty = Colours(4 if layer.has_alpha() else 3, bits, bytearray())
    size = (layer.get_width(), layer.get_height())
    samples = _read(layer.get_buffer(), *size, empty.pixel_bytes, empty.encoding)
    return replace(empty, samples=samples)


def fingerprint(layer: Gimp.Layer) -> bytes:
    """The same as before as long as nobody has changed the layer's pixels; as they are stored."""
    digest = hashlib.blake2b(digest_size=16)
    buffer, width, height = layer.get_buffer(), layer.get_width(), layer.get_height()
    for top, rows in _strips(width * _WIDEST_PIXEL_BYTES, height):
        box = Gegl.Rectangle.new(0, top, width, rows)
        digest.update(buffer.get(box, 1.0, None, Gegl.AbyssPolicy.NONE))
    return digest.digest()


def read_mask(layer: Gimp.Layer) -> bytes | None:
    """The bytes of the layer's mask; None if it has none."""
    mask = layer.get_mask()
    if mask is None:
        return None
    size = (mask.get_width(), mask.get_height())
    return bytes(_read(mask.get_buffer(), *size, 1, _MASK))


def read_parasite(layer: Gimp.Layer, name: str) -> bytes | None:
    """The data of a parasite of the layer's mask; None if there is none."""
    mask = layer.get_mask()
    parasite = mask.get_parasite(name) if mask is not None else None
    return bytes(parasite.get_data()) if parasite is not None else None


def attach(image: Gimp.Image, masks: Sequence[NewMask], parasite: str, *, edit_mask: bool) -> None:
    """Give layers their masks, as one undo step, or change nothing and raise HostError.

    The masks are made and filled before the image knows of them, so nothing that can fail happens
    once the step has begun.
    """
    selected = image.get_selected_layers()
    ready = [(one.layer, _made(one, parasite), _clean_layer(image, one)) for one in masks]
    with _one_undo_step(image):
        for one, (layer, mask, clean) in zip(masks, ready, strict=True):
            if layer.get_mask() is not None:
                layer.remove_mask(Gimp.MaskApplyMode.DISCARD)
            _add(mask, layer, edit_mask=edit_mask)
            if clean is not None:
                image.insert_layer(clean, layer.get_parent(), image.get_item_position(layer))
                clean.set_offsets(*layer.get_offsets()[1:])
                _add(_made(replace(one, layer=clean), parasite), clean, edit_mask=edit_mask)
                layer.set_visible(False)
                selected = [clean if item == layer else item for item in selected]
        if image.get_selected_layers() != selected:
            image.set_selected_layers(selected)
    Gimp.displays_flush()


def select(image: Gimp.Image, alphas: Sequence[tuple[Gimp.Layer, bytes]]) -> None:
    """Select what alphas show, each where its layer lies, as one undo step."""
    with _one_undo_step(image):
        for number, (layer, alpha) in enumerate(alphas):
            channel = _channel(image, layer, alpha)
            image.insert_channel(channel, None, 0)  # only what is in the image can be selected
            how = Gimp.ChannelOps.ADD if number else Gimp.ChannelOps.REPLACE
            image.select_item(how, channel)
            image.remove_channel(channel)
    Gimp.displays_flush()


def check_there(layer: Gimp.Layer) -> None:
    """Raise HostError if the layer went away while a dialog was open or the engine worked."""
    if not layer.is_valid():
        raise HostError(_("The layer was deleted meanwhile, so nothing was changed."))


def check_unchanged(layer: Gimp.Layer, pixels: Pixels) -> None:
    """Raise HostError if the layer went away or changed its size while the engine worked."""
    check_there(layer)
    if (layer.get_width(), layer.get_height()) != (pixels.width, pixels.height):
        raise HostError(_("The layer changed its size meanwhile; try again."))


def _add(mask: Gimp.LayerMask, layer: Gimp.Layer, *, edit_mask: bool) -> None:
    if not layer.add_mask(mask):
        raise HostError(_("GIMP did not accept the mask; undo once, then try again."))
    layer.set_edit_mask(edit_mask)


def _clean_layer(image: Gimp.Image, one: NewMask) -> Gimp.Layer | None:
    """A layer with clean colours that belongs to no image yet; None if none is wanted.

    All of it is copied as it is stored, and only where the mask is soft the colours are written.
    """
    if one.clean is None:
        return None
    layer, size = one.layer, (one.layer.get_width(), one.layer.get_height())
    name = _("{layer}, clean edges").format(layer=layer.get_name())
    kind = _KINDS[image.get_base_type()][layer.has_alpha()]
    clean = Gimp.Layer.new(image, name, *size, kind, layer.get_opacity(), layer.get_mode())
    whole, buffer = Gegl.Rectangle.new(0, 0, *size), clean.get_buffer()
    layer.get_buffer().copy(whole, Gegl.AbyssPolicy.NONE, buffer, whole)
    pixel, samples = one.clean.pixel_bytes, memoryview(one.clean.samples)
    for y in range(size[1]):
        row = y * size[0]
        for run in _SOFT.finditer(one.alpha, row, row + size[0]):
            at = Gegl.Rectangle.new(run.start() - row, y, run.end() - run.start(), 1)
            part = bytes(samples[run.start() * pixel : run.end() * pixel])
            buffer.set(at, one.clean.encoding, part)
    buffer.flush()
    return clean


def _made(one: NewMask, parasite: str) -> Gimp.LayerMask:
    """A mask that belongs to no layer yet."""
    width, height = one.layer.get_width(), one.layer.get_height()
    if len(one.alpha) != width * height:  # GIMP would say nothing and leave the mask white
        raise HostError(_("The mask is not of the layer's size; try again."))
    mask = one.layer.create_mask(Gimp.AddMaskType.WHITE)
    _write(mask.get_buffer(), Gegl.Rectangle.new(0, 0, width, height), _MASK, one.alpha)
    # Before the mask has a layer: an undo step of its own would come of it otherwise.
    mask.attach_parasite(Gimp.Parasite.new(parasite, Gimp.PARASITE_PERSISTENT, one.parasite))
    return mask


def _channel(image: Gimp.Image, layer: Gimp.Layer, alpha: bytes) -> Gimp.Channel:
    """An alpha as a channel of the image's size; what is beside the canvas is left out."""
    size, colour = (image.get_width(), image.get_height()), Gegl.Color.new("black")
    channel = Gimp.Channel.new(image, "Maskwright", *size, 50.0, colour)
    # Channels are linear like masks, but for this one precision.
    plain = image.get_precision() == Gimp.Precision.U8_NON_LINEAR
    _, left, top = layer.get_offsets()
    width = layer.get_width()
    # GIMP ends a plug-in that writes beside the canvas.
    first, last = max(0, -left), min(width, size[0] - left)
    upper, lower = max(0, -top), min(layer.get_height(), size[1] - top)
    if first < last and upper < lower:
        frame = Frame(first, upper, last - first, lower - upper)
        at = Gegl.Rectangle.new(left + first, top + upper, frame.width, frame.height)
        seen = cut(alpha, width, 1, frame)
        _write(channel.get_buffer(), at, "Y' u8" if plain else _MASK, seen)
    return channel


def _write(buffer: Gegl.Buffer, at: Gegl.Rectangle, encoding: str, alpha: bytes) -> None:
    whole = memoryview(alpha)
    for top, rows in _strips(at.width, at.height):
        part = bytes(whole[top * at.width : (top + rows) * at.width])
        buffer.set(Gegl.Rectangle.new(at.x, at.y + top, at.width, rows), encoding, part)
    buffer.flush()


def _read(
    buffer: Gegl.Buffer, width: int, height: int, pixel_bytes: int, encoding: str
) -> bytearray:
    samples = bytearray(width * height * pixel_bytes)
    target, row = memoryview(samples), width * pixel_bytes
    for top, rows in _strips(row, height):
        box = Gegl.Rectangle.new(0, top, width, rows)
        target[top * row : (top + rows) * row] = buffer.get(
            box, 1.0, encoding, Gegl.AbyssPolicy.NONE
        )
    return samples


def _strips(row_bytes: int, height: int) -> Iterator[tuple[int, int]]:
    """Top and number of rows of strips that together cover the height; none takes much memory."""
    rows = max(1, _STRIP_BYTES // row_bytes)
    for top in range(0, height, rows):
        yield top, min(rows, height - top)


@contextmanager
def _one_undo_step(image: Gimp.Image) -> Iterator[None]:
    image.undo_group_start()
    try:
        yield
    finally:
        image.undo_group_end()
