"""The command line: `maskwright cut | batch | models | plugins | doctor | ...`.

Nothing heavy is imported before a command runs: `maskwright --help` must answer at once.
"""

import click

from maskwright import __version__
from maskwright.cli.batch import batch
from maskwright.cli.cut import cut
from maskwright.cli.doctor import doctor
from maskwright.cli.failure import Translating
from maskwright.cli.models import models
from maskwright.cli.options import debug_option
from maskwright.cli.plugins import plugins
from maskwright.cli.service import serve, status, stop
from maskwright.cli.setup import setup

_EPILOG = """\b
Examples:
  maskwright cut photo.jpg
  maskwright batch photos --out cut-outs
  maskwright models list
  maskwright doctor

\b
Exit codes:
  0    done
  1    some of several photos failed
  2    bad input or usage; nothing was written for it
  3    a model or the engine failed, or is missing
  130  cancelled
Where every one of several photos failed, the code is that of the worst failure.
"""


@click.group(
    cls=Translating,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="maskwright")
@debug_option
def cli() -> None:
    """Remove the background of photos on this machine. Only a mask is ever computed: the photo's
    own pixels stay as they are.
    """


for _command in (cut, batch, models, plugins, doctor, setup, serve, status, stop):
    cli.add_command(_command)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    cli(prog_name="maskwright")
