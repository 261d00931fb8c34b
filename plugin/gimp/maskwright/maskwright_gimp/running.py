"""What happens when a procedure is called: read, ask, attach; in this order, and all or nothing."""

from __future__ import annotations

import os
import traceback

from gi.repository import Gimp, GLib
from maskwright_client.cancel import CancelSwitch
from maskwright_client.connection import Connection
from maskwright_client.errors import Cancelled, ClientError
from maskwright_client.protocol import AlphaRequest, Combine, MatteEvent, MatteInfo, MatteState
from maskwright_editor import asking, strokes
from maskwright_editor.matte import Matte
from maskwright_editor.pixels import Pixels
from maskwright_editor.record import NAME, Record, pack, unpack
from maskwright_editor.sentences import state_sentence
from maskwright_editor.texts import _
from maskwright_editor.wish import Wish

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
    connection, known = asking.connect(), dict[int, tuple[Pixels, Matte]]()
    try:
        layers = host.layers_of(drawables)
        if procedure.get_name() == REFINE:
            _check_ours(layers)
        if run_mode == Gimp.RunMode.INTERACTIVE:
            from maskwright_gimp.dialog import ask  # here: scripts need no display

            layer = layers[0]
            if record := _record_of(layer):
                write(config, record.wish)
            pixels = host.read_pixels(layer)
            matte = Matte(connection, pixels, _CLIENT)
            if not ask(procedure, config, connection, pixels, matte):
                return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
            known[layer.get_id()] = (pixels, matte)
        Removal(image, layers, read(config), connection, known).run()
    except Cancelled:
        return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
    except (host.HostError, ClientError) as error:
        return _failed(procedure, str(error))
    except Exception as error:
        traceback.print_exc()  # to the terminal that GIMP was started from, if any
        sentence = _("Maskwright failed inside ({kind}); please report it. Nothing was changed.")
        return _failed(procedure, sentence.format(kind=type(error).__name__))
    return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)


def _failed(procedure: Gimp.Procedure, sentence: str) -> Gimp.ValueArray:
    error = GLib.Error.new_literal(Gimp.PlugIn.error_quark(), sentence, 0)
    return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, error)


def _check_ours(layers: list[Gimp.Layer]) -> None:
    if not any(host.read_parasite(layer, NAME) for layer in layers):
        raise host.HostError(
            _("No mask here was made by Remove Background; run that first, then refine.")
        )


def _record_of(layer: Gimp.Layer) -> Record | None:
    """What the layer's mask remembers, if it is one of ours."""
    mask, data = host.read_mask(layer), host.read_parasite(layer, NAME)
    return unpack(data, len(mask)) if mask is not None and data is not None else None


class Removal:
    """One run over layers; the image is touched at its very end."""

    def __init__(
        self,
        image: Gimp.Image,
        layers: list[Gimp.Layer],
        wish: Wish,
        connection: Connection,
        known: dict[int, tuple[Pixels, Matte]],
    ) -> None:
        self._image = image
        self._layers = layers
        self._wish = wish
        self._connection = connection
        self._known = known  # what a dialog has read and asked already, by layer
        self._cancel = CancelSwitch()
        self._event = MatteEvent(MatteState.queued)

    def run(self) -> list[MatteInfo]:
        """Give every layer its mask; raises HostError and ClientError with nothing changed."""
        self._check_locks()
        Gimp.progress_init(_("Remove Background"))
        masks, infos = [], []
        for number, layer in enumerate(self._layers):
            new, info = self._mask(layer, number)
            masks.append(new)
            infos.append(info)
        for new in masks:
            if not new.layer.is_valid():
                raise host.HostError(_("A layer was deleted meanwhile; nothing was changed."))
        host.attach(self._image, masks, NAME, edit_mask=self._wish.edit_mask)
        Gimp.progress_end()
        return infos

    def _mask(self, layer: Gimp.Layer, number: int) -> tuple[host.NewMask, MatteInfo]:
        pixels, matte = self._known.get(layer.get_id()) or self._read(layer)
        old = host.read_mask(layer)
        combine = self._wish.existing if old is not None else Combine.replace
        request = AlphaRequest(edges=self._wish.edges, combine=combine)
        together = None if combine is Combine.replace else old

        def work() -> tuple[bytes, MatteInfo]:
            return matte.alpha(self._wish, request, self._hear, self._cancel, together)

        alpha, info = asking.Call(work).result(lambda: self._show(number))
        host.check_unchanged(layer, pixels)
        # What is remembered is what we wrote: strokes that are kept stay strokes.
        alpha, written = strokes.carried_over(self._wish, _record_of(layer), old, alpha), alpha
        return host.NewMask(layer, alpha, pack(Record(self._wish, written))), info

    def _read(self, layer: Gimp.Layer) -> tuple[Pixels, Matte]:
        pixels = host.read_pixels(layer)
        return pixels, Matte(self._connection, pixels, _CLIENT)

    def _check_locks(self) -> None:
        if not self._wish.locked and any(host.is_locked(layer) for layer in self._layers):
            raise host.HostError(
                _("The layer's content is locked; unlock it, or allow locked layers.")
            )

    def _hear(self, event: MatteEvent) -> None:
        """Called in the other thread; shown by this one."""
        self._event = event

    def _show(self, number: int) -> None:
        event = self._event
        if text := state_sentence(event):
            Gimp.progress_set_text(text)
        Gimp.progress_update((number + event.fraction) / len(self._layers))
