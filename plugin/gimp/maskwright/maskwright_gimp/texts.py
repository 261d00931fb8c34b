"""Texts for people, in their language."""

from __future__ import annotations

import gettext
from pathlib import Path

DOMAIN = "maskwright"
_FOLDER = Path(__file__).resolve().parents[1] / "locale"


def _(text: str) -> str:
    """The text in the user's language, or as it is."""
    return gettext.dgettext(DOMAIN, text)


def use_translations() -> None:
    """Find the translations beside this file; called once, when a procedure is made or run."""
    gettext.bindtextdomain(DOMAIN, str(_FOLDER))
