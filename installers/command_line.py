"""The installer's command line."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from checkout import Checkout
from maskwright.setup.failure import InstallError
from maskwright.setup.installation import install
from maskwright.setup.layout import current_layout
from maskwright.setup.removal import uninstall
from maskwright.setup.user import own_files_only

_EXAMPLES = """examples:
  python3 installers/install.py                 install, then cut out a sample photo
  python3 installers/install.py holiday.jpg     install, then cut out this photo
  python3 installers/install.py --no-sample     install only
  python3 installers/install.py --uninstall     remove what was installed, keep downloaded models
  python3 installers/install.py --uninstall --purge     remove the models as well

Run it again after an update: what has not changed is left alone, and the installation that is
there keeps working until the new one has made its first cut-out.

exit codes: 0 done, 1 not installed, 2 bad usage or photo, 3 the engine failed, 130 cancelled
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for."""

    photo: Path | None
    sample: bool
    uninstall: bool
    purge: bool


def main() -> int:
    """Run the installer; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)
    wish = parse(sys.argv[1:])
    try:
        own_files_only(os.environ)
        layout = current_layout(os.environ)
        if wish.uninstall:
            uninstall(layout, os.environ, purge=wish.purge)
        else:
            install(Checkout(os.environ), layout, os.environ, wish.photo, sample=wish.sample)
    except InstallError as error:
        print(f"\n{error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"\nIt stopped at {error.filename}: {error.strerror}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nCancelled.", file=sys.stderr)
        return 130
    return 0


def parse(arguments: Sequence[str]) -> Wish:
    """Read the command line; ends the process with exit code 2 on bad usage."""
    parser = argparse.ArgumentParser(
        prog="install.py",
        description="Install Maskwright for the current user, and cut out a photo with it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("photo", nargs="?", type=Path, help="cut out this photo, not the sample")
    parser.add_argument("--no-sample", action="store_true", help="write no cut-out")
    parser.add_argument("--uninstall", action="store_true", help="remove what was installed")
    parser.add_argument("--purge", action="store_true", help="with --uninstall: models as well")
    given = parser.parse_args(arguments)
    if given.purge and not given.uninstall:
        parser.error("--purge goes with --uninstall")
    if given.photo and given.uninstall:
        parser.error("--uninstall takes no photo")
    if given.photo and given.no_sample:
        parser.error("give a photo or --no-sample, not both")
    if given.photo and not given.photo.is_file():
        parser.error(f"there is no photo {given.photo}")
    return Wish(given.photo, not given.no_sample, given.uninstall, given.purge)
