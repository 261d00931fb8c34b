"""Wine as a Windows for one user: a folder of its own, no window, nothing of the machine's user.

Wine gives a program pipes as they are, but a plain file as a handle that it cannot ask about; so
programs here always get pipes, or nothing to read.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

import wine_runtime
from environment import Shell
from host_machine_apt import install
from maskwright.setup.failure import InstallError

_WINE = Path("/usr/lib/wine/wine64")
_SERVER = Path("/usr/lib/wine/wineserver64")
_PACKAGES = (  # what has to be there, and Debian's package that has it
    (_WINE, "wine64"),
    (wine_runtime.COMPILER, "gcc-mingw-w64-x86-64"),
    (Path("/usr/bin/makensis"), "nsis"),
)
# Nothing that asks, no .NET and no browser engine (both would be fetched), no entries in menus.
_NEVER = "winedbg=;mscoree=;mshtml=;winemenubuilder.exe="
_LONG_S = 400.0
_OF_THE_MACHINE = "system.reg: System\\\\CurrentControlSet\\\\"


class NoWine(Exception):
    """Windows' programs cannot run on this machine; `str(error)` is the reason."""


@dataclass(frozen=True)
class Said:
    """How a program ended, and what it said."""

    code: int
    text: str


@dataclass(frozen=True)
class Windows:
    """One Wine prefix. `user` may have any name that a folder can have."""

    prefix: Path
    user: str

    @property
    def home(self) -> Path:
        """The user's folder."""
        return self.prefix / "drive_c" / "users" / self.user

    @property
    def environ(self) -> Mapping[str, str]:
        """What every program gets."""
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.prefix.parent),
            "USER": self.user,
            "LOGNAME": self.user,
            "LC_ALL": "C.UTF-8",
            "WINEPREFIX": str(self.prefix),
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": f"ucrtbase=n;{_NEVER}",
        }

    def start(self, *command: str | Path) -> "subprocess.Popen[str]":
        """Start a program, by its path on this machine."""
        return subprocess.Popen(
            [_WINE, *command],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )

    def run(self, *command: str | Path) -> Said:
        """Run a program to its end, and what it has started, which Wine gives its output, too."""
        with self.start(*command) as process:
            try:
                text, _ = process.communicate(timeout=_LONG_S)
            except subprocess.TimeoutExpired:
                self.end()
                raise
        return Said(process.returncode, text)

    def wait(self) -> None:
        """Wait until nothing runs any more; the registry is in its files then."""
        self._server("-w")

    def end(self) -> None:
        """End everything that runs in here."""
        self._server("-k")

    def registry(self) -> dict[str, list[str]]:
        """Every key with its values as Wine writes them, without times.

        What Wine itself notes about the machine at each start is left out.
        """
        self.wait()
        keys: dict[str, list[str]] = {}
        for name in ("user.reg", "system.reg"):
            key = ""
            for line in (self.prefix / name).read_text(encoding="utf-8").splitlines():
                if heading := re.match(r"\[(.+)\] \d+$", line):
                    key = f"{name}: {heading[1]}"
                    keys[key] = []
                elif key and line and not line.startswith("#time="):
                    keys[key].append(line)
        return {key: lines for key, lines in keys.items() if not key.startswith(_OF_THE_MACHINE)}

    def _server(self, option: str) -> None:
        # Without anything running it says so by its exit code.
        subprocess.run([_SERVER, option], env=self.environ, capture_output=True, timeout=120)


def provide(shell: Shell) -> None:
    """See to it that Wine, a compiler and NSIS are there. Raises NoWine."""
    if sys.platform != "linux":
        raise NoWine("Wine is used on Linux only")
    missing = [package for place, package in _PACKAGES if not place.exists()]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NoWine(f"this machine has no {', '.join(missing)}")
    try:
        for package in missing:
            install(shell, package)
    except InstallError as error:
        raise NoWine(str(error)) from error


def new_windows(prefix: Path, user: str, shell: Shell) -> Windows:
    """Make a Windows 10 that has never been used; some seconds."""
    windows = Windows(prefix, user)
    made = {**windows.environ, "WINEDLLOVERRIDES": _NEVER}
    prefix.parent.mkdir(parents=True, exist_ok=True)
    nothing = subprocess.DEVNULL  # it leaves services behind, which would keep a pipe open
    command = [str(_WINE), "wineboot", "-i"]
    subprocess.run(command, env=made, stdin=nothing, stdout=nothing, stderr=nothing, check=True)
    windows.wait()
    wine_runtime.mend(prefix / "drive_c" / "windows" / "system32", shell)
    said = windows.run("reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f")
    assert said.code == 0, said.text
    return windows


def seen_from_inside(path: Path) -> str:
    """A path of this machine as Windows' programs see it."""
    return str(PureWindowsPath("Z:/", *path.resolve().parts[1:]))
