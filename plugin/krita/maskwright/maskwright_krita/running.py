"""One run over layers: read, ask, read the next, and attach at the very end; all or nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from maskwright_client.cancel import CancelSwitch
from maskwright_client.connection import Connection
from maskwright_client.protocol import (
    CLEAN_COLOURS,
    AlphaRequest,
    ColoursRequest,
    Combine,
    MatteEvent,
    MatteInfo,
)
from maskwright_editor import strokes
from maskwright_editor.matte import Matte
from maskwright_editor.record import Existing, Record, pack
from maskwright_editor.texts import _
from maskwright_editor.wish import Wish
from maskwright_krita import cleaning, host
from maskwright_krita.cleaning import Soft, Stored
from maskwright_krita.host import Before, Layer, NewMask
from maskwright_krita.steps import Steps

CLIENT = f"krita-{os.getpid()}"


@dataclass(frozen=True)
class Seen:
    """A layer that was read, and its matte; kept, so that the same pixels are sent once.

    small: the layer as a QImage for a preview, if it was asked for.
    """

    layer: Layer
    before: Before
    matte: Matte
    small: Any = None


@dataclass(frozen=True)
class Outcome:
    """What came of a run: what the engine says of each matte, sentences for the designer, and the
    layers with their masks.
    """

    infos: tuple[MatteInfo, ...]
    notes: tuple[str, ...]
    layers: tuple[Layer, ...]


class Removal:
    """What works in steps belongs to the main thread, `ask` and `clean` to any.

    For each layer `read_next` and `ask`, and if it `cleans` also `read_colours`, `clean` and
    `make_layer`; then `apply`, before which nothing is changed. Everything raises HostError or
    ClientError.
    """

    def __init__(
        self,
        connection: Connection,
        layers: Sequence[Layer],
        wish: Wish,
        known: Seen | None = None,
        small: int = 0,
    ) -> None:
        self.layers = layers
        self.wish = wish
        self.seen = known
        self._connection = connection
        self._small = small
        self._masks: list[NewMask] = []
        self._infos: list[MatteInfo] = []
        self._current: Seen | None = None
        self._stored: Stored | None = None
        self._samples = bytearray()
        self._soft: Soft | None = None

    @property
    def number(self) -> int:
        """How many layers are done."""
        return len(self._masks)

    @property
    def is_read(self) -> bool:
        """Whether there is no layer left to read."""
        return self.number == len(self.layers)

    @property
    def cleans(self) -> bool:
        """Whether the layers' colours are wanted as well."""
        return self.wish.clean_colours

    def read_next(self) -> Steps[None]:
        """Read the next layer."""
        self._current = None  # a layer's pixels take much memory
        layer = self.layers[self.number]
        self._current = yield from look(self._connection, layer, self.seen, self._small)
        if self.number == 0:
            self.seen = self._current

    def ask(self, progress: Callable[[MatteEvent], None], cancel: CancelSwitch) -> None:
        """Have the engine make the mask of the layer that was read last."""
        current = self._current
        if current is None:
            raise RuntimeError("nothing was read")
        wish, before = self.wish, current.before
        existing = before.existing
        combine = Combine.replace if existing is None else wish.existing
        request = AlphaRequest(edges=wish.edges, combine=combine)
        together = existing.mask if existing and combine is not Combine.replace else None
        alpha, info = current.matte.alpha(wish, request, progress, cancel, together)
        # What is remembered is what we wrote: strokes that are kept stay strokes.
        kept = strokes.carried_over(wish, existing, alpha)
        name = _("Cut-out, {model}").format(model=info.model)
        record = Record(wish, alpha)
        self._masks.append(NewMask(current.layer, before, name, kept, pack(record)))
        if self.number == 1:
            # From now on this is the mask that the next one meets.
            later = replace(before, existing=Existing(kept, record))
            self.seen = replace(current, before=later)
        self._infos.append(info)

    def read_colours(self) -> Steps[None]:
        """Read what the layer that was asked about last stores."""
        one = self._masks[-1]
        self._stored = yield from cleaning.read(one.layer, one.before)
        self._samples = yield from cleaning.to_send(self._stored)

    def clean(self, cancel: CancelSwitch) -> None:
        """Have the engine take the background's colours out of the mask's soft edges."""
        one, stored = self._masks[-1], self._stored
        if stored is None:
            raise RuntimeError("nothing was read")
        samples, self._samples = self._samples, bytearray()  # they take much memory
        size = (stored.place.width, stored.place.height)
        request = ColoursRequest(*size, 4, stored.sent_bits, CLIENT)
        engine = self._connection.engine(lambda waited: None, cancel)
        answer = engine.colours(request, samples, one.alpha, cancel)
        self._soft = cleaning.soft_of(stored, one.alpha, answer)

    def make_layer(self) -> Steps[None]:
        """Make the layer with clean edges."""
        stored, soft = self._stored, self._soft
        if stored is None or soft is None:
            raise RuntimeError("nothing was cleaned")
        self._stored = self._soft = None
        self._masks[-1] = yield from cleaning.new_layer(self._masks[-1], stored, soft)

    def apply(self) -> Steps[Outcome]:
        """Give every layer its mask."""
        edited = []
        for one in self._masks:
            if host.was_edited(one):
                edited.append(one.layer.name)
            yield
        notes = self._notes(edited)
        layers = host.attach(self._masks)
        if self.seen is not None:
            self.seen = replace(self.seen, layer=layers[0])
        return Outcome(tuple(self._infos), tuple(notes), tuple(layers))

    def _notes(self, edited: Sequence[str]) -> list[str]:
        notes = [self._undo_note()]
        if edited:
            names = ", ".join(edited)
            notes.append(_("{layers} was changed meanwhile: run it again.").format(layers=names))
        animated = any(host.is_animated(layer) for layer in self.layers)
        if self.cleans:
            if animated:
                notes.append(_("The new layer has the current frame only."))
            return notes
        existing = [one.before.existing for one in self._masks]
        if (
            any(one and not one.record for one in existing)
            and self.wish.existing is Combine.replace
        ):
            notes.append(_("A mask that was not made here was replaced."))
        if animated:
            notes.append(_("All frames of the animation have the same mask."))
        if any(host.other_masks(layer) > 0 for layer in self.layers):
            notes.append(_("The layer has other masks as well, which go on to hide."))
        return notes

    def _undo_note(self) -> str:
        # Adding a mask or layer is one step, removing the one that was there is another.
        if self.cleans:
            replaced = sum(one.layer.clean is not None for one in self._masks)
        else:
            replaced = sum(one.before.existing is not None for one in self._masks)
        steps = len(self._masks) + replaced
        if self.cleans and steps == 1:
            return _(
                "The original is hidden now: Ctrl+Z takes the new layer away, and the original's "
                "eye in the Layers docker brings it back."
            )
        if self.cleans:
            return _(
                "The original is hidden: undo {steps} times to take the new layer away, and the "
                "original's eye in the Layers docker brings it back."
            ).format(steps=steps)
        if steps == 1:
            return _("Ctrl+Z takes the mask back.")
        return _("Undo {steps} times to take it back.").format(steps=steps)


def can_clean(connection: Connection, cancel: CancelSwitch) -> bool:
    """Whether the engine that runs can clean colours; in any thread."""
    return connection.engine(lambda waited: None, cancel).can(CLEAN_COLOURS)


def look(connection: Connection, layer: Layer, known: Seen | None, small: int = 0) -> Steps[Seen]:
    """Read a layer; with the matte that is known if it is of the same pixels."""
    before, pixels, picture = yield from host.read(layer, small)
    if known is not None and known.matte.pixels == pixels:
        return Seen(layer, before, known.matte, picture)
    return Seen(layer, before, Matte(connection, pixels, CLIENT), picture)
