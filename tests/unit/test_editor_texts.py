"""Which language is spoken, and that German has everything and fits."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import numpy as np
import pytest
import translations
from maskwright.matting import warnings
from maskwright.matting.photo import Photo
from maskwright.matting.prediction import Prediction
from maskwright_client.errors import BadReply, ClientError, EngineNotStarting, JobFailed
from maskwright_client.meaning import bad_reply
from maskwright_client.protocol import ModelInfo, Notice
from maskwright_editor import texts
from maskwright_editor.sentences import (
    _short_forms,
    model_label,
    model_sentence,
    problem,
    warning_sentence,
)
from maskwright_editor.settings import settings

CHECKOUT = translations.CHECKOUT
SPOKEN = translations.languages()


@pytest.fixture(autouse=True)
def english_afterwards() -> Iterator[None]:
    yield
    texts.speak(["en"])


# What there is


@pytest.mark.parametrize("language", SPOKEN)
def test_every_text_is_translated_and_nothing_else(language: str):
    catalogue = translations.read(language)
    assert not catalogue.obsolete
    found = {message.id: message for message in catalogue if message.id}
    assert found.keys() == translations.texts(), "run tests/support/translations.py"
    assert [text for text, message in found.items() if not message.string or message.fuzzy] == []


def fields(text: str) -> set[tuple[str, str | None]]:
    return {(name, form) for _, name, form, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", SPOKEN)
def test_translations_have_the_same_fields_and_as_many_access_keys(language: str):
    for message in translations.read(language):
        english, translated = message.id, message.string
        assert isinstance(english, str)
        assert isinstance(translated, str)
        if english:
            assert fields(translated) == fields(english)
            assert translated.count("_") == english.count("_"), english
            assert translated == translated.strip()


@pytest.mark.parametrize("language", SPOKEN)
def test_files_are_what_the_script_writes(language: str):
    catalogue = translations.updated(translations.read(language), translations.texts())
    for ending, content in (
        ("po", translations.as_po(catalogue)),
        ("mo", translations.as_mo(catalogue)),
    ):
        path = translations.file_of(language, ending)
        assert path.read_bytes() == content, "run tests/support/translations.py"


def test_texts_are_found_where_they_are():
    source = """
