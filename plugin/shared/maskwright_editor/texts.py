"""Texts for people, in their language."""

from __future__ import annotations

import gettext
from collections.abc import Sequence
from pathlib import Path

DOMAIN = "maskwright"
_FOLDER = Path(__file__).resolve().parent / "locale"


class _Speech:
    """What this process speaks; English until an editor says otherwise."""

    translations = gettext.NullTranslations()


def _(text: str) -> str:
    """The text in the user's language, or as it is."""
    return _Speech.translations.gettext(text)


def speak(languages: Sequence[str]) -> None:
    """Speak the first of these languages that there are texts in: "de_AT", "de", "en", ...

    The editor knows them: what stands in the environment is not what counts on every system.
    """
    wanted = []
    for language in languages:
        if language.startswith(("en", "C")):
            break  # the texts are English as they are
        wanted.append(language)
    _Speech.translations = gettext.translation(DOMAIN, _FOLDER, wanted, fallback=True)
