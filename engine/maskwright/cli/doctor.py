"""`maskwright doctor`: is everything in place, and if not, what to do, or do it."""

import json
import os
from pathlib import Path
from typing import BinaryIO

import click

from maskwright.cli.background import run_stoppable
from maskwright.cli.options import debug_option
from maskwright.cli.speech import say
from maskwright.errors import ModelError

_EPILOG = """\b
Examples:
  maskwright doctor
  maskwright doctor --repair                   GIMP or Krita lacks Remove Background? mend it
  maskwright doctor --json
  maskwright doctor --report report.json       a file to send along with a question

\b
Exit codes:
  0 all is well, 2 bad usage, 3 something needs repair, 130 cancelled.
"""


@click.command(epilog=_EPILOG)
@click.option(
    "--repair",
    is_flag=True,
    help="Mend the editors' plug-ins first: put back what is missing or wrong, keep what is yours.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option(
    "--report",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the report, as JSON, to a file.",
)
@debug_option
@click.pass_context
def doctor(ctx: click.Context, repair: bool, as_json: bool, report: Path | None) -> None:
    """Check the installation and say how to repair what is wrong."""
    from maskwright.doctor import examine
    from maskwright.imaging.save import check_target, write_atomically

    if report is not None:
        check_target(report, overwrite=_is_report(report))
    findings = run_stoppable(lambda cancel: examine(os.environ, cancel, repair=repair))
    text = json.dumps(findings.as_json(), indent=1)
    if report is not None:
        content = f"{text}\n".encode("ascii")
        write_atomically(report, lambda file: _write(file, content), overwrite=_is_report(report))
    for line in [text] if as_json else findings.lines():
        say(line)
    ctx.exit(0 if findings.is_well else ModelError.exit_code)


def _is_report(path: Path) -> bool:
    """Whether the file is an earlier report, the only thing that a new one replaces."""
    try:
        return {"schema", "is_well", "checks"} <= set(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return False


def _write(file: BinaryIO, content: bytes) -> None:
    file.write(content)
