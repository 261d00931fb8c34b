"""The engine frozen for Windows, by PyInstaller under Wine; kept as frozen_engine.py keeps Linux's.

A stand-in for what a Windows machine freezes: same sources, same pins, same description, but no
installed Python and no real Windows.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import environment
from environment import Shell
from frozen import freeze
from frozen_engine import cache_folder
from maskwright.setup import lock
from windows_python import SOURCES, provide_python
from wine import NoWine, Windows, new_windows, seen_from_inside

_FREEZER = Path(freeze.__file__).resolve().parent
_PAPERS = Path(__file__).resolve().parent / "windows_papers.py"
_FORGOTTEN_S = 3 * 3600.0  # somebody else may be testing another state of the sources


def windows_engine() -> Path:
    """The folder with `maskwright.exe` in it; minutes if the sources have changed.

    Nothing may be written into it. Raises NoWine, or InstallError if it cannot be frozen.
    """
    cache, shell = _surroundings()
    sources = (*freeze.sources(), *SOURCES, _PAPERS, Path(__file__).resolve())
    name = environment.digest(sources, freeze.CHECKOUT, environment.python_tag())
    with lock.held(cache / "windows.lock", wait=True):
        folder = cache / f"windows-{name}"
        finished = folder / "finished"
        if not finished.exists():
            python = _python(cache, shell)
            for old in cache.glob("windows-*"):
                if old.is_dir() and old != python and _is_forgotten(old):
                    shutil.rmtree(old, ignore_errors=True)
            _freeze(python, folder, shell)
        finished.touch()
    return folder / "engine"


def windows_python() -> Path:
    """The Windows Python that freezes, which may run other things, too. Raises as above."""
    cache, shell = _surroundings()
    with lock.held(cache / "windows.lock", wait=True):
        return _python(cache, shell) / "python.exe"


def _surroundings() -> tuple[Path, Shell]:
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    # Pip's cache is shared with the installations of other tests.
    return cache, Shell(cache / "windows.log", {"PIP_CACHE_DIR": str(cache / "pip"), **os.environ})


def _python(cache: Path, shell: Shell) -> Path:
    """A Windows Python with everything that is pinned; it is kept, too."""
    pins = (*freeze.REQUIREMENTS, *SOURCES)
    name = environment.digest(pins, freeze.CHECKOUT, environment.python_tag())
    folder = cache / f"windows-python-{name}"
    if not (folder / "finished").exists():
        _say("Putting a Windows Python together")
        shutil.rmtree(folder, ignore_errors=True)
        try:
            provide_python(folder, freeze.REQUIREMENTS, shell)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    (folder / "finished").touch()
    return folder


def _freeze(python: Path, folder: Path, shell: Shell) -> None:
    """Freeze beside `folder`, then move it there whole; as `freeze.freeze` does on Windows."""
    _say("Freezing the engine for Windows")
    with tempfile.TemporaryDirectory(prefix="maskwright-windows-", dir=folder.parent) as name:
        work = Path(name)
        windows = new_windows(work / "prefix", "freezer", shell)
        try:
            engine = _frozen(windows, python, work, shell)
        finally:
            windows.end()
        folder.mkdir()
        engine.rename(folder / "engine")


def _frozen(windows: Windows, python: Path, work: Path, shell: Shell) -> Path:
    packages, contents = work / "packages", work / "contents.json"
    pip: list[str | Path] = [sys.executable, "-I", "-m", "pip", "install", "--no-index"]
    pip += ["--no-deps", "--no-build-isolation", "--no-cache-dir", "--no-compile"]
    shell.run([*pip, "--target", packages, freeze.CHECKOUT], "The engine could not be built")
    words: list[str | Path] = [_FREEZER / "run_pyinstaller.py", packages, work / "pyinstaller"]
    words += ["--noconfirm", "--log-level", "WARN", "--distpath", work / "dist"]
    words += [_FREEZER / "maskwright.spec", "--", freeze.CHECKOUT, contents]
    _run(windows, python, words)
    engine = work / "dist" / freeze.NAME
    _run(windows, python, [_PAPERS, freeze.CHECKOUT, engine, contents, packages])
    return engine


def _run(windows: Windows, python: Path, words: Iterable[str | Path]) -> None:
    inside = [seen_from_inside(word) if isinstance(word, Path) else word for word in words]
    said = windows.run(python / "python.exe", *inside)
    if said.code:
        raise NoWine(f"the engine could not be frozen under Wine: {said.text[-2000:]}")


def _is_forgotten(folder: Path) -> bool:
    used = folder / "finished"
    return not used.exists() or time.time() - used.stat().st_mtime > _FORGOTTEN_S


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
