"""A root in which packages may be installed: a layer in memory over one that others use, too."""

import contextlib
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from host_root import ALONE, NOTHING, Bind, HostFailed, Root
from host_stay import Stay, stay_in

_LAYER = Path(__file__).with_name("host_layer.sh")
_UID = 1234


@dataclass(frozen=True, kw_only=True)
class LayeredRoot(Root):
    """What is written into it is gone with it; made by `layered`.

    place: where the whole is, for those who enter the mounts of the process `holder`.
    """

    holder: int
    place: Path

    @property
    def folder(self) -> Path:
        """Where its files are, in there."""
        return self.place / "root"

    def command(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] = NOTHING,
        cwd: str = "/",
        binds: Iterable[Bind] = (),
        writable: bool = False,
    ) -> list[str]:
        """The whole command line; whoever changes the root runs `writable`."""
        inside = Root.command(self, argv, env=env, cwd=cwd, binds=binds, writable=writable)
        return ["nsenter", f"--mount=/proc/{self.holder}/ns/mnt", "--", *inside]

    def change(
        self, *argv: str, binds: Iterable[Bind] = (), timeout: float = 300.0
    ) -> subprocess.CompletedProcess[str]:
        """Run something as root that may change everything; it does not run long."""
        command = self.command(
            argv, env={"DEBIAN_FRONTEND": "noninteractive"}, binds=binds, writable=True
        )
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )


@contextlib.contextmanager
def layered(root: Root, place: Path) -> Iterator[LayeredRoot]:
    """A layer over a root until the end of the block; `place` is an empty folder."""
    command = [*ALONE, "bash", str(_LAYER), str(root.folder), str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            if not holder.stdout or holder.stdout.readline() != "ready\n":
                raise HostFailed("no layer could be put over the root; its reason is above")
            yield LayeredRoot(root.suite, root.cache, holder=holder.pid, place=place)
        finally:
            holder.kill()  # and with it, by ALONE, all that is mounted
            holder.wait()


def account_in(root: LayeredRoot, folder: Path, name: str, home: str) -> Stay:
    """The stay of an ordinary user, whose account is made in the root with a home of that name."""
    said = root.change("useradd", "--uid", str(_UID), "--home-dir", home, "--user-group", name)
    if said.returncode:
        raise HostFailed(said.stdout)
    stay = stay_in(root, folder)
    as_user = ("setpriv", f"--reuid={_UID}", f"--regid={_UID}", "--clear-groups")
    given = replace(stay, home_inside=home, behind=as_user)
    own_everything(given)
    return given


def own_everything(stay: Stay) -> None:
    """Give the user of an account all that is in the folders of the stay."""
    subprocess.run(["chown", "-hR", f"{_UID}:{_UID}", str(stay.folder)], check=True)