_("plain")
_("put" " together")
_(f"with {value}")
_(variable)
text.method("no")
raise EngineGone("code", "gone")
raise EngineGone("code", f"gone {value}")
"""
    assert list(translations.in_calls(source, {"_": 0})) == ["plain", "put together"]
    assert list(translations.in_calls(source, {"EngineGone": 1})) == ["gone"]
    assert "Remove Background" in translations.texts()
    assert bad_reply().message in translations.texts()


MODULES = sorted((CHECKOUT / "plugin").rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_text_is_put_together_before_it_is_looked_up(path: Path):
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
            (text,) = node.args
            assert isinstance(text, (ast.Constant, ast.Name, ast.Attribute)), ast.unparse(node)


# Which is spoken

GERMAN, ENGLISH = "Hintergrund entfernen", "Remove Background"


@pytest.mark.parametrize(
    ("languages", "said"),
    [
        (["de_AT", "de"], GERMAN),
        (["de_AT"], GERMAN),
        (["de_DE.UTF-8", "de_DE", "de.UTF-8", "de", "C"], GERMAN),
        (["de_DE@euro"], GERMAN),
        (["fr_FR", "fr", "de", "en"], GERMAN),
        (["en_GB", "en", "de"], ENGLISH),
        (["en", "de"], ENGLISH),
        (["fr", "en", "de"], ENGLISH),
        (["xx_YY"], ENGLISH),
        (["C"], ENGLISH),
        (["POSIX", "de"], ENGLISH),
        ([], ENGLISH),
    ],
)
def test_the_first_language_that_there_is_is_spoken(
    languages: list[str], said: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LANGUAGE", "de" if said == ENGLISH else "en")  # nobody asks
    texts.speak(languages)
    assert texts._(ENGLISH) == said
    assert texts.is_english() is (said == ENGLISH)


@pytest.mark.parametrize("content", [b"", b"\xde\x12\x04\x95", b"no catalogue at all " * 9])
def test_a_damaged_catalogue_leaves_english(tmp_path: Path, content: bytes):
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "maskwright.mo").write_bytes(content)
    texts.speak(["de"], tmp_path)
    assert texts._(ENGLISH) == ENGLISH


def test_no_text_stays_no_text():
    texts.speak(["de"])
    assert texts._("") == ""


def test_access_keys_in_german_are_all_different():
    texts.speak(["de"])
    # GIMP's own: Abbrechen, Gespeicherte Einstellungen laden, Hilfe, OK, speichern, Zuruecksetzen.
    taken = set("cghosz")
    preview = texts._("Pixel for pi_xel")
    labels = [one.label for one in settings() if "_" in one.label]
    for label in (preview, *labels):
        letter = label[label.index("_") + 1].lower()
        assert re.fullmatch("[a-z]", letter), label
        assert letter not in taken, label
        taken.add(letter)


# What the engine says


def warned(alpha: float, difference: int) -> list[warnings.MatteWarning]:
    """What is said of a square in the middle of a picture."""
    values = np.zeros((96, 96), np.float32)
    values[20:76, 20:76] = alpha
    values[18:20, 20:76] = alpha / 2
    colours = np.full((96, 96, 3), 100, np.uint8)
    colours[20:76, 20:76] += difference
    return warnings.matte_warnings(Prediction(values, colours, (0, 1)))


def every_warning() -> list[warnings.MatteWarning]:
    everything = Prediction(np.ones((9, 9), np.float32), np.zeros((9, 9, 3), np.uint8), (0, 1))
    return [
        warnings.nothing_found(None),
        *warnings.photo_warnings(Photo(np.zeros((700, 800, 3), np.uint8))),
        *warnings.photo_warnings(Photo(np.zeros((80, 70, 3), np.uint8))),
        *warnings.matte_warnings(everything),
        *warned(1.0, 12),
        *warned(0.6, 90),
    ]


def test_every_warning_is_said_in_german_and_in_english_as_the_engine_says_it():
    told = [Notice(one.code, one.message, one.value) for one in every_warning()]
    source = (CHECKOUT / "engine/maskwright/matting/warnings.py").read_text(encoding="utf-8")
    assert {one.code for one in told} == set(re.findall(r'"([a-z]+-[a-z-]+)"', source))
    assert [warning_sentence(one) for one in told] == [one.message for one in told]
    texts.speak(["de"])
    for one in told:
        said = warning_sentence(one)
        assert said != one.message
        assert re.findall(r"\d+", said) == re.findall(r"\d+", one.message)


@pytest.mark.parametrize("value", [None, 3.0])
def test_a_warning_that_is_news_is_said_as_it_is(value: float | None):
    texts.speak(["de"])
    code = "new" if value else "small-photo"
    assert warning_sentence(Notice(code, "The moon is full.", value)) == "The moon is full."


def test_a_problem_is_told_in_german():
    texts.speak(["de"])
    assert problem(bad_reply()).startswith("Die Antwort der Engine ergibt keinen Sinn")


def test_a_problem_with_values_is_told_in_short_in_german_and_in_full_in_english():
    error = EngineNotStarting("engine-not-ready", "Not ready after 30 seconds; see /tmp/log")
    assert problem(error) == error.message
    texts.speak(["de"])
    assert problem(error).startswith("Die Engine war nicht rechtzeitig bereit")


@pytest.mark.parametrize("kind", [JobFailed, BadReply])
def test_a_problem_that_is_news_is_told_as_it_is(kind: type[ClientError]):
    texts.speak(["de"])
    assert problem(kind("new", "{what} is 100% new.")) == "{what} is 100% new."


def test_short_forms_are_of_codes_that_there_are():
    folders = ("engine/maskwright", "plugin/shared/maskwright_client")
    sources = [path.read_text(encoding="utf-8") for one in folders for path in files_in(one)]
    everything = "".join(sources)
    assert [code for code in _short_forms() if f'"{code}"' not in everything] == []


def files_in(folder: str) -> list[Path]:
    return sorted((CHECKOUT / folder).rglob("*.py"))


def test_networks_and_numbers_are_told_in_german():
    model = ModelInfo(
        id="silueta",
        title="Classic, small",
        use="People only",
        licence="Apache-2.0 (unconfirmed)",
        licence_url="https://example.org",
        commercial=True,
        bytes=44_173_029,
        installed=False,
        seconds=4.25,
    )
    texts.speak(["de"])
    assert model_label(model) == "Klassisch, klein (herunterladen, 44 MB)"
    said = "Nur Menschen \u00b7 Apache-2.0 (unbest\u00e4tigt) \u00b7 etwa 4,2 s"
    assert model_sentence(model) == said
