"""Texts for people, in their language."""

from __future__ import annotations

import gettext
from collections.abc import Sequence
from pathlib import Path

DOMAIN = "maskwright"
FOLDER = Path(__file__).resolve().parent / "locale"


class _Speech:
    """What this process speaks; English until an editor says otherwise."""

    translations = gettext.NullTranslations()


def _(text: str) -> str:
    """The text in the user's language, or as it is."""
    return _Speech.translations.gettext(text) if text else ""  # empty stands for the file's head


def is_english() -> bool:
    """Whether texts are shown as they are."""
    return not isinstance(_Speech.translations, gettext.GNUTranslations)


def speak(languages: Sequence[str], folder: Path = FOLDER) -> None:
    """Speak the first of these languages that there are texts in: "de_AT", "de", "en", ...

    The editor knows them: what stands in the environment is not what counts on every system.
    """
    wanted = []
    for language in languages:
        if language.startswith(("en", "C", "POSIX")):
            break  # the texts are English as they are
        wanted.append(language)
    try:
        found = gettext.translation(DOMAIN, folder, wanted, fallback=True)
    except Exception:  # damaged; English is better than a plug-in that is missing from the menus
        found = gettext.NullTranslations()
    _Speech.translations = found
