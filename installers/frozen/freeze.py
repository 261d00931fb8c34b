"""The engine as a folder that needs no Python: PyInstaller, one-dir, in an environment of its own.

Its program is the whole command line. Beside it is `_internal`, with the packages, the plug-ins'
sources, the built-in network, the sample photo, and `papers`: licences and what is in there.
"""

import json
import platform
import shutil
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import environment
from environment import Shell
from frozen import papers
from maskwright.setup import lock
from maskwright.setup.failure import InstallError

CHECKOUT = Path(__file__).resolve().parents[2]
REQUIREMENTS = (
    CHECKOUT / "installers" / "requirements.txt",
    CHECKOUT / "installers" / "build-requirements.txt",
)
NAME = "maskwright"
INTERNAL = "_internal"
PAPERS = "papers"
_HERE = Path(__file__).resolve().parent


def sources() -> list[Path]:
    """The files of the checkout that a frozen engine is made of."""
    installers = CHECKOUT / "installers"
    folders = (CHECKOUT / "engine" / NAME, CHECKOUT / "plugin", _HERE, installers / "sample")
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    named = [CHECKOUT / name for name in ("pyproject.toml", "README.md", "LICENSE")]
    named += [installers / "THIRD-PARTY.md", installers / "environment.py", *REQUIREMENTS]
    return [*named, *(path for path in files if "__pycache__" not in path.parts)]


def fingerprint() -> str:
    """A short name for all that goes into a frozen engine of this checkout on this machine."""
    python = (environment.python_tag(), platform.python_version(), sys.base_prefix)
    return environment.digest(sources(), CHECKOUT, *python)


def missing_packages() -> list[str]:
    """Debian's packages without which PyInstaller cannot work here."""
    if sys.platform != "linux":
        return []
    missing = [] if shutil.which("objdump") and shutil.which("objcopy") else ["binutils"]
    # A frozen program is started by Python's shared library, which Debian's interpreter, having
    # the same within itself, comes without.
    folder, name = (str(sysconfig.get_config_var(word)) for word in ("LIBDIR", "INSTSONAME"))
    if sys.base_prefix == "/usr" and not Path(folder, name).exists():
        missing.append(f"libpython{sys.version_info.major}.{sys.version_info.minor}")
    return missing


def freeze(cache: Path, work: Path, shell: Shell, say: Callable[[str], None]) -> Path:
    """Freeze this checkout's engine into a folder below `work`, which is returned.

    `cache` keeps the environment to build in from one time to the next. Raises InstallError.
    """
    if missing := missing_packages():
        raise InstallError(
            f"This machine lacks what PyInstaller needs: run 'sudo apt install "
            f"{' '.join(missing)}', then this again."
        )
    python = _builder(cache, shell, say)
    packages, contents = work / "packages", work / "contents.json"
    say("Installing the engine")
    arguments: list[str | Path] = [python, "-I", "-m", "pip", "install", "--no-index", "--no-deps"]
    arguments += ["--no-build-isolation", "--no-cache-dir", "--no-compile", "--target", packages]
    shell.run([*arguments, CHECKOUT], f"The engine could not be built from {CHECKOUT}")
    say("Freezing it")
    arguments = [python, _HERE / "run_pyinstaller.py", packages, work / "pyinstaller"]
    arguments += ["--noconfirm", "--log-level", "WARN", "--distpath", work / "dist"]
    arguments += [_HERE / "maskwright.spec", "--", CHECKOUT, contents]
    shell.run(arguments, "The engine could not be frozen")
    engine = (work / "dist" / NAME).rename(work / "engine")
    _drop_debug_information(engine, shell)
    _make_readable(engine)
    origins = json.loads(contents.read_text(encoding="utf-8"))
    places = [environment.site_packages(python.parents[1]), packages]
    papers.write(engine / INTERNAL / PAPERS, papers.parts(origins, places, shell), CHECKOUT)
    return engine


def _builder(cache: Path, shell: Shell, say: Callable[[str], None]) -> Path:
    """The interpreter of the environment to build in; it is made if it is missing."""
    cache.mkdir(parents=True, exist_ok=True)
    prefixes = (environment.python_tag(), sys.base_prefix)
    folder = cache / f"freezer-{environment.digest(REQUIREMENTS, CHECKOUT, *prefixes)}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    finished = folder / "finished"
    with lock.held(cache / "freezer.lock", wait=True):
        if not finished.exists():
            say(f"Making an environment to build in: {folder}")
            for old in cache.glob("freezer-*"):
                shutil.rmtree(old, ignore_errors=True)
            environment.provide_venv(shell, say)
            environment.create(shell, folder, python)
            environment.install_pinned(shell, python, REQUIREMENTS)
            finished.touch()
    return python


def _drop_debug_information(engine: Path, shell: Shell) -> None:
    """Take 17 MB out of a Python that was built by hand; a packaged one has none.

    Nothing else is stripped: it breaks the libraries that wheels bring.
    """
    if sys.platform == "linux":
        for library in (engine / INTERNAL).glob("libpython3.*.so.*"):
            shell.run(
                ["objcopy", "--strip-debug", library], f"{library.name} could not be made small"
            )


def _make_readable(engine: Path) -> None:
    """Give everything the permissions of a program, whatever the umask and the wheels say."""
    for path in (engine, *engine.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)
