"""The frozen engine, made once for each state of the sources and kept outside the checkout."""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from environment import Shell
from frozen.freeze import fingerprint, freeze, missing_packages
from host_machine_apt import install
from maskwright.setup import lock

# Somebody else may be testing another state of the sources.
_FORGOTTEN_S = 3 * 3600.0


def cache_folder() -> Path:
    """Where `tests/run.py` keeps environments and caches."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "maskwright-dev"


def frozen_engine() -> Path:
    """The folder with `maskwright` in it; a minute if the sources have changed.

    Nothing may be written into it. Raises InstallError.
    """
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with lock.held(cache / "frozen.lock", wait=True):
        folder = cache / f"frozen-{fingerprint()}"
        finished = folder / "finished"
        if not finished.exists():
            for old in cache.glob("frozen-*"):
                if not _in_use(old):
                    shutil.rmtree(old, ignore_errors=True)
            _make(cache, folder)
        finished.touch()
    return folder / "engine"


def _in_use(folder: Path) -> bool:
    finished = folder / "finished"
    return finished.exists() and time.time() - finished.stat().st_mtime < _FORGOTTEN_S


def _make(cache: Path, folder: Path) -> None:
    """Freeze beside `folder`, then move it there whole."""
    # Pip's cache is shared with the installations of other tests.
    given = {"PIP_CACHE_DIR": str(cache / "pip"), **os.environ}
    shell = Shell(cache / "frozen.log", given)
    for package in missing_packages() if os.geteuid() == 0 else ():
        install(shell, package)
    with tempfile.TemporaryDirectory(prefix="maskwright-freeze-", dir=cache) as work:
        engine = freeze(cache, Path(work), shell, _say)
        folder.mkdir()
        engine.rename(folder / "engine")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
