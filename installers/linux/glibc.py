"""The oldest C library that a frozen engine runs with."""

import re
from pathlib import Path

from environment import Shell

_VERSION = re.compile(r"\bGLIBC_(\d+)\.(\d+)")


def oldest_glibc(engine: Path, shell: Shell) -> str:
    """The newest version of glibc that any file in the bundle asks for, as in "2.35"."""
    needed = [(0, 0)]
    for path in engine.rglob("*"):
        if path.is_file() and not path.is_symlink() and _is_elf(path):
            said = shell.run(["objdump", "--private-headers", path], f"{path} cannot be read")
            needed += [(int(major), int(minor)) for major, minor in _VERSION.findall(said)]
    return ".".join(map(str, max(needed)))


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"
