"""What happens on a click, step by step: the main thread reads and attaches, a thread waits.

Between two steps Krita's event loop runs, so that everything that is said is seen at once.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from maskwright_client.cancel import CancelSwitch
from maskwright_client.connection import Connection, State, state_after
from maskwright_client.errors import ClientError
from maskwright_client.places import locate
from maskwright_client.protocol import AlphaRequest, MatteEvent, MatteInfo
from maskwright_editor.texts import _
from maskwright_editor.wish import Wish
from maskwright_krita import cleaning, host, panel, wishes
from maskwright_krita.failure import HostError
from maskwright_krita.guard import guarded, sentence_for
from maskwright_krita.host import Layer
from maskwright_krita.mail import Mail
from maskwright_krita.panel import Panel
from maskwright_krita.qt import QtCore
from maskwright_krita.running import Outcome, Removal, Seen, can_clean, look
from maskwright_krita.steps import Steps

T = TypeVar("T")

_WISH = "wish"
_CAN_CLEAN = "can-clean"  # whether the engine of the last time could
_PAUSE_MS = 20  # enough for Qt to paint what was said before Krita is busy
_PREVIEW = 256  # pixels; the first look at a matte only has to make the engine find it


class Desk:
    """One docker's work; all but what is marked otherwise in the main thread.

    show:    hears how things stand.
    confirm: asks the designer a question.
    picture: hears of a layer whose matte is there, None when it is not to be shown any more.
    small:   the longest side of the picture that goes with it.
    """

    def __init__(
        self,
        mail: Mail,
        show: Callable[[Panel], None],
        confirm: Callable[[str], bool],
        picture: Callable[[Seen | None], None],
        small: int,
    ) -> None:
        self._mail = mail
        self._show = show
        self._confirm = confirm
        self._picture = picture
        self._small = small
        self._cancel = CancelSwitch()
        self._is_closed = False
        self._heard: MatteEvent | None = None
        self._made_here: set[str] = set()
        self._seen: Seen | None = None
        self.panel = Panel(can_clean=bool(host.setting(_CAN_CLEAN)))
        self.wish = wishes.from_text(host.setting(_WISH))
        self.connection = Connection(
            locate(sys.platform, os.environ, Path.home()), os.environ, on_state=self._on_state
        )

    def want(self, wish: Wish) -> None:
        """The designer has changed a setting; it is remembered."""
        self.wish = wish
        host.keep_setting(_WISH, wishes.to_text(wish))

    def tell(self, sentence: str) -> None:
        """Say something that changes nothing else."""
        self._put(panel.told(self.panel, sentence))

    def press(self) -> None:
        """The big button: remove the background, or stop."""
        if not self.panel.is_busy:
            self._begin(self._remove)
        elif self.panel.can_stop:
            self._put(panel.stopping(self.panel))
            self._cancel.cancel()

    def preview(self) -> None:
        """Find the subject of the first selected layer, and only show it."""
        if not self.panel.is_busy:
            text = _("This is only a look at {layer}; nothing was changed.")
            self._begin(lambda: self._preview(text))

    def refine(self) -> Wish | None:
        """Take up what the selected mask was made with, and show it; None if it is none of ours."""
        if self.panel.is_busy:
            return None
        found: list[Wish] = []

        def recall() -> None:
            layer = self._layers()[0]
            memory = host.recalled(layer)
            if memory is None:
                raise HostError(
                    _("No mask here was made by Remove Background; run that first, then refine.")
                )
            self.want(memory.record.wish)
            found.append(self.wish)
            self._preview(
                _("This is how the mask of {layer} was made; change it and press the button.")
            )

        self._begin(recall)
        return found[0] if found else None

    def select(self) -> None:
        """Make the selected layer's mask the selection."""
        if self.panel.is_busy:
            return

        def select() -> None:
            host.select_mask(self._layers()[0])
            self.tell(_("The mask is the selection now; Krita cannot undo that."))

        self._begin(select)

    def free(self) -> None:
        """Stop the engine, and let go of everything."""
        if self.panel.is_busy:
            return
        self._seen = None
        self._picture(None)

        def stop() -> None:
            self.connection.stop(CancelSwitch())

        def stopped() -> None:
            self.tell(_("The engine has stopped; it starts again when it is needed."))
            self._put(panel.engine_stands(self.panel, State.absent))

        self._in_thread(stop, stopped)

    def look_around(self) -> None:
        """Somebody went to another document, or closed one."""
        if self._is_closed:
            return
        if self._seen is not None and not host.is_open(self._seen.layer.document):
            self._seen = None
            self._picture(None)

    def keep_up(self) -> None:
        """Masks may have come or gone since the layer was looked at, by an undo for one."""
        seen = self._seen
        if seen is None:
            return
        layer, before = host.met_now(seen.layer, seen.before)
        if layer is not seen.layer:
            self._see(replace(seen, layer=layer, before=before))

    def close_down(self) -> None:
        """Krita ends, or this docker does."""
        self._is_closed = True
        self._cancel.cancel()

    def _begin(self, work: Callable[[], None]) -> None:
        self._cancel, self._heard = CancelSwitch(), None
        guarded(work, self._fail)()

    def _layers(self) -> Sequence[Layer]:
        document = host.current_document()
        nodes = host.selected(document)
        return host.layers_of(document, nodes, clean=self.wish.clean_colours)

    def _remove(self) -> None:
        layers = self._layers()
        if not self._may(layers):
            return
        removal = Removal(self.connection, layers, self.wish, self._seen, self._small)
        slow = host.takes_long_to_read(layers[0])
        self._put(panel.started(self.panel, len(layers), slow=slow))
        self._read(removal)

    def _read(self, removal: Removal) -> None:
        self._go(removal.read_next(), lambda nothing: self._ask(removal))

    def _ask(self, removal: Removal) -> None:
        self._put(panel.asked(self.panel))
        cancel = self._cancel

        def ask() -> None:
            removal.ask(self._hear, cancel)
            self._meet(can_clean(self.connection, cancel))

        self._in_thread(ask, lambda: self._answered(removal))

    def _answered(self, removal: Removal) -> None:
        self._cancel.check()
        if not removal.cleans:
            self._next(removal)
            return
        slow = cleaning.converts(removal.layers[removal.number - 1])
        self._put(panel.cleaning(self.panel, slow=slow))
        self._go(removal.read_colours(), lambda nothing: self._clean(removal))

    def _clean(self, removal: Removal) -> None:
        self._put(panel.cleaning(self.panel, slow=False))
        cancel = self._cancel
        self._in_thread(lambda: removal.clean(cancel), lambda: self._cleaned(removal))

    def _cleaned(self, removal: Removal) -> None:
        self._cancel.check()
        self._go(removal.make_layer(), lambda nothing: self._next(removal))

    def _next(self, removal: Removal) -> None:
        if removal.is_read:
            self._put(panel.applying(self.panel))
            self._go(removal.apply(), lambda outcome: self._applied(removal, outcome))
            return
        slow = host.takes_long_to_read(removal.layers[removal.number])
        self._put(panel.next_layer(self.panel, slow=slow))
        self._read(removal)

    def _applied(self, removal: Removal, outcome: Outcome) -> None:
        document = removal.layers[0].document
        self._made_here |= host.ids_of(outcome.layers)
        host.forget_lost(document, frozenset(self._made_here))
        self._put(panel.finished(self.panel, _said(outcome), outcome.infos, outcome.notes))
        self._see(removal.seen)

    def _preview(self, text: str) -> None:
        layer = self._layers()[0]
        self._put(panel.started(self.panel, 1, slow=host.takes_long_to_read(layer)))
        steps = look(self.connection, layer, self._seen, self._small)
        self._go(steps, lambda seen: self._find(seen, text))

    def _find(self, seen: Seen, text: str) -> None:
        self._put(panel.asked(self.panel))
        wish, cancel = self.wish, self._cancel
        request = AlphaRequest(edges=wish.edges, preview=_PREVIEW)

        def find() -> None:
            infos.append(seen.matte.alpha(wish, request, self._hear, cancel)[1])
            self._meet(can_clean(self.connection, cancel))

        infos: list[MatteInfo] = []
        self._in_thread(find, lambda: self._looked(seen, text, infos))

    def _looked(self, seen: Seen, text: str, infos: list[MatteInfo]) -> None:
        self._cancel.check()
        said = text.format(layer=seen.layer.name)
        self._put(panel.finished(self.panel, said, infos))
        self._see(seen)

    def _see(self, seen: Seen | None) -> None:
        self._seen = seen
        self._picture(seen)

    def _may(self, layers: Sequence[Layer]) -> bool:
        """Ask about layers that somebody has locked or hidden."""
        locked = [layer.name for layer in layers if host.is_locked(layer)]
        if locked and not self._confirm(
            _("Locked: {layers}. Put a mask on it all the same?").format(layers=", ".join(locked))
        ):
            return False
        unseen = [layer.name for layer in layers if host.is_hidden(layer)]
        return not unseen or self._confirm(
            _("Hidden: {layers}. Put a mask on it all the same?").format(layers=", ".join(unseen))
        )

    def _in_thread(self, work: Callable[[], None], then: Callable[[], None]) -> None:
        """Do something that waits, and then something in the main thread."""

        def run() -> None:
            try:
                work()
            except BaseException as error:
                sentence = sentence_for(error)
                if isinstance(error, ClientError):
                    self._on_state(state_after(error, self.connection.state))
                self._mail.post(lambda: self._fail(sentence))
            else:
                self._mail.post(guarded(then, self._fail))

        threading.Thread(target=run, name="maskwright", daemon=True).start()

    def _go(self, steps: Steps[T], then: Callable[[T], None]) -> None:
        """Work in steps, with a pause before each in which Krita draws and listens."""

        def step() -> None:
            self._cancel.check()
            try:
                next(steps)
            except StopIteration as end:
                then(end.value)
            else:
                pause()

        def pause() -> None:
            QtCore.QTimer.singleShot(_PAUSE_MS, guarded(step, self._fail))

        pause()

    def _hear(self, event: MatteEvent) -> None:
        """In the thread: for every change in the docker Krita draws its window anew."""
        if panel.is_news(self._heard, event):
            self._heard = event
            self._mail.post(lambda: self._put(panel.heard(self.panel, event)))

    def _meet(self, clean: bool) -> None:
        """In the thread: an engine is there, and this is what it can do."""

        def meet() -> None:
            self._put(panel.engine_can(self.panel, clean=clean))
            host.keep_setting(_CAN_CLEAN, "yes" if clean else "")

        self._mail.post(guarded(meet, self._fail))

    def _on_state(self, state: State) -> None:
        """In whichever thread found out."""
        self._mail.post(lambda: self._put(panel.engine_stands(self.panel, state)))

    def _fail(self, sentence: str) -> None:
        self._put(panel.failed(self.panel, sentence))

    def _put(self, new: Panel) -> None:
        self.panel = new
        self._show(new)


def _said(outcome: Outcome) -> str:
    if len(outcome.infos) == 1:
        return _("The background is hidden; paint on the mask to change it.")
    return _("{number} layers have a mask now.").format(number=len(outcome.infos))
