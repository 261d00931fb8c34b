"""A computer with Debian 13, GIMP and Krita on which our package is installed, and its user."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from host_gimp import Gimp, gimp_in
from host_krita import Krita, krita_in
from host_layer import LayeredRoot, account_in, layered, own_everything
from host_root import Bind, HostFailed, Root
from host_roots import TRIXIE, NoRoots, cache_folder, provide
from host_stay import Stay
from linux import archive
from maskwright_client.places import Places, locate

HOME = "/home/Zoë 山田"
ENGINE = "/opt/maskwright/maskwright"
_LATER = 2_000_000_000
_PACKAGES = "/run/packages"
# What package managers remember, and what was in their way.
_NOT_OURS = ("/var/lib/dpkg", "/var/lib/apt", "/var/cache", "/var/log", "/home", "/root")
_FOUND = "%p %y %m %u:%g %l"

REMOVE_IN_GIMP = """
from host_inside.gimp_cases import REMOVE, call, mask_of, opened
from pathlib import Path
import base64, json, os
document = opened(given["photo"])
done, said = call(REMOVE, document.image, document.drawables)
run = Path.home() / ".local/share/maskwright/run/engine.json"
exe = Path(f"/proc/{json.loads(run.read_bytes())['pid']}/exe") if done else None
answer({
    "said": said,
    "mask": base64.b64encode(mask_of(document.targets[0]) or b"").decode(),
    "engine": os.readlink(exe) if exe and exe.is_symlink() else "",
})
"""


@dataclass(frozen=True)
class Computer:
    """Made by `computer_in`."""

    root: LayeredRoot
    stay: Stay

    @property
    def places(self) -> Places:
        """The engine's, seen from outside."""
        return locate("linux", {}, self.stay.home)

    def administer(self, *argv: str, packages: Path | None = None) -> tuple[int, str]:
        """Run something as root that changes the computer; its exit code and what it said.

        The files in the folder `packages` are in /run/packages.
        """
        own = [] if packages is None else [Bind(packages, _PACKAGES, read_only=True)]
        done = self.root.change(*argv, binds=[*self.stay.binds, *own])
        return done.returncode, done.stdout

    def unpack(self, package: Path) -> tuple[int, str]:
        """Have dpkg install a package, or put it in the place of another version."""
        inside = f"{_PACKAGES}/{package.name}"
        return self.administer("dpkg", "--install", inside, packages=package.parent)

    def install(self, package: Path) -> str:
        """Have apt install a package; what it said. HostFailed."""
        inside = f"{_PACKAGES}/{package.name}"
        command = ("apt-get", "install", "-y", "--no-install-recommends", inside)
        code, said = self.administer(*command, packages=package.parent)
        if code:
            raise HostFailed(said)
        return said

    def version(self) -> str:
        """What is installed, by its state and version; empty if nothing is."""
        asked = ("dpkg-query", "--show", "--showformat=${db:Status-Abbrev}${Version}", "maskwright")
        code, said = self.administer(*asked)
        return "" if code else said

    def files(self) -> list[str]:
        """Every file of the system with its kind, permissions, owner; of files size and time."""
        left_out = [word for path in _NOT_OURS for word in ("-path", path, "-prune", "-o")]
        printed = ["-type", "f", "-printf", f"{_FOUND} %s %T@\n", "-o", "-printf", f"{_FOUND}\n"]
        code, said = self.administer("find", "/", "-xdev", *left_out, *printed)
        assert code == 0, said
        return sorted(said.splitlines())

    def user(
        self, *argv: str, env: Mapping[str, str] | None = None, timeout: float = 100.0
    ) -> subprocess.CompletedProcess[bytes]:
        """Run something as the user."""
        return self.stay.run(*argv, env=env or {}, timeout=timeout)

    def doctor(self, check: str) -> list[dict[str, Any]]:
        """What the installed doctor says to the user, by the name of a check."""
        done = self.user("maskwright", "doctor", "--json")
        return [each for each in json.loads(done.stdout)["checks"] if each["name"] == check]

    def gimp(self) -> Gimp:
        """GIMP as the user has it, started before."""
        editor = gimp_in(self.stay)
        own_everything(self.stay)
        return editor

    def krita(self) -> Krita:
        """Krita, likewise."""
        editor = krita_in(self.stay)
        own_everything(self.stay)
        return editor


def debian_root() -> Root:
    """The root that computers are made of; the test is skipped where there can be none."""
    try:
        return provide(TRIXIE, cache_folder(os.environ), print)
    except NoRoots as error:
        if os.environ.get("MASKWRIGHT_HOSTS") == "required":
            raise
        pytest.skip(f"there is no Debian here to install in: {error}")


@contextmanager
def computer_in(root: Root, folder: Path) -> Iterator[Computer]:
    """A new one until the end of the block."""
    place = folder / "layer"
    place.mkdir()
    with layered(root, place) as layer:
        yield Computer(layer, account_in(layer, folder / "stay", "zoe", HOME))


def repacked(package: Path, folder: Path, version: str, **contents: str) -> Path:
    """The same package as another version; `contents` is what its program is instead."""
    tree, about = folder / "tree", folder / "control"
    subprocess.run(["dpkg-deb", "--extract", str(package), str(tree)], check=True)
    subprocess.run(["dpkg-deb", "--control", str(package), str(about)], check=True)
    control = about / "control"
    lines = control.read_text().splitlines()
    control.write_text(
        "".join(f"Version: {version}\n" if x.startswith("Version:") else f"{x}\n" for x in lines)
    )
    for name, text in contents.items():
        (tree / "opt/maskwright" / name).write_text(text)
    target = folder / f"maskwright_{version}.deb"
    archive.write(target, about, tree, ("opt",), _LATER, level=0)
    shutil.rmtree(tree)
    shutil.rmtree(about)
    return target
