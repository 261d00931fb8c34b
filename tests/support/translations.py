"""The plug-ins' texts in other languages: `python tests/support/translations.py [LANGUAGE]...`

Collects the texts, brings the languages' files up to date and compiles them. What has no
translation yet is left empty; what is not used any more goes. Needs Babel.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

CHECKOUT = Path(__file__).resolve().parents[2]
DOMAIN = "maskwright"
LOCALE = CHECKOUT / "plugin/shared/maskwright_editor/locale"
_NETWORKS = CHECKOUT / "engine/maskwright/models/catalogue.toml"

_Arguments = Mapping[str, int]
_MARKED: _Arguments = MappingProxyType({"_": 0})
_ERRORS: _Arguments = MappingProxyType(
    dict.fromkeys(
        (
            *("EngineAbsent", "EngineBusy", "EngineGone", "EngineNotStarting", "EngineRefused"),
            *("BadReply", "JobFailed", "VersionMismatch"),
        ),
        1,
    )
)
# Where texts are, and which argument of which call is one.
SOURCES: Mapping[str, _Arguments] = MappingProxyType(
    {
        "plugin": _MARKED,
        "plugin/shared/maskwright_client": _ERRORS,
    }
)
_WIDTH = 100
_HEAD = """\
# Maskwright's texts in %(language)s. Brought up to date by tests/support/translations.py."""


class _Plain(Catalog):
    """A catalogue whose head says nothing that is another at every run."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """The head: what a reader needs."""
        return [
            ("Language", str(self.locale_identifier)),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=UTF-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ]


def texts(checkout: Path = CHECKOUT) -> set[str]:
    """Every text that a plug-in can show and that is the same every time, in English."""
    found = set(_of_networks())
    for folder, arguments in SOURCES.items():
        for path in sorted((checkout / folder).rglob("*.py")):
            found |= set(in_calls(path.read_text(encoding="utf-8"), arguments))
    return found


def in_calls(source: str, arguments: Mapping[str, int]) -> Iterator[str]:
    """The literal texts among the calls' arguments; a text that is put together is none."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            at = arguments.get(node.func.id)
            given = node.args[at] if at is not None and at < len(node.args) else None
            if isinstance(given, ast.Constant) and isinstance(given.value, str):
                yield given.value


def _of_networks() -> Iterator[str]:
    for model in tomllib.loads(_NETWORKS.read_text(encoding="utf-8"))["model"]:
        yield from (model["title"], model["use"])
        if "(" in model["licence"]:  # a remark on it; its name is the same in every language
            yield model["licence"]


def languages() -> list[str]:
    """Those that there are files of."""
    return sorted(path.name for path in LOCALE.iterdir())


def file_of(language: str, ending: str) -> Path:
    """A language's file: `po` for translators, `mo` for the plug-ins."""
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.{ending}"


def read(language: str) -> Catalog:
    """What a language's file for translators says; empty if there is none yet."""
    path = file_of(language, "po")
    content = path.read_bytes() if path.exists() else b""
    return read_po(BytesIO(content), locale=language, domain=DOMAIN, abort_invalid=True)


def updated(old: Catalog, wanted: set[str]) -> Catalog:
    """The same translations, of the texts that are wanted."""
    head = _HEAD % {"language": old.locale.english_name if old.locale else old.locale_identifier}
    new = _Plain(old.locale_identifier, DOMAIN, head, charset="utf-8", fuzzy=False)
    for text in sorted(wanted):
        known = old.get(text)
        given: dict[str, Any] = {}
        if known is not None:
            given = {"string": known.string, "user_comments": known.user_comments}
        message = new.add(text, **given)
        message.flags.discard("python-format")  # Babel takes "50% of" for one
    return new


def as_po(catalogue: Catalog) -> bytes:
    """The file for translators."""
    file = BytesIO()
    write_po(file, catalogue, width=_WIDTH, no_location=True, sort_output=True)
    return file.getvalue()


def as_mo(catalogue: Catalog) -> bytes:
    """The file for the plug-ins."""
    file = BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def main(arguments: Sequence[str]) -> None:
    """Bring the named languages up to date, or all that there are."""
    wanted = texts()
    for language in arguments or languages():
        catalogue = updated(read(language), wanted)
        file_of(language, "po").parent.mkdir(parents=True, exist_ok=True)
        file_of(language, "po").write_bytes(as_po(catalogue))
        file_of(language, "mo").write_bytes(as_mo(catalogue))
        missing = sum(not message.string for message in catalogue if message.id)
        sys.stdout.write(f"{language}: {len(wanted)} texts, {missing} without a translation\n")


if __name__ == "__main__":
    main(sys.argv[1:])
