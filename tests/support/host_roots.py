"""The Debian roots with the editors in them, made once and kept outside the checkout.

    root = provide(TRIXIE, cache_folder(os.environ), print)

Delete a folder of `roots` in the cache to have that one made anew, with newer packages.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from environment import Shell
from host_root import Root, Suite
from host_root_build import PACKAGES, build
from maskwright.setup import lock
from maskwright.setup.failure import InstallError

TRIXIE = Suite("trixie", gimp=(3, 0), krita=(5, 2))  # Debian 13
FORKY = Suite("forky", gimp=(3, 2), krita=(5, 3))  # Debian testing in 2026
SUITES = (TRIXIE, FORKY)
# What is ahead of every release; it may be gone any day.
EXPERIMENTAL = Suite(
    "experimental",
    gimp=None,
    krita=(6, 0),
    editors=("krita/experimental", "python3-pyqt6", "qt6-svg-plugins"),
    base="sid",
)

_FORGOTTEN_S = 2 * 24 * 3600.0
_COMMANDS = ("apt-get", "bash", "chroot", "mount", "setpriv", "unshare")


class NoRoots(Exception):
    """Roots cannot be had on this machine; `str(error)` is the reason."""


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where `tests/run.py` keeps environments and caches."""
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "maskwright-dev"


def provide(suite: Suite, cache: Path, say: Callable[[str], None]) -> Root:
    """The root of a suite, made if it is missing, which takes minutes. Raises NoRoots."""
    if reason := _obstacle():
        raise NoRoots(reason)
    folder = cache / "roots"
    folder.mkdir(parents=True, exist_ok=True)
    root = Root(suite, folder / f"{suite.name}-{_digest(suite)}")
    finished = root.cache / "finished"
    with lock.held(folder / f"{suite.name}.lock", wait=True):
        if not finished.exists():
            say(f"Making a Debian {suite.name} root in {root.cache}: some minutes, 2 GB")
            for other in folder.glob(f"{suite.name}-*"):
                if not _in_use(other):
                    _remove(other)
            root.cache.mkdir()
            try:
                build(root, Shell(folder / f"{suite.name}.log", os.environ), say)
            except InstallError as error:
                _remove(root.cache)
                raise NoRoots(str(error)) from error
        finished.touch()
    return root


def _obstacle() -> str:
    """Why this machine cannot have a root; empty if it can."""
    if sys.platform != "linux":
        return "roots are made on Linux only"
    if os.geteuid() != 0:
        return "only root can make and enter them"
    if missing := [name for name in _COMMANDS if not shutil.which(name)]:
        return f"this machine has no {', '.join(missing)}"
    attempt = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork"]
    attempt += ["mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    done = subprocess.run(attempt, capture_output=True, encoding="utf-8")
    return f"nothing can be mounted here ({done.stderr.strip()})" if done.returncode else ""


def _digest(suite: Suite) -> str:
    """A short name for what is in a root: a change makes roots anew."""
    names = "\0".join((*suite.editors, *PACKAGES))
    return hashlib.sha256(names.encode()).hexdigest()[:12]


def _in_use(folder: Path) -> bool:
    """Whether a root is a whole one that somebody, with another recipe, has used of late."""
    finished = folder / "finished"
    return finished.exists() and time.time() - finished.stat().st_mtime < _FORGOTTEN_S


def _remove(folder: Path) -> None:
    """Delete a root; nothing is mounted in it for us to see, and this makes doubly sure."""
    subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=True)
