"""A private Python environment, made from nothing but the Python that runs this.

Used by the installer for the engine and by `tests/run.py` for what the tests need.
"""

import hashlib
import importlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from maskwright.setup.failure import CommandFailed, InstallError

# A user's own settings for these would put the packages somewhere else, or other ones.
_MEDDLING = (
    "PYTHON",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
    "PIP_CONSTRAINT",
    "PIP_NO_BINARY",
    "PIP_ONLY_BINARY",
    "PIP_PREFIX",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_ROOT",
    "PIP_TARGET",
    "PIP_USER",
)

_NO_VENV = "The private Python environment could not be made: try another Python 3.11 or newer"


class Shell:
    """Starts programs quietly; what one says is kept in a log only if it fails."""

    def __init__(self, log: Path, environ: Mapping[str, str]) -> None:
        self._log = log
        self._environ = {k: v for k, v in environ.items() if not k.startswith(_MEDDLING)}
        self._environ.update(
            PIP_USER="0",
            PIP_NO_INPUT="1",
            PIP_DISABLE_PIP_VERSION_CHECK="1",
            PIP_ROOT_USER_ACTION="ignore",
        )

    @property
    def cache_options(self) -> list[str]:
        """Pip's own cache would stay in the home after an uninstall, unless the user chose one."""
        return [] if self._environ.get("PIP_CACHE_DIR") else ["--no-cache-dir"]

    def run(self, arguments: Sequence[str | Path], trouble: str) -> str:
        """Run a program to its end; returns its output.

        Raises `CommandFailed`, which starts with the sentence `trouble`.
        """
        command = [str(argument) for argument in arguments]
        try:
            done = subprocess.run(
                command,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
            returncode, said = done.returncode, done.stdout
        except OSError as error:
            returncode, said = 127, str(error)
        if returncode:
            raise self._failed(command, trouble, said)
        return said

    def _failed(self, command: list[str], trouble: str, said: str) -> CommandFailed:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._log.write_text(f"$ {' '.join(command)}\n{said}\n", encoding="utf-8")
        lines = [line.strip() for line in said.splitlines() if line.strip()] or ["no output"]
        errors = [line for line in lines if line.startswith(("ERROR:", "E:"))]
        return CommandFailed(trouble, (errors or lines)[-1], self._log)


def provide_venv(shell: Shell, say: Callable[[str], None]) -> str | None:
    """Make sure this Python can create environments.

    Debian splits that off into a package: root gets it, anybody else is told. Returns the name of
    a package that had to be installed, and raises `InstallError` if it cannot be had.
    """
    if _can_create():
        return None
    if not shutil.which("apt-get"):
        raise InstallError(
            "This Python lacks its venv and ensurepip modules: install the package of your system "
            "that has them, or run this with another Python 3.11 or newer."
        )
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        raise InstallError(
            f"This Python lacks its venv module: run 'sudo apt install {package}', then this again."
        )
    say(f"This Python lacks its venv module: installing the package {package} with apt-get")
    _apt_install(shell, package)
    importlib.invalidate_caches()
    if not _can_create():
        raise InstallError(
            f"The package {package} is installed, but {sys.executable} still lacks its venv "
            "module: run this with /usr/bin/python3."
        )
    return package


def _can_create() -> bool:
    return _importable("venv") and _importable("ensurepip")


def _importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _apt_install(shell: Shell, package: str) -> None:
    install = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y"]
    install += ["--no-install-recommends", package]
    trouble = f"apt-get could not install {package}: put that right, then run this again"
    try:
        shell.run(install, trouble)
    except CommandFailed:  # the lists of a fresh machine are empty or old
        shell.run(["apt-get", "update"], trouble)
        shell.run(install, trouble)


def create(shell: Shell, folder: Path, python: Path) -> None:
    """Make an empty environment with pip in `folder`; `python` is what it will be run by."""
    shell.run([sys.executable, "-I", "-m", "venv", "--clear", folder], _NO_VENV)
    if not python.exists():
        raise InstallError(
            f"{sys.executable} made an environment without {python.name}: use another Python."
        )


def install_pinned(shell: Shell, python: Path, requirements: Iterable[Path]) -> None:
    """Install exactly the packages that the requirement files name, checked by their hashes."""
    files = [argument for path in requirements for argument in ("-r", str(path))]
    arguments: list[str | Path] = [python, "-I", "-m", "pip", "install", "--require-hashes"]
    trouble = (
        "The packages could not be fetched: check the network connection, or whether there are "
        "any for this system, then run this again"
    )
    shell.run([*arguments, "--only-binary", ":all:", *shell.cache_options, *files], trouble)


def install_checkout(shell: Shell, python: Path, checkout: Path) -> None:
    """Build the engine from `checkout` and install it; needs no network, writes nothing there."""
    arguments: list[str | Path] = [python, "-I", "-m", "pip", "install", "--no-index", "--no-deps"]
    trouble = f"The engine could not be built from {checkout}: get a fresh copy of it"
    shell.run([*arguments, "--no-build-isolation", "--no-cache-dir", checkout], trouble)


def copy_packages(shell: Shell, source: Path, target: Path, own: str) -> None:
    """Make `target` an environment with the packages of `source`, leaving out our own `own` and
    what belongs to it.

    Saves the download, and the network, where only the engine changed.
    """
    shell.run([sys.executable, "-I", "-m", "venv", "--clear", "--without-pip", target], _NO_VENV)
    shutil.copytree(
        site_packages(source),
        site_packages(target),
        symlinks=True,
        dirs_exist_ok=True,
        ignore=lambda folder, names: {
            name for name in names if name == own or name.startswith((f"{own}-", f"{own}_"))
        },
    )


def site_packages(environment: Path) -> Path:
    """Where an environment of the running Python keeps its packages."""
    places = {"base": str(environment), "platbase": str(environment)}
    return Path(sysconfig.get_path("purelib", "venv", vars=places))


def python_tag() -> str:
    """What an environment's compiled packages depend on."""
    return f"{sys.implementation.cache_tag}-{sys.platform}-{platform.machine()}"


def digest(files: Iterable[Path], base: Path, *more: str) -> str:
    """A short name for the contents of `files`, their places under `base`, and `more`."""
    sha = hashlib.sha256("\0".join(more).encode())
    for path in sorted(files):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        sha.update(f"\0{path.relative_to(base).as_posix()}\0{content}".encode())
    return sha.hexdigest()[:12]
