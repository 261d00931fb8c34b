"""The guide behind GIMP's Help button: every setting is in it, in each language, by its label."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
from maskwright_editor import texts
from maskwright_editor.settings import settings

HELP = Path(__file__).parents[2] / "plugin/gimp/maskwright/help"
LANGUAGES = sorted(folder.name for folder in HELP.iterdir())


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    texts.speak([request.param])
    yield request.param
    texts.speak(["en"])


def test_it_is_in_english_and_german():
    assert LANGUAGES == ["de", "en"]


def test_every_setting_is_explained(language: str):
    page = unescape((HELP / language / "index.html").read_text(encoding="utf-8"))
    shown = " ".join(re.sub("<[^>]*>", " ", page).split())
    labels = {
        one.label.replace("_", "") for one in settings() if one.name not in ("model", "locked")
    }
    assert {label for label in labels if label not in shown} == set()


def test_the_names_that_gimp_asks_for_lead_to_a_place_that_is_there(language: str):
    items = ElementTree.parse(HELP / language / "gimp-help.xml").getroot()  # noqa: S314  # ours
    page = (HELP / language / "index.html").read_text(encoding="utf-8")
    assert [item.get("id") for item in items] == ["remove-background", "refine-mask"]
    for item in items:
        file, _, anchor = (item.get("ref") or "").partition("#")
        assert file == "index.html"
        assert not anchor or f'id="{anchor}"' in page


def test_its_pictures_are_there(language: str):
    page = (HELP / language / "index.html").read_text(encoding="utf-8")
    pictures = re.findall('src="([^"]+)"', page)
    assert len(pictures) == 3
    assert all((HELP / language / name).is_file() for name in pictures)
