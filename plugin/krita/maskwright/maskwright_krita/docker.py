"""The docker: one big button, a preview, and the settings below."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from krita import DockWidget, Krita
from maskwright_editor.texts import _
from maskwright_editor.wish import Wish
from maskwright_krita.choosing import ModelChooser
from maskwright_krita.controls import Controls
from maskwright_krita.desk import Desk
from maskwright_krita.guard import guarded
from maskwright_krita.mail import Mail
from maskwright_krita.panel import Panel
from maskwright_krita.preview import LONGEST, Preview, ground_labels
from maskwright_krita.qt import QtCore, QtWidgets
from maskwright_krita.running import Seen

ID = "maskwright_remove_background_docker"

_BUTTON_HIGH = 36
_NARROWEST = 200
_FIRST_HIGH = 560
_PREVIEW_AND_SETTINGS = [200, 300]
_PARTS = 1000


class Docker(DockWidget):
    """Krita makes one for each of its windows."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle(_("Remove Background"))
        self._mail = Mail()
        self.preview = Preview(self._mail, self._tell)
        self.desk = Desk(self._mail, self._show, self._confirm, self._picture, LONGEST)
        self.button = QtWidgets.QPushButton(Krita.instance().icon("transparency-unlocked"), "")
        self.button.setMinimumHeight(_BUTTON_HIGH)
        self.button.clicked.connect(guarded(lambda *_: self.desk.press(), self._tell))
        self.progress = QtWidgets.QProgressBar()
        self.progress.setRange(0, _PARTS)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.said, self.notes, self.engine = (_text() for _one in range(3))
        wish = self.desk.wish
        self.models = ModelChooser(self.desk.connection, self._mail, wish.model, self._choose)
        self.controls = Controls(wish, self._changed, self._tell)
        self.look = self._push(_("Preview"), self.desk.preview)
        self.look.setToolTip(_("Finds the subject and shows it; the picture stays as it is"))
        self.refine = self._push(_("Refine"), self._refine)
        self.refine.setToolTip(_("Takes up the settings that the selected mask was made with"))
        self.close_by = QtWidgets.QCheckBox(_("Pixel for pi_xel").replace("_", ""))
        self.close_by.toggled.connect(guarded(self._look_closely, self._tell))
        self.ground = self._grounds()
        self.menu = self._menu()
        self.setWidget(self._laid_out())
        # Krita says that it ends only after this, and nothing where only a window is closed.
        self.button.destroyed.connect(guarded(lambda *_: self._stop(), self._tell))
        self._show(self.desk.panel)

    def canvasChanged(self, canvas: Any) -> None:
        """Krita calls this when another document is in front, or none."""
        later = guarded(self.desk.look_around, self._tell)
        QtCore.QTimer.singleShot(0, later)

    def show_up(self) -> None:
        """Come to the front."""
        self.setVisible(True)
        self.raise_()

    def show_first(self) -> None:
        """Come to the front for the first time, with room for all that matters."""
        self.show_up()
        window: Any = self.button.window()
        if isinstance(window, QtWidgets.QMainWindow):
            high = min(_FIRST_HIGH, window.height() // 2)
            window.resizeDocks([self], [high], QtCore.Qt.Orientation.Vertical)

    def _stop(self) -> None:
        """Krita ends, or closes this window; the widgets are gone already."""
        self._mail.close()
        self.desk.close_down()
        self.models.close_down()
        self.preview.close_down()

    def _push(self, label: str, work: Any) -> Any:
        button = QtWidgets.QPushButton(label)
        button.clicked.connect(guarded(lambda *_: work(), self._tell))
        return button

    def _grounds(self) -> Any:
        box = QtWidgets.QComboBox()
        box.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed)
        box.setMinimumWidth(60)
        for name, label in ground_labels().items():
            box.addItem(label, name)

        def choose() -> None:
            self.preview.ground = box.currentData()
            self.preview.redraw()

        box.activated.connect(guarded(lambda *_: choose(), self._tell))
        return box

    def _menu(self) -> Any:
        button = QtWidgets.QToolButton()
        button.setText("\u22ee")
        button.setToolTip(_("More"))
        button.setAccessibleName(_("More"))
        button.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        menu = QtWidgets.QMenu(button)
        for label, work in (
            (_("Mask to selection"), self.desk.select),
            (_("Stop the engine and free its memory"), self.desk.free),
        ):
            menu.addAction(label).triggered.connect(guarded(lambda *_, do=work: do(), self._tell))
        button.setMenu(menu)
        return button

    def _laid_out(self) -> Any:
        """The button and the preview stay in sight while the settings are scrolled."""
        below = _column(
            self.notes,
            _row((self.close_by, 0), (self.ground, 1)),
            _row((self.look, 1), (self.refine, 1)),
            self.models,
            self.controls,
        )
        below.layout().addStretch(1)
        area = QtWidgets.QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(below)
        both = QtWidgets.QSplitter(QtCore.Qt.Orientation.Vertical)
        both.addWidget(self.preview)
        both.addWidget(area)
        both.setChildrenCollapsible(False)
        both.setSizes(_PREVIEW_AND_SETTINGS)
        whole = _column(
            _row((self.button, 1), (self.menu, 0)), self.progress, self.said, both, self.engine
        )
        whole.layout().setStretchFactor(both, 1)
        whole.setMinimumWidth(_NARROWEST)
        return whole

    def _show(self, panel: Panel) -> None:
        if not hasattr(self, "menu"):
            return  # still being made
        self.button.setText(panel.button)
        self.button.setEnabled(not panel.is_busy or panel.can_stop)
        idle = not panel.is_busy
        for widget in (self.look, self.refine, self.models, self.controls, self.menu):
            widget.setEnabled(idle)
        self.controls.offer("clean-colours", offered=panel.can_clean)
        self.progress.setValue(round(_PARTS * panel.whole_fraction))
        self.said.setText(panel.said)
        self.notes.setText(panel.notes)
        self.notes.setVisible(bool(panel.notes))
        self.engine.setText(panel.engine)

    def _tell(self, sentence: str) -> None:
        self.desk.tell(sentence)

    def _confirm(self, question: str) -> bool:
        yes = QtWidgets.QMessageBox.StandardButton.Yes
        no = QtWidgets.QMessageBox.StandardButton.No
        text = "\n\n".join([question, _("A mask leaves the layer's pixels as they are.")])
        answer = QtWidgets.QMessageBox.question(
            self.button.window(), _("Remove Background"), text, yes | no, no
        )
        return bool(answer == yes)

    def _picture(self, seen: Seen | None) -> None:
        if seen is None:
            self.preview.clear()
        else:
            self.preview.look_at(seen, self.desk.wish)
            self.models.fill_soon()

    def _changed(self, wish: Wish) -> None:
        another_look = wish.focus != self.desk.wish.focus
        self.desk.want(wish)
        if self.preview.seen is None:
            return
        if another_look:
            self.desk.preview()
        else:
            self.desk.keep_up()
            self.preview.refresh(wish)
            self._tell(_("This is how it would be; press the button for a mask like that."))

    def _choose(self, model: str) -> None:
        self.desk.want(replace(self.desk.wish, model=model))
        self.controls.show_wish(self.desk.wish)
        if self.preview.seen is not None:
            self.desk.preview()

    def _refine(self) -> None:
        wish = self.desk.refine()
        if wish is not None:
            self.controls.show_wish(wish)
            self.models.show_model(wish.model)

    def _look_closely(self, on: bool) -> None:
        self.preview.is_close = on
        self.preview.refresh(self.desk.wish)


def _text() -> Any:
    label = QtWidgets.QLabel()
    label.setWordWrap(True)
    label.setTextFormat(QtCore.Qt.TextFormat.PlainText)
    # Long words must not make the docker wide.
    label.setSizePolicy(
        QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Preferred
    )
    return label


def _row(*widgets: tuple[Any, int]) -> Any:
    """Widgets side by side, each with its share of what room there is left."""
    row = QtWidgets.QWidget()
    layout = QtWidgets.QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget, stretch in widgets:
        layout.addWidget(widget, stretch)
    return row


def _column(*widgets: Any) -> Any:
    """Widgets below each other."""
    column = QtWidgets.QWidget()
    layout = QtWidgets.QVBoxLayout(column)
    layout.setContentsMargins(4, 4, 4, 4)
    layout.setSpacing(4)
    for widget in widgets:
        layout.addWidget(widget)
    return column
