"""What happens when a procedure is called: read, ask, attach; in this order, and all or nothing."""

from __future__ import annotations

import traceback

from gi.repository import Gimp, GLib
from maskwright_client.cancel import CancelSwitch
from maskwright_client.connection import Connection
from maskwright_client.errors import Cancelled, ClientError
from maskwright_client.protocol import Combine, MatteEvent, MatteInfo, MatteState

from maskwright_gimp import asking, host, strokes
from maskwright_gimp.arguments import read
from maskwright_gimp.record import NAME, Record, pack, unpack
from maskwright_gimp.registration import REFINE
from maskwright_gimp.texts import _
from maskwright_gimp.wish import Painted, Wish

_STATES = {
    MatteState.queued: _("Waiting for another job"),
    MatteState.loading: _("Loading the network"),
    MatteState.predicting: _("Finding the subject"),
    MatteState.refining: _("Fitting the edge"),
}


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
        if run_mode == Gimp.RunMode.INTERACTIVE:
            from maskwright_gimp.dialog import ask  # here: scripts need no display

            if not ask(procedure, config):
                return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
        Removal(image, layers, read(config)).run()
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


class Removal:
    """One run over layers; the image is touched at its very end."""

    def __init__(self, image: Gimp.Image, layers: list[Gimp.Layer], wish: Wish) -> None:
        self._image = image
        self._layers = layers
        self._wish = wish
        self._cancel = CancelSwitch()
        self._event = MatteEvent(MatteState.queued)

    def run(self) -> list[MatteInfo]:
        """Give every layer its mask; raises HostError and ClientError with nothing changed."""
        self._check_locks()
        connection = asking.connect()
        Gimp.progress_init(_("Remove Background"))
        masks, infos = [], []
        for number, layer in enumerate(self._layers):
            new, info = self._mask(connection, layer, number)
            masks.append(new)
            infos.append(info)
        for new in masks:
            if not new.layer.is_valid():
                raise host.HostError(_("A layer was deleted meanwhile; nothing was changed."))
        host.attach(self._image, masks, NAME, edit_mask=self._wish.edit_mask)
        Gimp.progress_end()
        return infos

    def _mask(
        self, connection: Connection, layer: Gimp.Layer, number: int
    ) -> tuple[host.NewMask, MatteInfo]:
        pixels = host.read_pixels(layer)
        old = host.read_mask(layer)
        wish = self._wish

        def work() -> tuple[bytes, MatteInfo]:
            found = connection.engine(lambda waited: None, self._cancel)
            matte_id, info = asking.matte(found, pixels, wish, self._hear, self._cancel)
            return asking.mask(found, matte_id, info, wish, old, self._cancel), info

        alpha, info = asking.Call(work).result(lambda: self._show(number))
        host.check_unchanged(layer, pixels)
        # What is remembered is what we wrote: strokes that are kept stay strokes.
        alpha, written = self._with_strokes(layer, old, alpha), alpha
        return host.NewMask(layer, alpha, pack(Record(wish, written))), info

    def _with_strokes(self, layer: Gimp.Layer, old: bytes | None, new: bytes) -> bytes:
        """The new mask with what somebody painted on the old one, if that is wanted."""
        wish = self._wish
        if old is None or wish.existing is not Combine.replace or wish.painted is Painted.discard:
            return new
        data = host.read_parasite(layer, NAME)
        record = unpack(data, len(old)) if data else None
        if record is None or record.written == old:
            return new
        return strokes.kept(record.written, old, new)

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
        text = _STATES.get(event.state)
        if text and event.seconds_left is not None:
            left = max(1, round(event.seconds_left))
            text = _("{what}, {seconds} s left").format(what=text, seconds=left)
        if text:
            Gimp.progress_set_text(text)
        Gimp.progress_update((number + event.fraction) / len(self._layers))
