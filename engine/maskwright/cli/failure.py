"""From an exception to one sentence and an exit code."""

import sys
import traceback
from typing import Any

import click

from maskwright.cli.speech import complain, forgive_odd_names
from maskwright.errors import Cancelled, MaskwrightError

DEBUG = "maskwright.debug"


class Translating(click.Group):
    """The root group: whatever a command raises becomes a sentence on stderr and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that the command line names."""
        forgive_odd_names(sys.stdout)
        forgive_odd_names(sys.stderr)
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
            raise
        except (KeyboardInterrupt, click.Abort):
            failure: Exception = Cancelled()
        except Exception as error:
            if ctx.meta.get(DEBUG):
                traceback.print_exc()
            failure = error
        complain(sentence_of(failure))
        ctx.exit(exit_code_of(failure))


def sentence_of(error: Exception) -> str:
    """Put an exception into words; what the engine did not foresee is called an internal error."""
    if isinstance(error, MaskwrightError):
        return str(error)
    return (
        f"Internal error: {type(error).__name__}. Run the same command with --debug to see where, "
        "and report it."
    )


def exit_code_of(error: Exception) -> int:
    """The exit code that an exception ends the command with."""
    return (error if isinstance(error, MaskwrightError) else MaskwrightError).exit_code
