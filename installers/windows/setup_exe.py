"""The setup for Windows, made with NSIS from a frozen engine; see setup.nsi.

The engine must have been frozen on Windows, as `installers/build.py` does there. NSIS itself runs
on Linux as well: `apt install nsis`.
"""

import re
import shutil
from pathlib import Path

from environment import Shell
from frozen.freeze import CHECKOUT, INTERNAL, PAPERS
from maskwright.setup.failure import InstallError
from plan import Plan

_SCRIPT = Path(__file__).resolve().parent / "setup.nsi"
# Microsoft's, not a part of Windows. An engine must bring what its libraries ask for.
_RUNTIME = re.compile(rb"\b((?:msvcp|vcruntime|concrt|vcomp)\d+(?:_\w+)?\.dll)\0", re.IGNORECASE)


def build(plan: Plan) -> Path:
    """Make `maskwright-VERSION-windows-x86_64-setup.exe`, whole or not at all."""
    target = plan.out / f"maskwright-{plan.version}-windows-x86_64-setup.exe"
    return write(target, plan.version, plan.engine, plan.shell)


def write(target: Path, version: str, engine: Path, shell: Shell, *, quick: bool = False) -> Path:
    """Make the setup of an `engine`; a `quick` one is a third larger.

    Raises InstallError, for an engine that is not Windows' or not whole, too.
    """
    refuse_incomplete(engine)
    if not shutil.which("makensis"):
        raise InstallError("The setup needs NSIS 3: install it (on Debian: apt install nsis).")
    unfinished = target.with_name(f"{target.name}.new")
    size = sum(path.stat().st_size for path in engine.rglob("*") if path.is_file())
    told = {
        "VERSION": version,
        "PAYLOAD": engine.resolve(),
        "SIZE_KB": size // 1024,
        "LICENCE": CHECKOUT / "LICENSE",
        "OUT": unfinished.resolve(),
        **({"QUICK": 1} if quick else {}),
    }
    options = [f"-D{name}={value}" for name, value in told.items()]
    shell.run(
        ["makensis", "-V2", "-WX", "-INPUTCHARSET", "UTF8", *options, _SCRIPT],
        "The setup could not be made",
    )
    return unfinished.replace(target)


def refuse_incomplete(engine: Path) -> None:
    """Raise InstallError unless `engine` is frozen for Windows and can run on a fresh one."""
    if not (engine / "maskwright.exe").is_file():
        raise InstallError(f"{engine} is no engine for Windows: freeze one there first.")
    for folder in ("maskwright/plugin", PAPERS):
        if not (engine / INTERNAL / folder).is_dir():
            raise InstallError(f"{engine} lacks {INTERNAL}/{folder}: freeze it again.")
    if missing := missing_runtime(engine):
        raise InstallError(
            f"{engine} lacks {', '.join(missing)}, which it needs and Windows has not got: install "
            "the Visual C++ runtime on the machine that freezes it, then freeze it again."
        )


def missing_runtime(engine: Path) -> list[str]:
    """Which of Microsoft's runtime libraries the engine's own ask for and are not in it."""
    libraries = [path for path in engine.rglob("*") if path.suffix.lower() in (".dll", ".pyd")]
    there = {path.name.lower() for path in libraries}
    wanted = {
        name.decode().lower() for path in libraries for name in _RUNTIME.findall(path.read_bytes())
    }
    return sorted(wanted - there)
