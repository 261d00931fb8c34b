"""This checkout as something to install from: packages into an environment, the engine on top."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import environment
from maskwright.setup import command
from maskwright.setup.installation import refuse_full_disk, step
from maskwright.setup.layout import NAME, Layout
from maskwright.setup.manifest import Manifest

CHECKOUT = Path(__file__).resolve().parent.parent
REQUIREMENTS = CHECKOUT / "installers" / "requirements.txt"
NEEDED_BYTES = 700_000_000


@dataclass(frozen=True, slots=True)
class Checkout:
    """The repository that this script is in, see `maskwright.setup.installation.Origin`."""

    environ: Mapping[str, str]
    folder: Path = CHECKOUT
    keeps_previous: bool = False  # whoever has a checkout has all versions

    @property
    def plugins(self) -> Path:
        """The sources of the editors' plug-ins."""
        return self.folder / "plugin"

    @property
    def sample(self) -> Path:
        """A photo to prove an engine with."""
        return self.folder / "installers" / "sample" / "coffee.jpg"

    def fingerprint(self) -> str:
        """A short name for the engine, the plug-ins and the packages that they need."""
        return environment.digest(self._sources(), self.folder, self._packages())

    def target(self, layout: Layout, fingerprint: str) -> Path:
        """The folder for the environment, among our own."""
        return layout.data / f"env-{fingerprint}"

    def build(self, layout: Layout, known: Manifest, where: Path) -> Manifest:
        """Make the environment `where`; packages that are there already are taken over."""
        shell = environment.Shell(layout.log, self.environ)
        refuse_full_disk(layout.data, NEEDED_BYTES)
        package = environment.provide_venv(shell, print)
        python = layout.python(where)
        old = layout.data / known.environment
        packages = self._packages()
        if known.packages == packages and command.starts(layout.run_in(old)):
            with step("Taking over the packages that are there"):
                environment.copy_packages(shell, old, where, NAME)
        else:
            with step("Making a private Python environment"):
                environment.create(shell, where, python)
            with step("Downloading and checking the packages it needs (about 120 MB)"):
                environment.install_pinned(shell, python, [REQUIREMENTS])
        with step("Installing the engine"):
            environment.install_checkout(shell, python, self.folder)
        more = (package,) if package else ()
        return replace(known, packages=packages, system_packages=known.system_packages + more)

    def _packages(self) -> str:
        return environment.digest([REQUIREMENTS], self.folder, environment.python_tag())

    def _sources(self) -> list[Path]:
        """The files whose change makes another version."""
        found = [self.folder / "pyproject.toml", Path(__file__).resolve()]
        folders = [self.folder / "engine" / NAME, self.folder / "plugin"]
        files = [path for folder in folders for path in folder.rglob("*")]
        return found + [path for path in files if path.is_file() and path.suffix != ".pyc"]
