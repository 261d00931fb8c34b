"""Running programs inside a prepared Debian, in namespaces of their own that leave nothing behind.

The network is the machine's own, so an engine outside is reached at 127.0.0.1.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from proc_files import descendants

CHECKOUT = Path(__file__).resolve().parents[2]
CHECKOUT_INSIDE = "/srv/maskwright"
_ENTER = Path(__file__).with_name("host_enter.sh")
_ENVIRON = MappingProxyType(
    {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
)
ALONE = (
    # The test may be killed, too; this ends with the thread that has started it.
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"),
)
"""A program behind these words mounts what nobody else sees, and no process of it survives it."""
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Suite:
    """A Debian release, and the versions of the editors that it had when it was chosen.

    gimp: None if it has none of its own.
    base: the release below, for one that has only what is newer.
    """

    name: str
    gimp: tuple[int, int] | None
    krita: tuple[int, int]
    editors: tuple[str, ...] = ("gimp", "krita", "python3-gi", "python3-pyqt5")
    base: str = ""


@dataclass(frozen=True)
class Bind:
    """Something of the machine that is seen inside, below /tmp, /run, /home, /mnt or /srv."""

    outside: Path
    inside: str
    read_only: bool = False


class HostFailed(AssertionError):
    """A program inside did not do what it was started for; the message has its output."""


class Running:
    """A program that was started inside, and everything that it has started since."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self.output = output

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return self.output.read_text(errors="replace")

    def pids(self) -> list[int]:
        """Its processes as the machine counts them, the oldest first."""
        return descendants(self.process.pid)[1:]  # the first one only mounts and waits

    def wait(self, patience_s: float) -> int:
        """Its exit code, once it ends by itself; HostFailed if it does not."""
        try:
            return self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.end()
            raise HostFailed(f"It did not end in {patience_s} s:\n{self.said}") from None

    def wait_until(self, condition: Callable[[], object], patience_s: float) -> None:
        """Wait until something holds; HostFailed if this ends before, or it takes too long."""
        give_up_at = time.monotonic() + patience_s
        while not condition():
            if not self.is_running or time.monotonic() > give_up_at:
                how = "is still running" if self.is_running else "has ended"
                raise HostFailed(f"It did not come to that; the program {how}:\n{self.said}")
            time.sleep(0.02)

    def end(self) -> None:
        """Kill exactly the processes that belong to it, and wait until they are gone."""
        _end(self.process)


@dataclass(frozen=True)
class Root:
    """A Debian in a folder; `cache` holds it and whatever was prepared from it."""

    suite: Suite
    cache: Path
    binds: tuple[Bind, ...] = field(default=(Bind(CHECKOUT, CHECKOUT_INSIDE, read_only=True),))

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self.cache / "root"

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] = NOTHING,
        cwd: str = "/",
        stdin: bytes = b"",
        timeout: float = 60.0,
        binds: Iterable[Bind] = (),
    ) -> subprocess.CompletedProcess[bytes]:
        """Run to the end; what is left of it then is killed. Raises subprocess.TimeoutExpired."""
        command = self.command(argv, env=env, cwd=cwd, binds=binds)
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            try:
                out, err = process.communicate(stdin, timeout)
            finally:
                _end(process)
        return subprocess.CompletedProcess(list(argv), process.returncode, out, err)

    @contextlib.contextmanager
    def start(
        self,
        argv: Sequence[str],
        output: Path,
        *,
        env: Mapping[str, str] = NOTHING,
        cwd: str = "/",
        binds: Iterable[Bind] = (),
    ) -> Iterator[Running]:
        """Run beside the test; what it prints goes to `output`. Killed at the end."""
        command = self.command(argv, env=env, cwd=cwd, binds=binds)
        with output.open("wb") as file:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
            )
        running = Running(process, output)
        try:
            yield running
        finally:
            running.end()

    def command(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] = NOTHING,
        cwd: str = "/",
        binds: Iterable[Bind] = (),
        writable: bool = False,
    ) -> list[str]:
        """The whole command line; only what makes the root may run `writable`."""
        mounts = []
        for bind in (*(() if writable else self.binds), *binds):
            mounts += ["ro" if bind.read_only else "rw", str(bind.outside), bind.inside]
        settings = [f"{name}={value}" for name, value in {**_ENVIRON, **env}.items()]
        return [
            *ALONE,
            *("bash", str(_ENTER), str(self.folder), "writable" if writable else "kept"),
            *(*mounts, "--", "env", "-i", f"--chdir={cwd}", *settings, *argv),
        ]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the first process of the namespaces; the kernel kills the rest before that one is gone.

    `unshare` waits for it, so once `unshare` has ended there is nothing left.
    """
    if process.poll() is None:
        for pid in descendants(process.pid)[:1] or [process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
