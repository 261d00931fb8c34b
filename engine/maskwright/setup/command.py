"""Running an engine that was placed: does it start, does it cut out, will it end?"""

import os
import subprocess
from collections.abc import Mapping, Sequence

# What another program, or the bundle that this runs from, needs for itself alone.
_NOT_ITS_OWN = ("PYTHON", "LD_LIBRARY_PATH", "_PYI_", "_MEIPASS")


def run(
    command: Sequence[str], *words: str, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run an engine's `command` to its end; one that cannot be started has exit code 127."""
    given = os.environ if environ is None else environ
    kept = {name: value for name, value in given.items() if not name.startswith(_NOT_ITS_OWN)}
    try:
        return subprocess.run(
            [*command, *words],
            env={**kept, "PYINSTALLER_RESET_ENVIRONMENT": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        return subprocess.CompletedProcess([*command, *words], 127, "", str(error))


def starts(command: Sequence[str]) -> bool:
    """Whether it runs at all."""
    return run(command, "--version").returncode == 0


def last_words(done: subprocess.CompletedProcess[str]) -> str:
    """The last line that it said."""
    said = (done.stderr or done.stdout).strip().splitlines() or ["it gave no reason"]
    return said[-1]
