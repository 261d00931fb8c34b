"""What `cut` says while it works and after each photo."""

import json
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from maskwright.cli.speech import complain, remark, say, show_for_now

if TYPE_CHECKING:
    from maskwright.results import Cut, Problem


class Teller:
    """Results go to stdout, a line each; everything else goes to stderr.

    Where stdout carries the picture itself, the lines go to stderr, too.
    """

    def __init__(self, as_json: bool, to_stderr: bool, debug: bool) -> None:
        self._as_json = as_json
        self._to_stderr = to_stderr
        self._debug = debug

    @contextmanager
    def working_on(self, photo: Path) -> Iterator[Callable[[str, float], None] | None]:
        """Show the progress that the body reports, where stderr is a terminal."""
        if self._as_json or not sys.stderr.isatty():
            yield None
            return

        def show(stage: str, fraction: float) -> None:
            show_for_now(f"{photo.name}: {stage} {fraction:.0%}")

        show("reading", 0)
        try:
            yield show
        finally:
            show_for_now("")

    def done(self, photo: Path, target: Path, cut: "Cut") -> None:
        """Tell of a result and its warnings."""
        if self._as_json:
            self._line(json.dumps(cut.as_json(str(photo), str(target))))
            return
        self._line(f"{photo} -> {target}  ({cut.seconds['total']:.1f} s)")
        for warning in cut.warnings:
            remark(_about(photo, warning.message))

    def failed(self, photo: Path, problem: "Problem") -> None:
        """Tell why there is no result."""
        if self._debug:
            traceback.print_exception(problem.error)
        if self._as_json:
            error = {"code": problem.code, "message": problem.message}
            self._line(json.dumps({"photo": str(photo), "error": error}))
        else:
            complain(_about(photo, problem.message))

    def _line(self, text: str) -> None:
        say(text, to_stderr=self._to_stderr)


def _about(photo: Path, sentence: str) -> str:
    """Put the photo's name before a sentence that does not have it."""
    return sentence if photo.name in sentence else f"{photo}: {sentence}"
