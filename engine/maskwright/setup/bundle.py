"""The frozen engine that this runs in, as something to install from."""

import hashlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from maskwright import __version__
from maskwright.setup.failure import InstallError
from maskwright.setup.installation import refuse_full_disk, step
from maskwright.setup.layout import Layout
from maskwright.setup.manifest import Manifest

_OF_THE_SYSTEM = Path("/opt/maskwright")
_SPARE_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder with the program and everything that it needs, see `installers/frozen`."""

    folder: Path
    keeps_previous: bool = True

    @property
    def plugins(self) -> Path:
        """The sources of the editors' plug-ins."""
        return self.folder / "_internal" / "maskwright" / "plugin"

    @property
    def sample(self) -> Path:
        """A photo to prove an engine with."""
        return self.folder / "_internal" / "maskwright" / "setup" / "sample" / "coffee.jpg"

    def fingerprint(self) -> str:
        """A short name for the contents of every file."""
        sha = hashlib.sha256()
        for path in self._files():
            content = b"" if path.is_symlink() else path.read_bytes()
            sha.update(f"{path.relative_to(self.folder).as_posix()}\0".encode())
            sha.update(hashlib.sha256(content).digest())
        return sha.hexdigest()[:12]

    def target(self, layout: Layout, fingerprint: str) -> Path:
        """The folder for the engine, among our own."""
        return layout.bundles / f"{__version__}-{fingerprint}"

    def build(self, layout: Layout, known: Manifest, where: Path) -> Manifest:
        """Copy this bundle to `where`, unless it is the one there."""
        if where.is_dir() and self.folder.samefile(where):
            return known
        needed = sum(path.lstat().st_size for path in self._files())
        refuse_full_disk(layout.data, needed + _SPARE_BYTES)
        with step(f"Copying the engine ({needed // 1_000_000} MB)"):
            shutil.rmtree(where, ignore_errors=True)
            shutil.copytree(self.folder, where, symlinks=True)
        return known

    def _files(self) -> list[Path]:
        found = [path for path in self.folder.rglob("*") if path.is_symlink() or path.is_file()]
        return sorted(found)


def refuse_to_remove_itself(layout: Layout) -> None:
    """Raise `InstallError` on Windows, where a program cannot go while it runs."""
    if layout.windows and Path(sys.executable).resolve().is_relative_to(layout.data.resolve()):
        raise InstallError("Remove Maskwright in Windows' Settings > Apps.", 2)


def running_bundle() -> Bundle:
    """The bundle that this process runs from; raises `InstallError` if there is none."""
    program = Path(sys.executable).resolve()
    if not getattr(sys, "frozen", False):
        raise InstallError(
            "This engine was installed from its source: run its installers/install.py again.", 2
        )
    if program.is_relative_to(_OF_THE_SYSTEM):
        raise InstallError(
            "This engine is installed for everybody, as a package of the system: for this user "
            "run `maskwright plugins enable`.",
            2,
        )
    if not os.access(program, os.X_OK):
        raise InstallError(f"{program} may not be executed: unpack the download again.")
    return Bundle(program.parent)
