"""Krita in German has the docker in German, and it is no wider for that."""

import os
import shutil
from pathlib import Path

import pytest
from engine_process import engine_in
from host_krita import Krita
from krita_plug_in import CHECKOUT, assembled

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(300)]

SAMPLE = CHECKOUT / "installers/sample/coffee.jpg"
SCREENSHOTS = os.environ.get("MASKWRIGHT_SCREENSHOTS", "")
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


def test_the_docker_speaks_german_and_stays_narrow(krita: Krita, tmp_path: Path):
    plug_ins = {"maskwright": assembled(tmp_path)}
    german = {"LANG": "de_DE.UTF-8", "LANGUAGE": "de"}
    with engine_in(krita.stay.home), krita.gui(SAMPLE, plug_ins=plug_ins, env=german) as window:
        assert window.do(BEGIN) is False
        assert window.do("answer(texts._('Existing mask'))") == "Existing mask"
        labels = "answer([one.text() for one in docker().findChildren(QtWidgets.QLabel)])"
        assert not {"Shift edge", "Existing mask"} & set(window.do(labels))
        window.do("docker().button.click()")
        window.program.wait_until(lambda: window.do("answer(len(masks()))"), 30)
        window.do(NARROW, wide=NARROWEST)
        window.display.wait_until_still()
        path = tmp_path / "german.png"
        window.display.screenshot(path)
        if SCREENSHOTS:
            shutil.copy(path, Path(SCREENSHOTS) / f"krita-{krita.stay.root.suite.name}-german.png")
        assert window.do(CUT_OFF) == [NARROWEST, []]
        window.do("document().setModified(False)")
        assert window.quit() == 0
