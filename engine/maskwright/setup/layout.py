"""Where things go in a user's home; nothing is changed here."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NAME = "maskwright"


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one user on one system."""

    home: Path
    data: Path
    """Everything that is ours. Fixed, not moved by XDG_DATA_HOME: sandboxes remap that, and the
    plug-ins must find the engine from inside them."""
    users_own: tuple[Path, ...]
    """Where the engine keeps downloaded models and settings; only a purge removes these."""
    commands: Path
    windows: bool

    @property
    def command(self) -> Path:
        """The file that the user's shell finds."""
        return self.commands / (f"{NAME}.cmd" if self.windows else NAME)

    @property
    def manifest(self) -> Path:
        """The record of what was placed."""
        return self.data / "install.json"

    @property
    def log(self) -> Path:
        """What a failed program said."""
        return self.data / "install.log"

    @property
    def lock(self) -> Path:
        """Held while an installer works here."""
        return self.data / "install.lock"

    @property
    def engine_command(self) -> Path:
        """How the plug-ins start the engine."""
        return self.data / "engine-command.json"

    @property
    def run(self) -> Path:
        """The folder of the running engine: its address, its lock, its log."""
        return self.data / "run"

    @property
    def engine_leavings(self) -> list[Path]:
        """What a running engine makes, and leaves only if it was killed."""
        snaps = [self.home / "snap" / editor / "common" / NAME for editor in ("gimp", "krita")]
        return [self.run, *snaps]

    @property
    def bundles(self) -> Path:
        """The folder of frozen engines, each in one of its own."""
        return self.data / "engine"

    def python(self, environment: Path) -> Path:
        """The interpreter of an environment."""
        return environment / ("Scripts/python.exe" if self.windows else "bin/python")

    def entry(self, engine: Path) -> Path:
        """The program of an engine: a bundle's own, or the script that pip made."""
        if engine.parent == self.bundles:
            return engine / program(windows=self.windows)
        return engine / ("Scripts/maskwright.exe" if self.windows else "bin/maskwright")

    def plugins(self, engine: Path) -> Path:
        """The sources of the editors' plug-ins that an engine has."""
        places = ("_internal", "Lib/site-packages", "lib/python*/site-packages")
        found = (path for place in places for path in engine.glob(f"{place}/{NAME}/plugin"))
        return next(found, engine / "none")

    def engines(self) -> list[Path]:
        """Every engine in our folder, those of interrupted installations too."""
        return [
            path for path in (*self.data.glob("env-*"), *self.bundles.glob("*")) if path.is_dir()
        ]

    def run_in(self, engine: Path) -> list[str]:
        """The start of a command line that runs Maskwright from an engine's folder.

        On POSIX the interpreter of an environment is isolated (-I): a PYTHONPATH that some other
        program needs must not bring its own numpy.
        """
        if self.windows or engine.parent == self.bundles:
            return [str(self.entry(engine))]
        return [str(self.python(engine)), "-I", str(self.entry(engine))]


def program(*, windows: bool) -> str:
    """What the program in a bundle is called."""
    return f"{NAME}.exe" if windows else NAME


def locate(platform: str, environ: Mapping[str, str], home: Path) -> Layout:
    """Lay out Maskwright for `sys.platform` value `platform`."""
    if platform == "win32":
        data = Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / NAME
        users_own = [data / "models", data / "settings.json"]
    elif platform == "darwin":
        data = home / "Library" / "Application Support" / NAME
        users_own = [data / "models", data / "settings.json"]
    else:
        data = home / ".local" / "share" / NAME
        moved = Path(environ.get("XDG_DATA_HOME") or data.parent) / NAME
        settings = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / NAME
        users_own = list(dict.fromkeys([data / "models", moved / "models", settings]))
    return Layout(home, data, tuple(users_own), home / ".local" / "bin", platform == "win32")


def path_advice(layout: Layout, environ: Mapping[str, str]) -> str:
    """How to put the command's folder on the PATH; empty when it is there."""
    separator = ";" if layout.windows else ":"
    folders = environ.get("PATH", "").split(separator)
    if any(folder and Path(folder) == layout.commands for folder in folders):
        return ""
    if layout.windows:
        return (
            "To find the command by its name, run this line once in PowerShell and open a new "
            "window:\n  [Environment]::SetEnvironmentVariable('Path', "
            f"[Environment]::GetEnvironmentVariable('Path', 'User') + ';{layout.commands}', 'User')"
        )
    shell = Path(environ.get("SHELL", "sh")).name
    if shell == "fish":
        return "To find the command by its name, run this line once:\n  fish_add_path ~/.local/bin"
    start = {"bash": "~/.bashrc", "zsh": "~/.zshrc"}.get(shell, "~/.profile")
    return (
        f"To find the command by its name, add this line to {start} and open a new terminal:\n"
        '  export PATH="$HOME/.local/bin:$PATH"'
    )


def current_layout(environ: Mapping[str, str]) -> Layout:
    """The layout for whoever runs this."""
    return locate(sys.platform, environ, Path.home())
