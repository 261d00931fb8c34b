"""The settings as widgets that fit into a narrow docker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maskwright_editor.settings import Setting
from maskwright_editor.texts import _
from maskwright_editor.wish import Wish
from maskwright_krita import sliders, wishes
from maskwright_krita.guard import Tell, guarded
from maskwright_krita.qt import QtCore, QtWidgets

_NARROW = 60  # pixels


class Controls(QtWidgets.QWidget):  # type: ignore[misc]
    """Every setting but the model; `changed` hears the wish after each change by the designer."""

    def __init__(self, wish: Wish, changed: Callable[[Wish], None], tell: Tell) -> None:
        super().__init__()
        self._wish = wish
        self._changed = changed
        self._tell = tell
        self._show: dict[str, Callable[[Any], None]] = {}
        self.widgets: dict[str, Any] = {}
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self._rows = {setting.name: self._row(setting) for setting in wishes.shown()}
        for row in self._rows.values():
            column.addWidget(row)
        self.reset = QtWidgets.QPushButton(_("Reset"))
        self.reset.setToolTip(_("All edge settings as they were at first"))
        self.reset.clicked.connect(guarded(lambda *_: self._reset(), tell))
        column.addWidget(self.reset)
        self.show_wish(wish)

    def show_wish(self, wish: Wish) -> None:
        """Show another wish, which nobody is told of."""
        self._wish = wish
        for setting in wishes.shown():
            self._show[setting.name](wishes.value(wish, setting))

    def offer(self, name: str, *, offered: bool) -> None:
        """Let a setting be chosen, or not; one that is chosen stays, to be taken back."""
        setting = next(one for one in wishes.shown() if one.name == name)
        self._rows[name].setVisible(offered or wishes.value(self._wish, setting))

    def _row(self, setting: Setting) -> Any:
        if setting.choices:
            row = self._choice(setting)
        elif isinstance(setting.default, bool):
            row = self._box(setting)
        else:
            row = self._slider(setting)
        row.setToolTip(setting.blurb)
        return row

    def _choice(self, setting: Setting) -> Any:
        choice = _Choice()
        for value, label in setting.choices:
            choice.addItem(label, value)

        def show(value: Any) -> None:
            choice.setCurrentIndex(choice.findData(value))

        choice.activated.connect(
            guarded(lambda *_: self._hear(setting, choice.currentData()), self._tell)
        )
        self._show[setting.name], self.widgets[setting.name] = show, choice
        return _beside(setting, choice)

    def _box(self, setting: Setting) -> Any:
        box = QtWidgets.QCheckBox(wishes.label(setting).replace("&", "&&"))
        box.clicked.connect(guarded(lambda on=False: self._hear(setting, bool(on)), self._tell))
        self._show[setting.name], self.widgets[setting.name] = box.setChecked, box
        return box

    def _slider(self, setting: Setting) -> Any:
        low, high = setting.low, setting.high
        number = _Number()
        number.setRange(low, high)
        number.setDecimals(sliders.digits(low, high))
        number.setSingleStep(sliders.step(low, high))
        number.setKeyboardTracking(False)
        slider = _Slider(QtCore.Qt.Orientation.Horizontal)
        slider.setRange(0, sliders.STEPS)
        slider.setPageStep(sliders.STEPS // 20)

        def show(value: Any) -> None:
            for widget in (number, slider):
                widget.blockSignals(True)
            number.setValue(value)
            slider.setValue(sliders.position(value, low, high))
            for widget in (number, slider):
                widget.blockSignals(False)

        def hear(value: float) -> None:
            show(value)
            self._hear(setting, value)

        number.valueChanged.connect(guarded(hear, self._tell))
        slider.valueChanged.connect(
            guarded(lambda position: hear(sliders.value(position, low, high)), self._tell)
        )
        for widget in (number, slider):
            widget.setAccessibleName(wishes.label(setting))
        self._show[setting.name], self.widgets[setting.name] = show, slider
        row = _beside(setting, number)
        both = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(both)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(row)
        column.addWidget(slider)
        return both

    def _hear(self, setting: Setting, value: Any) -> None:
        self._wish = wishes.changed(self._wish, setting, value)
        self._changed(self._wish)

    def _reset(self) -> None:
        self.show_wish(wishes.without_edges(self._wish))
        self._changed(self._wish)


class _Choice(QtWidgets.QComboBox):  # type: ignore[misc]
    """A list that is as wide as there is room, and that the wheel scrolls past."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumWidth(_NARROW)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed)

    def wheelEvent(self, event: Any) -> None:
        """Scrolling through the docker must change nothing on the way."""
        event.ignore()


class _Number(QtWidgets.QDoubleSpinBox):  # type: ignore[misc]
    def wheelEvent(self, event: Any) -> None:
        """As for lists."""
        event.ignore()


class _Slider(QtWidgets.QSlider):  # type: ignore[misc]
    def wheelEvent(self, event: Any) -> None:
        """As for lists."""
        event.ignore()


def _beside(setting: Setting, widget: Any) -> Any:
    """A label and a widget in one row."""
    row = QtWidgets.QWidget()
    line = QtWidgets.QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    label = QtWidgets.QLabel(wishes.label(setting))
    label.setTextFormat(QtCore.Qt.TextFormat.PlainText)
    widget.setAccessibleName(wishes.label(setting))
    line.addWidget(label)
    line.addWidget(widget, 1 if setting.choices else 0)
    return row
