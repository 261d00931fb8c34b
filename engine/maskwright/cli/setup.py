"""`maskwright setup`: this download, put in place for one user and taken away again."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from maskwright.cli.options import debug_option
from maskwright.errors import MaskwrightError
from maskwright.setup.failure import InstallError

_EXIT_CODES = """\b
Exit codes:
  0 done, 1 not done, 2 bad usage or photo, 3 the engine failed, 130 cancelled.
"""


@click.group(
    epilog=f"""\b
Examples:
  maskwright setup install                  the engine, its command, the plug-ins; a sample photo
  maskwright setup install holiday.jpg      the same, and a cut-out of this photo
  maskwright setup rollback                 back to the version before
  maskwright setup uninstall                all of it away; models and settings stay
  maskwright setup uninstall --purge        models and settings, too

{_EXIT_CODES}"""
)
def setup() -> None:
    """Install this download for the current user, or take it away."""


@setup.command(epilog=_EXIT_CODES)
@click.argument(
    "photo", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--no-sample", is_flag=True, help="Write no cut-out of the sample photo.")
@debug_option
def install(photo: Path | None, no_sample: bool) -> None:
    """Install for the current user, and put the plug-ins into every GIMP and Krita found.

    Run it again at any time: what has not changed is left alone, and the version that is there
    keeps working until the new one has made its first cut-out.
    """
    from maskwright.setup.bundle import running_bundle
    from maskwright.setup.installation import install as install_from
    from maskwright.setup.layout import current_layout
    from maskwright.setup.user import own_files_only

    with telling():
        own_files_only(os.environ)
        layout = current_layout(os.environ)
        install_from(running_bundle(), layout, os.environ, photo, sample=not no_sample)


@setup.command(epilog=_EXIT_CODES)
@debug_option
def rollback() -> None:
    """Go back to the version that was there before the last update."""
    from maskwright.setup.installation import roll_back
    from maskwright.setup.layout import current_layout

    with telling():
        roll_back(current_layout(os.environ), os.environ)


@setup.command(epilog=_EXIT_CODES)
@click.option("--purge", is_flag=True, help="Remove downloaded models and settings, too.")
@debug_option
def uninstall(purge: bool) -> None:
    """Remove exactly what was installed; models and settings stay."""
    from maskwright.setup.bundle import refuse_to_remove_itself
    from maskwright.setup.layout import current_layout
    from maskwright.setup.removal import uninstall as remove

    with telling():
        layout = current_layout(os.environ)
        refuse_to_remove_itself(layout)
        remove(layout, os.environ, purge=purge)


@contextmanager
def telling() -> Iterator[None]:
    """Let what goes wrong with an installation end the command with a sentence and its code."""
    try:
        yield
    except InstallError as error:
        raise _failure(str(error), error.exit_code) from error
    except OSError as error:
        raise _failure(f"It stopped at {error.filename}: {error.strerror}.", 1) from error


def _failure(sentence: str, exit_code: int) -> MaskwrightError:
    failure = MaskwrightError("not-installed", sentence)
    failure.exit_code = exit_code
    return failure
