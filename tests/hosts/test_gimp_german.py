"""Remove Background in a GIMP that speaks German."""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import pytest
from engine_client import client_of
from engine_process import EngineProcess, engine_in, wait_for
from gimp_plug_in import CHECKOUT, assembled
from gimp_screens import HAS_MASK, LAYER, keep, open_dialog
from host_gimp import Gimp, GimpWindow

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(300)]

SAMPLE = CHECKOUT / "installers/sample/coffee.jpg"
GERMAN = MappingProxyType({"LANG": "de_DE.UTF-8", "LANGUAGE": "de"})
LABELS = """
names = ("maskwright-remove-background", "maskwright-refine-mask")
answer([Gimp.get_pdb().lookup_procedure(name).get_menu_label() for name in names])
"""
ENGLISH_LABELS = ["Remove _Background\u2026", "Refine Background _Mask\u2026"]
GERMAN_LABELS = ["_Hintergrund entfernen\u2026", "Hintergrund_maske verfeinern\u2026"]


@pytest.fixture
def plug_ins(tmp_path: Path) -> dict[str, Path]:
    return {"maskwright": assembled(tmp_path)}


def test_menus_follow_a_change_of_the_language(gimp: Gimp, plug_ins: dict[str, Path]):
    assert gimp.console(LABELS, plug_ins=plug_ins) == ENGLISH_LABELS
    assert gimp.console(LABELS, env=GERMAN) == GERMAN_LABELS
    assert "maskwright" not in gimp.said.lower()
    assert gimp.console(LABELS) == ENGLISH_LABELS


def test_the_language_in_the_preferences_counts(gimp: Gimp, plug_ins: dict[str, Path]):
    with (gimp.profile / "gimprc").open("a") as file:
        file.write('(language "de")\n')
    assert gimp.console(LABELS, plug_ins=plug_ins, env={"LANG": "en_US.UTF-8"}) == GERMAN_LABELS


@pytest.fixture
def engine(gimp: Gimp) -> Iterator[EngineProcess]:
    with engine_in(gimp.stay.home) as running:
        yield running


@pytest.fixture
def window(gimp: Gimp, engine: EngineProcess, plug_ins: dict[str, Path]) -> Iterator[GimpWindow]:
    with gimp.gui(SAMPLE, plug_ins=plug_ins, env=GERMAN) as running:
        yield running


def open_german(window: GimpWindow, words: str, title: str) -> None:
    open_dialog(window, words, title, "Aktionen suchen")


WRITTEN_WITH = """
import json
parasite = layer.get_mask().get_parasite("maskwright-mask")
answer(json.loads(bytes(parasite.get_data()))["wish"]["edges"]["shift"])
"""


def test_a_designer_works_in_german(window: GimpWindow, engine: EngineProcess, tmp_path: Path):
    client, display = client_of(engine), window.display
    open_german(window, "hintergrund entfernen", "^Hintergrund entfernen")
    wait_for(lambda: client.hello().network_runs > 0 and client.hello().jobs == 0, 30)
    display.wait_until_still()
    keep(window, tmp_path, "german")
    display.key("alt+k", *["Page_Up"] * 6)  # the edge's slider
    display.key("alt+o")
    window.program.wait_until(lambda: window.do(HAS_MASK), 30)
    assert window.do(LAYER + WRITTEN_WITH) > 4
    display.wait_until_still()
    open_german(window, "hintergrundmaske verfeinern", "^Hintergrundmaske verfeinern")
    wait_for(lambda: client.hello().jobs == 0, 30)
    display.wait_until_still()
    keep(window, tmp_path, "german-refine")
    assert "duplicate mnemonic" not in window.program.said


LOCK = LAYER + "answer(layer.set_lock_content(True))"


def test_what_is_asked_and_what_went_wrong_are_said_in_german(window: GimpWindow, tmp_path: Path):
    display = window.display
    window.do(LOCK)
    open_german(window, "hintergrund entfernen", "^Hintergrund entfernen$")
    display.wait_until_still()
    keep(window, tmp_path, "german-locked")
    display.key("Escape")
    window.program.wait_until(lambda: not display.windows("^Hintergrund entfernen"), 10)
    display.key("slash")
    display.wait_for_window("Aktionen suchen", window.program)
    display.type("hintergrundmaske verfeinern")
    display.wait_until_still()
    display.key("Return")
    display.wait_until_still()
    keep(window, tmp_path, "german-trouble")
    assert window.do(HAS_MASK) is False
