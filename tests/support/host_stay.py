"""One test's time in a root: folders of its own that machine and root both see."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from host_root import NOTHING, Bind, Root, Running
from maskwright.setup import lock

HOME_INSIDE = "/home/designer"
FILES_INSIDE = "/srv/files"


@dataclass(frozen=True)
class Stay:
    """A root with a home, a folder for files and a /tmp; made by `stay_in`.

    An engine outside whose HOME is `home` is found inside, as both have the same folder.

    home_inside: how that is called inside.
    behind: the words that come before every command, for one who is not root.
    """

    root: Root
    folder: Path
    home_inside: str = HOME_INSIDE
    behind: tuple[str, ...] = ()

    @property
    def home(self) -> Path:
        """The home folder, seen from outside."""
        return self.folder / "home"

    @property
    def files(self) -> Path:
        """What goes in and comes out."""
        return self.folder / "files"

    @property
    def tmp(self) -> Path:
        """Its /tmp, where the sockets of an X server are, too."""
        return self.folder / "tmp"

    def inside(self, path: Path) -> str:
        """How a path in one of the folders is called inside."""
        for bind in self.binds:
            if path.is_relative_to(bind.outside):
                return str(Path(bind.inside) / path.relative_to(bind.outside))
        raise ValueError(f"{path} is not seen inside")

    def bring(self, path: Path) -> str:
        """Copy a file in, unless it is there; how it is called inside."""
        if not path.is_relative_to(self.folder):
            path = Path(shutil.copy(path, self.files))
        return self.inside(path)

    def run(
        self,
        *argv: str,
        env: Mapping[str, str] = NOTHING,
        stdin: bytes = b"",
        timeout: float = 60.0,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run to the end, in the folder for files."""
        return self.root.run(
            (*self.behind, *argv),
            env={**self._environ, **env},
            cwd=FILES_INSIDE,
            stdin=stdin,
            timeout=timeout,
            binds=self.binds,
        )

    def start(
        self, *argv: str, name: str, env: Mapping[str, str] = NOTHING
    ) -> AbstractContextManager[Running]:
        """Run beside the test; what it prints goes to a file of that name."""
        return self.root.start(
            (*self.behind, *argv),
            self.folder / f"{name}.log",
            env={**self._environ, **env},
            cwd=FILES_INSIDE,
            binds=self.binds,
        )

    @property
    def binds(self) -> tuple[Bind, ...]:
        """Its folders, as the root is told of them."""
        return (
            Bind(self.home, self.home_inside),
            Bind(self.files, FILES_INSIDE),
            Bind(self.tmp, "/tmp"),
        )

    @property
    def _environ(self) -> Mapping[str, str]:
        return {"HOME": self.home_inside, "XDG_RUNTIME_DIR": "/tmp/runtime"}


def stay_in(root: Root, folder: Path) -> Stay:
    """A stay whose folders are made in `folder`."""
    stay = Stay(root, folder)
    for path in (stay.home, stay.files, stay.tmp):
        path.mkdir(parents=True)
    stay.tmp.chmod(0o1777)
    (stay.tmp / "runtime").mkdir(mode=0o700)
    return stay


def move_in(stay: Stay, editor: str, settle: Callable[[Stay], None]) -> None:
    """Fill the home with what an editor leaves there after its first start, which is a slow one.

    `settle` starts it, once for each root; everybody gets a copy.
    """
    prepared = stay.root.cache / editor
    with lock.held(stay.root.cache / f"{editor}.lock", wait=True):
        if not (prepared / "finished").exists():
            shutil.rmtree(prepared, ignore_errors=True)
            settle(stay_in(stay.root, prepared))
            (prepared / "finished").touch()
    shutil.copytree(prepared / "home", stay.home, symlinks=True, dirs_exist_ok=True)
