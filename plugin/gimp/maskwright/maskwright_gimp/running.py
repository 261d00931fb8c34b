"""What happens when a procedure is called: read, ask, attach; in this order, and all or nothing."""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass, replace

from gi.repository import Gimp, GLib
from maskwright_client.cancel import CancelSwitch
from maskwright_client.connection import Connection
from maskwright_client.errors import Cancelled, ClientError
from maskwright_client.protocol import AlphaRequest, ColoursRequest, Combine, MatteInfo
from maskwright_editor import asking, strokes
from maskwright_editor.matte import Matte
from maskwright_editor.record import NAME, Existing, Record, pack, unpack
from maskwright_editor.sentences import problem, state_sentence
from maskwright_editor.texts import _
from maskwright_editor.wish import Output, Wish

from maskwright_gimp import host
from maskwright_gimp.arguments import read, write
from maskwright_gimp.registration import REFINE

_CLIENT = f"gimp-{os.getpid()}"


def run(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
) -> Gimp.ValueArray:
    """Answer GIMP's call; whatever goes wrong becomes a sentence."""
    try:
        layers = host.layers_of(drawables)
        if procedure.get_name() == REFINE:
            _check_ours(layers)
        removal = Removal(image, layers, asking.connect())
        if run_mode == Gimp.RunMode.INTERACTIVE:
            wish = _asked(procedure, config, removal)
        else:
            wish = read(config)
        if wish is None:
            return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
        removal.run(wish)
    except Cancelled:
        return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
    except host.HostError as error:
        return _failed(procedure, str(error))
    except ClientError as error:
        return _failed(procedure, problem(error))
    except Exception as error:
        traceback.print_exc()  # to the terminal that GIMP was started from, if any
        sentence = _("Maskwright failed inside ({kind}); please report it. Nothing was changed.")
        return _failed(procedure, sentence.format(kind=type(error).__name__))
    return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)


def _asked(
    procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, removal: Removal
) -> Wish | None:
    """What the designer wants; None if they changed their mind."""
    from maskwright_gimp import dialog  # here: scripts need no display

    locked = [layer.get_name() for layer in removal.layers if host.is_locked(layer)]
    if locked and not dialog.allows_locked(locked):
        return None
    existing = _existing(removal.layers[0])
    if existing and existing.record:
        write(config, existing.record.wish)
    if not dialog.ask(procedure, config, removal.connection, removal.first(), existing):
        return None
    # What was said about locks holds for this once.
    return replace(read(config), locked=bool(locked))


def _failed(procedure: Gimp.Procedure, sentence: str) -> Gimp.ValueArray:
    error = GLib.Error.new_literal(Gimp.PlugIn.error_quark(), sentence, 0)
    return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, error)


def _check_ours(layers: list[Gimp.Layer]) -> None:
    if not any(host.read_parasite(layer, NAME) for layer in layers):
        raise host.HostError(
            _("No mask here was made by Remove Background; run that first, then refine.")
        )


def _existing(layer: Gimp.Layer) -> Existing | None:
    """The layer's mask, with what it remembers if it is one of ours."""
    mask, data = host.read_mask(layer), host.read_parasite(layer, NAME)
    if mask is None:
        return None
    return Existing(mask, unpack(data, len(mask)) if data else None)


@dataclass(frozen=True)
class _Seen:
    """A layer's matte, and the layer's fingerprint when its pixels were read for it."""

    matte: Matte
    fingerprint: bytes


class Removal:
    """One run over layers; the image is touched at its very end."""

    def __init__(self, image: Gimp.Image, layers: list[Gimp.Layer], connection: Connection) -> None:
        self.layers = layers
        self.connection = connection
        self._image = image
        self._first: _Seen | None = None

    def first(self) -> Matte:
        """The first layer's matte, for a dialog; used again by the run if nobody paints meanwhile.

        The dialog does not keep anybody from painting.
        """
        Gimp.progress_init(_("Reading the layer"))
        layer = self.layers[0]
        self._first = _Seen(self._read(layer), host.fingerprint(layer))
        Gimp.progress_end()
        return self._first.matte

    def run(self, wish: Wish) -> None:
        """Give every layer its mask; raises HostError and ClientError with nothing changed."""
        if not wish.locked and any(host.is_locked(layer) for layer in self.layers):
            raise host.HostError(
                _("The layer's content is locked; unlock it, or allow locked layers.")
            )
        clean = wish.clean_colours and wish.output is Output.mask
        if clean:
            host.check_cleanable(self._image)
        Gimp.progress_init(_("Remove Background"))
        masks = []
        for number in range(len(self.layers)):
            new = self._mask(wish, number)
            masks.append(self._cleaned(new) if clean else new)
        for layer in self.layers:
            host.check_there(layer)
        if wish.output is Output.selection:
            host.select(self._image, [(new.layer, new.alpha) for new in masks])
        else:
            host.attach(self._image, masks, NAME, edit_mask=wish.edit_mask)
        Gimp.progress_end()

    def _mask(self, wish: Wish, number: int) -> host.NewMask:
        layer = self.layers[number]
        host.check_there(layer)
        matte = self._matte(layer, number)
        existing = _existing(layer)
        combine = wish.existing if existing else Combine.replace
        request = AlphaRequest(edges=wish.edges, combine=combine)
        together = None if existing is None or combine is Combine.replace else existing.mask

        def work() -> tuple[bytes, MatteInfo]:
            return matte.alpha(wish, request, lambda event: None, CancelSwitch(), together)

        alpha, _info = asking.Call(work).result(lambda: self._show(matte, number))
        host.check_unchanged(layer, matte.pixels)
        # What is remembered is what we wrote: strokes that are kept stay strokes.
        kept = strokes.carried_over(wish, existing, alpha)
        return host.NewMask(layer, kept, pack(Record(wish, alpha)))

    def _cleaned(self, new: host.NewMask) -> host.NewMask:
        """The same with the subject's own colours at the mask's soft edges."""
        Gimp.progress_set_text(_("Cleaning the edge's colours"))
        layer = new.layer
        colours = host.read_colours(self._image, layer)
        size = (layer.get_width(), layer.get_height())
        request = ColoursRequest(*size, colours.channels, colours.bits, _CLIENT)

        def work() -> bytearray:
            engine = self.connection.engine(lambda waited: None, CancelSwitch())
            return engine.colours(request, colours.samples, new.alpha, CancelSwitch())

        samples = asking.Call(work).result(Gimp.progress_pulse)
        return replace(new, clean=replace(colours, samples=samples))

    def _matte(self, layer: Gimp.Layer, number: int) -> Matte:
        """A layer's matte; the one that the dialog has seen if it is still of the same pixels."""
        seen = self._first if number == 0 else None
        self._first = None  # a layer's pixels take much memory
        if seen is not None and host.fingerprint(layer) == seen.fingerprint:
            return seen.matte
        return self._read(layer)

    def _read(self, layer: Gimp.Layer) -> Matte:
        return Matte(self.connection, host.read_pixels(layer), _CLIENT)

    def _show(self, matte: Matte, number: int) -> None:
        event, total = matte.event, len(self.layers)
        if text := state_sentence(event):
            if total > 1:
                text = _("Layer {number} of {total}: {text}").format(
                    number=number + 1, total=total, text=text
                )
            Gimp.progress_set_text(text)
        Gimp.progress_update((number + event.fraction) / total)
