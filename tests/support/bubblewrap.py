"""Sandboxes as Flatpak and Snap make them for editors, made with the tool that Flatpak uses.

In each are the system's programs, the tests' own Python and the checkout, a /tmp, a /run and
processes of its own, the machine's network, and the user's home folder or what Snap leaves of it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import environment
from maskwright.setup.failure import InstallError

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGE = "bubblewrap"
_SYSTEM = ("bin", "lib", "lib32", "lib64", "sbin")


def provide(log: Path) -> str:
    """Have the tool installed if this is root; why there are no sandboxes here, or nothing."""
    if shutil.which("bwrap") is None:
        if os.name != "posix" or os.geteuid() != 0 or shutil.which("apt-get") is None:
            return f"bwrap is missing; have the package {PACKAGE} installed"
        try:
            install(environment.Shell(log, os.environ))
        except InstallError as error:
            return str(error)
    tried = subprocess.run([*plain(), "true"], capture_output=True, text=True)
    return f"bwrap does not work here: {tried.stderr.strip()}" if tried.returncode else ""


def install(shell: environment.Shell) -> None:
    """Install the package; InstallError."""
    command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y"]
    command += ["--no-install-recommends", PACKAGE]
    trouble = f"apt-get could not install {PACKAGE}"
    try:
        shell.run(command, trouble)
    except InstallError:  # the lists of a fresh machine are empty or old
        shell.run(["apt-get", "update"], trouble)
        shell.run(command, trouble)


def plain() -> list[str]:
    """The words that run a program in a sandbox without a home folder."""
    words = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    words += ["--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc"]
    for name in _SYSTEM:
        place = Path("/", name)
        if place.is_symlink():
            words += ["--symlink", str(place.readlink()), str(place)]
        elif place.is_dir():
            words += ["--ro-bind", str(place), str(place)]
    words += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/run"]
    for folder in (sys.base_prefix, sys.prefix, str(CHECKOUT)):
        words += ["--ro-bind", folder, folder]
    return words


@dataclass(frozen=True)
class Sandbox:
    """words: what runs a program in it; environ: what that sees."""

    words: tuple[str, ...]
    environ: Mapping[str, str]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; what it has started may stay, and the sandbox with it."""
        # Files, as a sandbox that stays holds on to what the program writes to.
        with TemporaryFile("w+") as output, TemporaryFile("w+") as errors:
            done = subprocess.run(
                [*self.words, *command],
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                timeout=60,
            )
            for file in (output, errors):
                file.seek(0)
            return subprocess.CompletedProcess(
                done.args, done.returncode, output.read(), errors.read()
            )


def flatpak(home: Path, app: str) -> Sandbox:
    """As those of GIMP and Krita are: all of the home folder, and XDG folders of their own."""
    own = home / ".var" / "app" / app
    own.mkdir(parents=True, exist_ok=True)
    info = own / "info"
    info.write_text(f"[Application]\nname={app}\n")
    words = [*plain(), "--bind", str(home), str(home), "--ro-bind", str(info), "/.flatpak-info"]
    environ = {
        "HOME": str(home),
        "PATH": "/app/bin:/usr/bin:/bin",
        "FLATPAK_ID": app,
        "XDG_DATA_HOME": str(own / "data"),
        "XDG_CONFIG_HOME": str(own / "config"),
        "XDG_CACHE_HOME": str(own / "cache"),
        "XDG_STATE_HOME": str(own / ".local" / "state"),
        "XDG_RUNTIME_DIR": f"/run/user/{os.geteuid()}",
        "PYTHONPATH": "/app/lib/krita-python-libs",
    }
    return Sandbox(tuple(words), environ)


def snap(home: Path, name: str, *hidden: str) -> Sandbox:
    """As GIMP's is: hidden folders are not there, and a folder of its own is.

    `hidden` is what bwrap puts in their place, before the place itself.
    """
    own = home / "snap" / name
    (own / "common").mkdir(parents=True, exist_ok=True)
    (own / "7").mkdir(exist_ok=True)
    words = [*plain(), "--bind", str(home), str(home), *hidden, str(home / ".local")]
    words += ["--cap-drop", "ALL"]
    environ = {
        "HOME": str(home),
        "PATH": "/usr/bin:/bin",
        "SNAP": f"/snap/{name}/7",
        "SNAP_NAME": name,
        "SNAP_USER_COMMON": str(own / "common"),
        "SNAP_USER_DATA": str(own / "7"),
    }
    return Sandbox(tuple(words), environ)
