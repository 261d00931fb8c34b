"""Choosing a network by what it is good for, and getting one that is not here yet."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from maskwright_client.cancel import CancelSwitch
from maskwright_client.connection import Connection
from maskwright_client.errors import Cancelled
from maskwright_client.protocol import DownloadEvent, ModelInfo
from maskwright_editor.sentences import (
    download_sentence,
    model_label,
    model_sentence,
    model_title,
)
from maskwright_editor.texts import _
from maskwright_krita.guard import guarded, sentence_for
from maskwright_krita.mail import Mail
from maskwright_krita.qt import QtWidgets

_NARROW = 60  # pixels; lists may become as small as that in a narrow docker


class _List(QtWidgets.QComboBox):  # type: ignore[misc]
    """A list that is filled when somebody wants to see it."""

    def __init__(self, fill: Callable[[], bool]) -> None:
        super().__init__()
        self._fill = fill
        self.setMinimumWidth(_NARROW)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed)

    def showPopup(self) -> None:
        """Qt calls this when the list is to open."""
        if self._fill():
            super().showPopup()

    def wheelEvent(self, event: Any) -> None:
        """Scrolling through the docker must change nothing on the way."""
        event.ignore()


class ModelChooser(QtWidgets.QWidget):  # type: ignore[misc]
    """A list of networks; one that is not here can be downloaded in place.

    `chosen` hears the id of a network that can be used. The engine is asked, and started, when
    somebody opens the list.
    """

    def __init__(
        self, connection: Connection, mail: Mail, model: str, chosen: Callable[[str], None]
    ) -> None:
        super().__init__()
        self._connection = connection
        self._mail = mail
        self._model = model
        self._chosen = chosen
        self._models: dict[str, ModelInfo] = {}
        self._cancel = CancelSwitch()
        self._busy = ""
        self.list = _List(self._is_filled)
        self.list.addItem(model, model)
        self.list.activated.connect(guarded(lambda *_: self._select(), self._tell))
        self.get = QtWidgets.QPushButton(_("Download"))
        self.get.clicked.connect(guarded(lambda *_: self._clicked(), self._tell))
        self.get.hide()
        self.line = QtWidgets.QLabel()
        self.line.setWordWrap(True)
        self.line.hide()
        self._lay_out()

    def show_model(self, model: str) -> None:
        """Another network is the one that is used."""
        self._model = model
        if self.list.findData(model) < 0:
            self.list.addItem(model, model)
        self.list.setCurrentIndex(self.list.findData(model))
        self._describe()

    def fill_soon(self) -> None:
        """Ask the engine, which runs anyway, what it has."""
        if not self._models and not self._busy:
            self._start("fetch", lambda: self._fetch(then=lambda: None))

    def close_down(self) -> None:
        """Stop whatever goes on; what was downloaded so far is kept for the next time."""
        self._cancel.cancel()

    def _lay_out(self) -> None:
        label = QtWidgets.QLabel(_("_Model").replace("_", ""))
        row = QtWidgets.QHBoxLayout()
        row.addWidget(label)
        row.addWidget(self.list, 1)
        row.addWidget(self.get)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.line)

    def _is_filled(self) -> bool:
        if self._models:
            return True
        if not self._busy:
            self._tell(_("Asking the engine"))
            self._start("fetch", lambda: self._fetch(then=self.list.showPopup))
        return False

    def _start(self, name: str, work: Callable[[], None]) -> None:
        """Do something in a thread; one at a time."""
        self._busy, self._cancel = name, CancelSwitch()

        def run() -> None:
            try:
                work()
            except Exception as error:
                sentence = sentence_for(error)
                again = isinstance(error, Cancelled)
                self._mail.post(guarded(lambda: self._stand_still(sentence, again), self._tell))

        threading.Thread(target=run, name="maskwright-models", daemon=True).start()

    def _fetch(self, then: Callable[[], None]) -> None:
        """In the thread: what the engine has."""
        models = self._connection.engine(lambda waited: None, self._cancel).models()

        def fill() -> None:
            self._busy = ""
            self._fill(models)
            then()

        self._mail.post(guarded(fill, self._tell))

    def _fill(self, models: tuple[ModelInfo, ...]) -> None:
        self._models = {model.id: model for model in models}
        self.list.clear()
        for model in models:
            self.list.addItem(model_label(model), model.id)
        self.show_model(self._model)

    def _select(self) -> None:
        model = self._models.get(self.list.currentData())
        self._describe()
        if model is not None and model.installed and model.id != self._model:
            self._model = model.id
            self._chosen(model.id)

    def _describe(self) -> None:
        model = self._models.get(self.list.currentData())
        self.get.setVisible(model is not None and not model.installed)
        self._tell("" if model is None else model_sentence(model))

    def _clicked(self) -> None:
        if self._busy:
            self._cancel.cancel()
            return
        model = self._models[self.list.currentData()]
        if not model.commercial and not self._accepts(model):
            return
        self.get.setText(_("Stop"))
        self.list.setEnabled(False)
        self._start("download", lambda: self._download(model))

    def _accepts(self, model: ModelInfo) -> bool:
        """Ask whether the licence is accepted that forbids commercial use."""
        title = _("{title} is not free for commercial use.").format(title=model_title(model))
        question = _("Do you accept its licence, {licence}? Read it at {url}").format(
            licence=_(model.licence), url=model.licence_url
        )
        yes = QtWidgets.QMessageBox.StandardButton.Yes
        no = QtWidgets.QMessageBox.StandardButton.No
        answer = QtWidgets.QMessageBox.question(
            self.window(), _("Remove Background"), f"{title}\n\n{question}", yes | no, no
        )
        return bool(answer == yes)

    def _download(self, model: ModelInfo) -> None:
        """In the thread."""

        def progress(event: DownloadEvent) -> None:
            self._mail.post(lambda: self._tell(download_sentence(event)))

        engine = self._connection.engine(lambda waited: None, self._cancel)
        engine.download(model.id, not model.commercial, progress, self._cancel)
        models = engine.models()
        self._mail.post(guarded(lambda: self._downloaded(model.id, models), self._tell))

    def _downloaded(self, model_id: str, models: tuple[ModelInfo, ...]) -> None:
        self._rest()
        self._fill(models)
        self.list.setCurrentIndex(self.list.findData(model_id))
        self._select()

    def _stand_still(self, sentence: str, stopped: bool) -> None:
        self._rest()
        if stopped:
            self._describe()
        self._tell(sentence)

    def _rest(self) -> None:
        self._busy = ""
        self.get.setText(_("Download"))
        self.list.setEnabled(True)

    def _tell(self, sentence: str) -> None:
        self.line.setText(sentence)
        self.line.setVisible(bool(sentence))
