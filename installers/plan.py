"""What somebody who builds an artefact is given."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from environment import Shell


@dataclass(frozen=True, slots=True)
class Plan:
    """One build of all artefacts.

    engine: the frozen engine's folder, which is only read.
    out: the folder that artefacts go into, and nothing else.
    work: an empty folder outside the checkout, thrown away when the build is over.
    shell: runs programs; `say` tells the user a line.
    """

    version: str
    engine: Path
    out: Path
    work: Path
    shell: Shell
    say: Callable[[str], None]
