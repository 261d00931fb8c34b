"""What runs inside Krita: ASCII, Python 3.10, and files that belong together."""

import ast
from configparser import ConfigParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from krita_plug_in import CHECKOUT, NAME

FOLDER = CHECKOUT / "plugin/krita"
MODULES = sorted((FOLDER / NAME).rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_is_ascii_python_3_10_and_says_what_it_is_for(path: Path):
    source = path.read_bytes()
    assert source.isascii()
    assert ast.get_docstring(ast.parse(source, feature_version=(3, 10)))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_enums_are_scoped(path: Path):
    """PyQt6 knows no others: `Qt.AlignCenter` fails there, and works in PyQt5."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Attribute) and node.attr[0].isupper():
            owner = node.value
            name = owner.attr if isinstance(owner, ast.Attribute) else ""
            if name == "Qt" or (name.startswith("Q") and name[1:2].isupper()):
                assert node.attr in SCOPES, f"{name}.{node.attr}"


SCOPES = {
    *("AlignmentFlag", "AspectRatioMode", "ConnectionType", "Orientation", "ScrollBarPolicy"),
    *("TextFlag", "TextFormat", "TransformationMode"),
    *("ColorRole", "CompositionMode", "Format", "Policy", "Shape", "StandardButton"),
    "ToolButtonPopupMode",
}


def test_the_description_names_the_folder():
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    parser.read(FOLDER / f"{NAME}.desktop", encoding="utf-8")
    entry = parser["Desktop Entry"]
    assert entry["X-KDE-Library"] == NAME
    assert entry["ServiceTypes"] == "Krita/PythonPlugin"
    assert (FOLDER / NAME / entry["X-Krita-Manual"]).is_file()


@pytest.mark.parametrize("language", ["", "de"])
def test_a_manual_is_in_the_language_that_leads_to_it(language: str):
    desktop = (FOLDER / f"{NAME}.desktop").read_text(encoding="utf-8")
    name = f"Manual.{language}.html" if language else "Manual.html"
    key = f"X-Krita-Manual[{language}]" if language else "X-Krita-Manual"
    assert f"\n{key}={name}\n" in desktop
    pages = [(FOLDER / NAME / one).read_text(encoding="utf-8") for one in ("Manual.html", name)]
    assert f'<html lang="{language or "en"}">' in pages[1]
    for tag in ("<h4>", "<li>", "<p>"):  # and says as much
        assert pages[0].count(tag) == pages[1].count(tag) > 3


def test_the_action_is_the_one_that_is_registered():
    action = ElementTree.parse(FOLDER / f"{NAME}.action").find(".//Action")  # noqa: S314  # ours
    assert action is not None
    source = (FOLDER / NAME / "maskwright_krita/extension.py").read_text(encoding="ascii")
    assert f'ACTION = "{action.get("name")}"' in source
