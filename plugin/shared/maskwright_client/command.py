"""By which command the engine is started, and whether that may be believed.

Looked for in this order: the host's setting, what the installer wrote for this user, the system's
package. Never on the PATH, never in the current folder.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from maskwright_client import trust
from maskwright_client.codec import WireError, loads
from maskwright_client.errors import EngineAbsent, EngineRefused
from maskwright_client.places import Places
from maskwright_client.runtime import too_old

SCHEMA = 1

_MOST = 16 * 1024
_OF_THE_SYSTEM = Path("opt/maskwright/maskwright")


@dataclass(frozen=True)
class CommandFile:
    """What the installer writes: the words that come before `serve`, the first an absolute path."""

    schema: int
    command: tuple[str, ...]


def is_sandboxed(environ: Mapping[str, str], root: Path = Path("/")) -> bool:
    """Whether this is a Flatpak or a Snap, neither of which can start programs outside."""
    return (root / ".flatpak-info").exists() or "SNAP" in environ


def engine_command(
    places: Places, chosen: Sequence[str] | None, *, sandboxed: bool, root: Path = Path("/")
) -> tuple[str, ...]:
    """The words that come before `serve`; `chosen` is the host's setting.

    Raises EngineAbsent when there is no engine that could be run from here, EngineRefused when
    somebody else could have replaced it, VersionMismatch.
    """
    try:
        command = tuple(chosen) if chosen else _installed(places, root)
        if not command or not all(command) or not Path(command[0]).is_absolute():
            raise EngineRefused(
                "bad-command",
                "The engine's command must begin with an absolute path; correct it in the "
                "settings, or run Maskwright's installer again.",
            )
        _check_words(command)
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise not_here(sandboxed=sandboxed) from error
    return command


def not_here(*, sandboxed: bool) -> EngineAbsent:
    """What to do where no engine can be started."""
    if sandboxed:
        return EngineAbsent(
            "cannot-start-here",
            "Maskwright's engine cannot be started from inside this sandbox: open a terminal, run "
            "`maskwright serve`, and try again.",
        )
    return EngineAbsent(
        "not-installed",
        "Maskwright's engine is not installed for this user: run Maskwright's installer, then try "
        "again.",
    )


def _installed(places: Places, root: Path) -> tuple[str, ...]:
    try:
        content = trust.read_unforged(places.command_file, _MOST)
    except (FileNotFoundError, NotADirectoryError):
        return (str(root / _OF_THE_SYSTEM),)
    try:
        found = loads(CommandFile, content)
    except WireError as error:
        raise EngineRefused(
            "bad-command",
            f"{places.command_file} is damaged; run Maskwright's installer again.",
        ) from error
    if found.schema != SCHEMA:
        raise too_old("engine" if found.schema < SCHEMA else "plug-in")
    return tuple(map(_as_the_system_has_it, found.command))


def _as_the_system_has_it(word: str) -> str:
    """A path as functions of `os` take it.

    Krita sets a locale of its own, in which Python may know no letters but ASCII: what comes from
    the environment is then escaped, and what comes from a file has to be.
    """
    return os.fsdecode(word.encode("utf-8", "surrogateescape"))


def _check_words(command: Sequence[str]) -> None:
    """Look at the program, and at every file that it is told to run."""
    program = Path(command[0])
    trust.check_program(program)
    if not os.access(program, os.X_OK):
        raise PermissionError(f"{program} cannot be run")
    for word in command[1:]:
        if Path(word).is_absolute() and Path(word).is_file():
            trust.check_program(Path(word))
