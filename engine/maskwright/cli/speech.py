"""Talking to people: results on stdout, everything else as sentences on stderr."""

import os
import sys
from typing import TextIO

import click

_ERASE_LINE = "\r\033[K"


def say(text: str, *, to_stderr: bool = False) -> None:
    """Print a line of the result."""
    click.echo(text, file=_stream(to_stderr))


def complain(sentence: str) -> None:
    """Print what went wrong, in red on a terminal."""
    _sentence(sentence, "red")


def remark(sentence: str) -> None:
    """Print what somebody should know, in yellow on a terminal."""
    _sentence(sentence, "yellow")


def show_for_now(text: str) -> None:
    """Put `text` in place of the terminal's last line, which the next text replaces again."""
    click.echo(_ERASE_LINE + text, file=sys.stderr, nl=False, color=True)


def forgive_odd_names(stream: TextIO) -> None:
    """Let `stream` print names that are not valid in its encoding, as backslash escapes."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _sentence(sentence: str, colour: str) -> None:
    text = f"maskwright: {sentence}"
    styled = text if "NO_COLOR" in os.environ else click.style(text, fg=colour)
    click.echo(styled, file=_stream(to_stderr=True))


def _stream(to_stderr: bool) -> TextIO:
    # Named, as click would otherwise wrap a stream that is no UTF-8 and print question marks.
    return sys.stderr if to_stderr else sys.stdout
