"""Which packages of Debian a bundle needs, by what its programs and libraries ask for."""

import re
from collections.abc import Iterator
from pathlib import Path

from environment import Shell
from linux.glibc import oldest_glibc
from maskwright.setup.failure import InstallError

# The libraries that a bundle leaves to the system, by package.
_PACKAGES = {
    "libc6": (
        "libc",
        "libm",
        "libdl",
        "libpthread",
        "librt",
        "ld-linux-x86-64",
        "ld-linux-aarch64",
    ),
    "libgcc-s1": ("libgcc_s",),
    "libstdc++6": ("libstdc++",),
}
_PACKAGE_OF = {name: package for package, names in _PACKAGES.items() for name in names}
_ELF = b"\x7fELF"
_NEEDED = re.compile(r"^  NEEDED +(\S+)$", re.MULTILINE)


def depends(bundle: Path, shell: Shell) -> str:
    """What the package's `Depends` has to say. Raises InstallError.

    Only libc6's version is asked for: every Debian that has it has a libstdc++ and a libgcc that
    are newer than what wheels ask for.
    """
    files = list(elf_files(bundle))
    said = shell.run(["objdump", "-p", *files], f"{bundle} could not be looked into")
    own = {path.name for path in files} | {path.name for path in bundle.rglob("*.so*")}
    packages = set()
    for library in set(_NEEDED.findall(said)) - own:
        package = _PACKAGE_OF.get(library.partition(".so")[0])
        if package is None:
            raise InstallError(f"Nobody knows which package has {library}: add it to {__file__}.")
        packages.add(package)
    floors = {"libc6": f" (>= {oldest_glibc(bundle, shell)})"}
    return ", ".join(package + floors.get(package, "") for package in sorted(packages))


def elf_files(bundle: Path) -> Iterator[Path]:
    """The programs and libraries in a folder."""
    for path in sorted(bundle.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(len(_ELF)) == _ELF:
                    yield path
