"""The product started as a process of its own, from the same files that the tests import."""

import os
import select
import subprocess
import sys
from pathlib import Path

import maskwright

ENGINE = Path(maskwright.__file__).resolve().parents[1]
CLIENT = ENGINE.parent / "plugin" / "shared"


def environment(**more: str) -> dict[str, str]:
    """The test's environment, in which a new Python finds the engine."""
    return {**os.environ, "PYTHONPATH": f"{ENGINE}{os.pathsep}{CLIENT}", **more}


def maskwright_command(*arguments: str) -> list[str]:
    """The command line as the test's own Python runs it."""
    return [sys.executable, "-m", "maskwright", *arguments]


def run_maskwright(
    *arguments: str, cwd: Path | None = None, stdin: bytes | None = None, **more: str
) -> subprocess.CompletedProcess[bytes]:
    """Run to the end; `more` is added to the environment."""
    return subprocess.run(
        maskwright_command(*arguments),
        cwd=cwd,
        env=environment(**more),
        input=stdin,
        capture_output=True,
        check=False,
        timeout=100,
    )


_ON_A_TERMINAL = """
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
"""


def on_a_terminal(*arguments: str, typed: bytes = b"") -> tuple[int, bytes]:
    """Run on a terminal of its own; `typed` answers the first question.

    Returns the exit code and everything that was shown.
    """
    with subprocess.Popen(
        [sys.executable, "-c", _ON_A_TERMINAL, *maskwright_command(*arguments)],
        env=environment(TERM="xterm"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        output = process.stdout.fileno()
        shown = b""
        while True:
            # A key that arrives between a question and the wait for its answer can be lost, so
            # it is pressed again, as a person would.
            if select.select([output], [], [], 1.0)[0]:
                chunk = os.read(output, 4096)
                shown += chunk
                if not chunk:
                    break
                if b"]: " not in chunk:
                    continue
            if typed and b"]: " in shown:
                process.stdin.write(typed)
                process.stdin.flush()
    return process.returncode, shown
