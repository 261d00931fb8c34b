"""Choosing a network by what it is good for, and getting one that is not here yet."""

from __future__ import annotations

from collections.abc import Callable

import gi
from maskwright_client.cancel import CancelSwitch
from maskwright_client.connection import Connection
from maskwright_client.errors import Cancelled, ClientError
from maskwright_client.protocol import DownloadEvent, ModelInfo
from maskwright_editor.asking import Background
from maskwright_editor.sentences import (
    download_sentence,
    model_label,
    model_sentence,
    model_title,
    problem,
)
from maskwright_editor.texts import _

gi.require_version("Gtk", "3.0")
from gi.repository import GLib, Gtk  # noqa: E402


class ModelChooser:
    """A list of networks; one that is not here can be downloaded in place.

    `chosen` hears the id of a network that can be used, or None while one is shown that cannot;
    `tell` hears a sentence on how things stand.
    """

    def __init__(
        self,
        connection: Connection,
        model: str,
        chosen: Callable[[str | None], None],
        tell: Callable[[str], None],
    ) -> None:
        self._connection = connection
        self._model = model
        self._chosen = chosen
        self._tell = tell
        self._models: dict[str, ModelInfo] = {}
        self._cancel = CancelSwitch()
        self._background = Background()
        self._list = Gtk.ComboBoxText()
        self._list.append(model, model)
        self._list.set_active_id(model)
        self._list.connect("changed", lambda widget: self._select())
        self._get = Gtk.Button.new_with_label(_("Download"))
        self._get.connect("clicked", lambda widget: self._clicked())
        self._downloading = False
        self.widget = self._laid_out()
        self._background.run(self._fetch, self._failed)

    def show(self, model: str) -> None:
        """Another one was chosen elsewhere, by a reset for example."""
        self._model = model
        self._list.set_active_id(model)

    def close(self) -> None:
        """Stop whatever goes on; what was downloaded so far is kept for the next time."""
        self._cancel.cancel()
        self._background.stop()

    def _laid_out(self) -> Gtk.Widget:
        label = Gtk.Label.new_with_mnemonic(_("_Model"))
        label.set_mnemonic_widget(self._list)
        box = Gtk.Box(spacing=6)
        box.pack_start(label, False, False, 0)
        box.pack_start(self._list, True, True, 0)
        box.pack_start(self._get, False, False, 0)
        box.show_all()
        self._get.hide()
        self._get.set_no_show_all(True)
        return box

    def _fetch(self) -> None:
        """In the background: what the engine has."""
        engine = self._connection.engine(lambda waited: None, self._cancel)
        models = engine.models()
        GLib.idle_add(self._fill, models)

    def _fill(self, models: tuple[ModelInfo, ...]) -> bool:
        self._models = {model.id: model for model in models}
        self._list.remove_all()
        for model in models:
            self._list.append(model.id, model_label(model))
        self._list.set_active_id(self._model)
        return False

    def _select(self) -> None:
        model = self._models.get(self._list.get_active_id() or "")
        if model is None:
            return
        self._get.set_visible(not model.installed)
        self._tell(model_sentence(model))
        if model.installed:
            self._model = model.id
        self._chosen(model.id if model.installed else None)

    def _clicked(self) -> None:
        if self._downloading:
            self._cancel.cancel()
            return
        model = self._models[self._list.get_active_id()]
        if not model.commercial and not self._accepts(model):
            return
        self._downloading, self._cancel = True, CancelSwitch()
        self._get.set_label(_("Stop"))
        self._list.set_sensitive(False)
        self._background.run(lambda: self._download(model), self._failed)

    def _accepts(self, model: ModelInfo) -> bool:
        """Ask whether the licence is accepted that forbids commercial use."""
        dialog = Gtk.MessageDialog(
            transient_for=self.widget.get_toplevel(),
            modal=True,
            message_type=Gtk.MessageType.QUESTION,
            buttons=Gtk.ButtonsType.OK_CANCEL,
            text=_("{title} is not free for commercial use.").format(title=model_title(model)),
        )
        dialog.format_secondary_text(
            _("Do you accept its licence, {licence}? Read it at {url}").format(
                licence=_(model.licence), url=model.licence_url
            )
        )
        answer = dialog.run()
        dialog.destroy()
        return bool(answer == Gtk.ResponseType.OK)

    def _download(self, model: ModelInfo) -> None:
        """In the background."""

        def progress(event: DownloadEvent) -> None:
            GLib.idle_add(self._tell, download_sentence(event))

        engine = self._connection.engine(lambda waited: None, self._cancel)
        engine.download(model.id, not model.commercial, progress, self._cancel)
        models = engine.models()
        GLib.idle_add(self._downloaded, model.id, models)

    def _downloaded(self, model_id: str, models: tuple[ModelInfo, ...]) -> bool:
        self._rest()
        self._fill(models)
        self._list.set_active_id(model_id)
        return False

    def _failed(self, error: ClientError) -> None:
        """In the background: tell the main thread."""
        sentence = _("Stopped.") if isinstance(error, Cancelled) else problem(error)
        GLib.idle_add(self._stand_still, sentence)

    def _stand_still(self, sentence: str) -> bool:
        self._rest()
        self._tell(sentence)
        return False

    def _rest(self) -> None:
        self._downloading = False
        self._get.set_label(_("Download"))
        self._list.set_sensitive(True)
