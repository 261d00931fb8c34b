"""Where plug-ins and engine meet: the same folders from inside every sandbox.

XDG_RUNTIME_DIR and XDG_DATA_HOME are not asked, as Flatpak gives each program its own; the home
folder is one and the same. Snap hides `.local` from its programs and gives each a folder that the
engine can write to.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NAME = "maskwright"
SNAPS = ("gimp", "krita")


@dataclass(frozen=True)
class Places:
    """data: everything of Maskwright's. shared_run: where sandboxed hosts look, if they exist."""

    home: Path
    data: Path
    shared_run: tuple[Path, ...] = ()

    @property
    def run(self) -> Path:
        """The folder of the running engine; its user's only."""
        return self.data / "run"

    @property
    def runtime_file(self) -> Path:
        """What a running engine leaves for its clients (`protocol.RuntimeFile`)."""
        return self.run / "engine.json"

    @property
    def lock(self) -> Path:
        """Held by the engine for its whole life."""
        return self.run / "engine.lock"

    @property
    def log(self) -> Path:
        """What the engine has to say."""
        return self.run / "engine.log"

    @property
    def start_log(self) -> Path:
        """What an engine printed that a plug-in started."""
        return self.run / "start.log"

    @property
    def failed_starts(self) -> Path:
        """When engines were started in vain, lately."""
        return self.run / "failed-starts.json"

    @property
    def command_file(self) -> Path:
        """How the installed engine is started; written by the installer."""
        return self.data / "engine-command.json"


def locate(platform: str, environ: Mapping[str, str], home: Path) -> Places:
    """The places of one user on the system that `sys.platform` calls `platform`."""
    if platform == "win32":
        return Places(home, Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / NAME)
    if platform == "darwin":
        return Places(home, home / "Library" / "Application Support" / NAME)
    snaps = tuple(home / "snap" / name / "common" for name in SNAPS)
    return Places(home, home / ".local" / "share" / NAME, tuple(snap / NAME for snap in snaps))


def inside_snap(environ: Mapping[str, str]) -> Path | None:
    """Where a program that runs as a snap finds the runtime file's copy; None outside of one."""
    common = environ.get("SNAP_USER_COMMON")
    return Path(common) / NAME / "engine.json" if common else None


def current_places(environ: Mapping[str, str]) -> Places:
    """The places of whoever runs this."""
    return locate(sys.platform, environ, Path.home())
