"""GIMP and Krita in sandboxes like Flatpak's: a runtime of their own, the user's home, and /opt."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bubblewrap import Sandbox
from engine_process import wait_for
from host_root import CHECKOUT, CHECKOUT_INSIDE, HostFailed, Root
from host_script_line import ScriptLine

GIMP, KRITA = "org.gimp.GIMP", "org.kde.krita"
_SUPPORT = f"{CHECKOUT_INSIDE}/tests/support"
_OWN, _LINE = "/run/own", "krita.line"
_HOW_MANY = "answer(len(Krita.instance().documents()))"
_PATIENCE_S = 60.0
_LINKS = ("bin", "lib", "lib64", "sbin")


@dataclass(frozen=True)
class Flatpak:
    """Where an application's files are: `runtime` has the editors, `opt` is the machine's /opt."""

    runtime: Root
    home: Path
    app: str
    opt: Path | None = None

    @property
    def own(self) -> Path:
        """The application's folder in the home."""
        return self.home / ".var/app" / self.app

    def sandbox(self, **more: str) -> Sandbox:
        """What runs programs in it; see flatpak-metadata(5) for `filesystems=host`."""
        self.own.mkdir(parents=True, exist_ok=True)
        info = self.own / "info"
        info.write_text(f"[Application]\nname={self.app}\n")
        words = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
        for name in ("usr", "etc"):
            words += ["--ro-bind", str(self.runtime.folder / name), f"/{name}"]
        for name in _LINKS:
            words += ["--symlink", f"usr/{name}", f"/{name}"]
        words += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/run"]
        words += ["--bind", str(self.home), str(self.home)]
        words += ["--bind", str(self.own), _OWN]  # the path of a socket must be short
        words += ["--ro-bind", str(CHECKOUT), CHECKOUT_INSIDE]
        words += ["--ro-bind", str(info), "/.flatpak-info"]
        if self.opt is not None:
            words += ["--ro-bind", str(self.opt), "/opt"]
        environ = {
            "HOME": str(self.home),
            "PATH": "/app/bin:/usr/bin",
            "LANG": "C.UTF-8",
            "FLATPAK_ID": self.app,
            "XDG_DATA_HOME": str(self.own / "data"),
            "XDG_CONFIG_HOME": str(self.own / "config"),
            "XDG_CACHE_HOME": str(self.own / "cache"),
            "XDG_STATE_HOME": str(self.own / ".local/state"),
            "XDG_RUNTIME_DIR": "/tmp",
            "NO_AT_BRIDGE": "1",
        }
        return Sandbox(tuple(words), {**environ, **more})

    @contextmanager
    def krita(self, photo: str) -> Iterator[ScriptLine]:
        """Krita with a photo on a screen that nobody sees; killed at the end.

        Its resources have `krita_test_hook`, switched on.
        """
        line, log = ScriptLine(self.own / _LINE), self.own / "krita.log"
        sandbox = self.sandbox(HOST_SUPPORT=_SUPPORT, HOST_LINE=f"{_OWN}/{_LINE}")
        # To be killed with all that it has started, the sandbox must end with its first process.
        words = [
            *sandbox.words,
            "--die-with-parent",
            "xvfb-run",
            "-a",
            "krita",
            "--nosplash",
            photo,
        ]
        with log.open("wb") as output:
            process = subprocess.Popen(
                words,
                env=dict(sandbox.environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_for(lambda: line.is_open or process.poll() is not None, _PATIENCE_S)
            wait_for(lambda: line.do(_HOW_MANY) == 1, _PATIENCE_S)
            yield line
        except (AssertionError, OSError) as error:
            error.add_note(log.read_text(errors="replace"))
            raise
        finally:
            process.kill()
            process.wait()

    def gimp(self, script: str, **given: Any) -> Any:
        """Run a script in GIMP's Python without a window, as `host_gimp.Gimp.console` does."""
        with TemporaryDirectory(dir=self.own) as folder:
            job = Path(folder, "job.json")
            job.write_text(json.dumps({"script": script, "given": given}))
            path = f"{_SUPPORT}/host_inside/gimp_console.py"
            code = f"exec(compile(open({path!r}).read(), {path!r}, 'exec'))"
            done = self.sandbox(HOST_SUPPORT=_SUPPORT, HOST_JOB=str(job)).run(
                *("gimp-console", "--no-interface", "--no-data", "--no-fonts"),
                *("--batch-interpreter=python-fu-eval", "--batch", code, "--quit"),
            )
            return _answer(job, done)


def _answer(job: Path, done: "subprocess.CompletedProcess[str]") -> Any:
    said = job.with_name(f"{job.name}.said")
    heard: Mapping[str, Any] = json.loads(said.read_text()) if said.exists() else {}
    if "answer" not in heard:
        raise HostFailed(f"{heard.get('error', 'no answer')}\n{done.stdout}{done.stderr}")
    return heard["answer"]
