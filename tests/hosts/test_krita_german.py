"""Krita in German has the docker in German, and it is no wider for that."""

from pathlib import Path
from types import MappingProxyType

import pytest
from engine_process import engine_in
from host_fixtures import ahead_too
from host_krita import Krita
from krita_plug_in import CHECKOUT, assembled
from krita_screens import keep

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(300)]

SAMPLE = CHECKOUT / "installers/sample/coffee.jpg"
NARROWEST = 240

BEGIN = """
from host_inside.krita_docker import *
from maskwright_editor import texts
answer(texts.is_english())
"""
NARROW = """
one = docker()
one.setFloating(True)
one.resize(given["wide"], 900)
one.move(80, 40)
"""
CUT_OFF = """
wide = docker().widget().width()
inside = [one for one in docker().widget().findChildren(QtWidgets.QWidget) if one.isVisible()]
answer([docker().width(), [
    [type(one).__name__, one.mapTo(docker().widget(), QtCore.QPoint(one.width(), 0)).x()]
    for one in inside
    if one.mapTo(docker().widget(), QtCore.QPoint(one.width(), 0)).x() > wide
]])
"""
ACTION = """
action = Krita.instance().action("maskwright_remove_background")
answer([action.text(), action.toolTip(), action.iconText(), action.whatsThis()])
"""
# The preferences wait in a loop of their own, so they are opened after the script has ended.
PREFERENCES = """
QtCore.QTimer.singleShot(0, Krita.instance().action("options_configure").trigger)
"""
ROWS = """
def rows(kind, words):
    top = QtCore.QModelIndex()
    return [
        [view, view.model().index(row, 0)]
        for dialog in QtWidgets.QApplication.topLevelWidgets()
        if isinstance(dialog, QtWidgets.QDialog) and dialog.isVisible()
        for view in dialog.findChildren(kind) if view.model() is not None
        for row in range(view.model().rowCount(top))
        if words in str(view.model().index(row, 0).data())
    ]

def choose(kind, words):
    found = rows(kind, words)
    for view, index in found[:1]:
        view.setCurrentIndex(index)
        view.scrollTo(index)
        view.clicked.emit(index)
    return found
"""
# The page has its content only when it is looked at.
PAGE = "answer(bool(choose(QtWidgets.QListView, 'Python Plugin Manager')))"
PLUG_IN = "answer(bool(choose(QtWidgets.QTreeView, 'Maskwright')))"
MANUAL = """
(tree, index), = rows(QtWidgets.QTreeView, "Maskwright")
page = tree.parentWidget()
while not page.findChildren(QtWidgets.QTextEdit):
    page = page.parentWidget()
answer([index.data(), [one.toPlainText() for one in page.findChildren(QtWidgets.QTextEdit)]])
"""
CLOSE = """
for one in QtWidgets.QApplication.topLevelWidgets():
    if isinstance(one, QtWidgets.QDialog) and one.isVisible():
        one.reject()
"""
GERMAN = MappingProxyType({"LANG": "de_DE.UTF-8", "LANGUAGE": "de"})


@ahead_too
def test_the_docker_speaks_german_and_stays_narrow(krita: Krita, tmp_path: Path):
    plug_ins = {"maskwright": assembled(tmp_path)}
    with engine_in(krita.stay.home), krita.gui(SAMPLE, plug_ins=plug_ins, env=GERMAN) as window:
        assert window.do(BEGIN) is False
        assert window.do("answer(texts._('Existing mask'))") == "Existing mask"
        labels = "answer([one.text() for one in docker().findChildren(QtWidgets.QLabel)])"
        assert not {"Shift edge", "Existing mask"} & set(window.do(labels))
        window.do("docker().button.click()")
        window.program.wait_until(lambda: window.do("answer(len(masks()))"), 30)
        window.do(NARROW, wide=NARROWEST)
        window.display.wait_until_still()
        keep(window, tmp_path, "german")
        assert window.do(CUT_OFF) == [NARROWEST, []]
        text, tip, short, whats_this = window.do(ACTION)
        assert (text, short) == ("Hintergrund entfernen", "Hintergrund entfernen")
        assert tip == "Hintergrund entfernen (Ctrl+Alt+Shift+B)"
        assert whats_this.startswith("Zeigt den Dialog")

        # The manual, where Krita shows it.
        window.do(PREFERENCES)
        window.do(ROWS)
        window.program.wait_until(lambda: window.do(PAGE), 30)
        window.program.wait_until(lambda: window.do(PLUG_IN), 30)
        name, pages = window.do(MANUAL)
        keep(window, tmp_path, "german-manual")  # a cursor blinks there, so it is never still
        assert (name, len(pages)) == ("Hintergrund entfernen (Maskwright)", 1)
        assert "Verbirgt den Hintergrund von Ebenen" in pages[0]
        window.do(CLOSE)
        window.do("document().setModified(False)")
        assert window.quit() == 0
