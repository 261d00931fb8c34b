"""The manual page, made of what the program says of itself with `--help`."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

Help = Callable[[Sequence[str]], str]
"""What the program says when it is asked for help after these words."""

NAME = "maskwright"
_OPTIONS, _COMMANDS = "Options:", "Commands:"
_ROW = re.compile(r"^  (\S.*?)(?:  +(\S.*))?$")
_MOST_INDENTED = 2


@dataclass(slots=True)
class _Page:
    """One command's help, taken apart.

    rows: by heading, what is on the left and its explanation. closing: what comes after them, as
    paragraphs of lines.
    """

    usage: str = ""
    about: list[str] = field(default_factory=list)
    rows: dict[str, list[list[str]]] = field(default_factory=dict)
    closing: list[list[str]] = field(default_factory=list)


def manual(help_of: Help, version: str) -> str:
    """The page in man's language, with every command on it."""
    top = _taken_apart(help_of(()))
    lines = [
        f'.TH {NAME.upper()} 1 "" "{NAME} {version}" "User Commands"',
        *(".SH NAME", f"{NAME} \\- remove the background of photos on this computer"),
        *(".SH SYNOPSIS", f".B {NAME}", _plain("[OPTIONS] COMMAND [ARGS]...")),
        *(".SH DESCRIPTION", *_paragraphs(top.about)),
        *(".SH OPTIONS", *_definitions(top.rows[_OPTIONS])),
        ".SH COMMANDS",
    ]
    for words, page in _commands(help_of, (), top):
        called = " ".join(filter(None, (NAME, *words, page.usage)))
        lines += [f'.SS "{_plain(called)}"']
        lines += [*_paragraphs(page.about), *_definitions(page.rows.get(_OPTIONS, []))]
        lines += _closing(page.closing)
    return "\n".join([*lines, ".SH NOTES", *_closing(top.closing)]) + "\n"


def _commands(
    help_of: Help, words: tuple[str, ...], page: _Page
) -> Iterator[tuple[tuple[str, ...], _Page]]:
    """Every command below one, with the words that it is called by."""
    for name, *_ in page.rows.get(_COMMANDS, []):
        own = (*words, name)
        found = _taken_apart(help_of(own))
        yield own, found
        yield from _commands(help_of, own, found)


def _taken_apart(text: str) -> _Page:
    page, heading, paragraph = _Page(), "", list[str]()
    usage, _, rest = text.partition("\n\n")
    page.usage = " ".join(usage.split()).partition("[OPTIONS]")[2].strip()
    for line in [*rest.splitlines(), ""]:
        if line in (_OPTIONS, _COMMANDS):
            heading = line
            page.rows[heading] = []
        elif line and not heading and not page.rows:
            page.about.append(line.strip())
        elif not line and not page.rows:
            page.about.append("")
        elif line and heading:
            _add_row(page.rows[heading], line)
        elif line:
            paragraph.append(line[_MOST_INDENTED:])
        else:
            heading = ""
            page.closing += [paragraph] if paragraph else []
            paragraph = []
    return page


def _add_row(rows: list[list[str]], line: str) -> None:
    """A new row, or more of the last one's explanation."""
    row = _ROW.match(line)
    if row and not line.startswith("   "):
        rows.append([row[1], row[2] or ""])
    else:
        rows[-1][1] = f"{rows[-1][1]} {line.strip()}".strip()


def _paragraphs(lines: Sequence[str]) -> Iterator[str]:
    text = "\n".join(lines).strip()
    for paragraph in text.split("\n\n"):
        yield from (".PP", _plain(" ".join(paragraph.split())))


def _definitions(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for left, explanation in rows:
        yield from (".TP", f".B {_plain(left)}", _plain(explanation))


def _closing(paragraphs: Sequence[Sequence[str]]) -> Iterator[str]:
    """Examples and tables keep their lines."""
    for paragraph in paragraphs:
        yield from (".PP", ".nf", *map(_plain, paragraph), ".fi")


def _plain(text: str) -> str:
    """Text that means nothing to man but itself."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
