"""A real Krita for a test: scripts in its Python without a window, or its window on a screen."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from host_display import Display, display_in
from host_job import LOG, SUPPORT_INSIDE, run_job
from host_root import NOTHING, Running
from host_script_line import ScriptLine
from host_stay import FILES_INSIDE, Stay, move_in

HOOK = "krita_test_hook"
_HOST_INSIDE = Path(__file__).with_name("host_inside")
_NO_PLUG_INS: Mapping[str, Path] = MappingProxyType({})
_LINE = "krita.line"
_WINDOW = """
window = Krita.instance().activeWindow()
if window and window.qwindow().isVisible() and len(Krita.instance().documents()) >= given["photos"]:
    answer(int(window.qwindow().winId()))
"""
_QUIT = "Krita.instance().action('file_quit').trigger()"
_SLOW_START_S = 400.0


class KritaWindow:
    """A Krita that shows itself."""

    def __init__(self, display: Display, program: Running, line: ScriptLine) -> None:
        self.display = display
        self.program = program
        self._line = line

    def do(self, script: str, **given: Any) -> Any:
        """Run a script on its main thread while the window is open; see `ScriptLine.do`.

        It finds Krita, InfoObject, Selection, QtCore, QtGui and QtWidgets.
        """
        return self._line.do(script, **given)

    def wait_for_photos(self, number: int, patience_s: float) -> None:
        """Wait until so many are open, and all is drawn on the whole screen."""
        self.program.wait_until(lambda: self._line.is_open, patience_s)
        self.program.wait_until(lambda: self.do(_WINDOW, photos=number), patience_s)
        self.display.fill(self.do(_WINDOW, photos=number))

    def quit(self) -> int:
        """Have Krita end as by its menu; its exit code."""
        self.do(_QUIT)
        return self.program.wait(60)


class Krita:
    """Krita in a stay, with resources that have been through their first start."""

    def __init__(self, stay: Stay) -> None:
        self.stay = stay

    @property
    def resources(self) -> Path:
        """The user's folder for Krita."""
        return self.stay.home / ".local" / "share" / "krita"

    @property
    def said(self) -> str:
        """What the last script without a window, and Krita around it, have printed."""
        return (self.stay.folder / LOG).read_text()

    def install(self, plug_ins: Mapping[str, Path]) -> None:
        """Copy plug-ins and enable them.

        NAME stands for `NAME.desktop`, `NAME` and perhaps `NAME.action` in the folder given.
        """
        for name, folder in plug_ins.items():
            target = self.resources / "pykrita"
            shutil.rmtree(target / name, ignore_errors=True)
            shutil.copytree(folder / name, target / name)
            shutil.copy(folder / f"{name}.desktop", target)
            if (folder / f"{name}.action").exists():
                (self.resources / "actions").mkdir(exist_ok=True)
                shutil.copy(folder / f"{name}.action", self.resources / "actions")
            self._enable(name)

    def runner(
        self,
        script: str,
        *,
        env: Mapping[str, str] = NOTHING,
        timeout: float = 100.0,
        **given: Any,
    ) -> Any:
        """Run a script without a display; what it calls `answer` with, as JSON has it.

        It finds the names that `KritaWindow.do` has and, as `given`, what was given; there is no
        window, and no plug-in. Raises HostFailed with everything that Krita printed.
        """

        def run(job: str) -> subprocess.CompletedProcess[bytes]:
            script = ("--script", "host_inside.krita_runner", "--function", "__main__")
            return self.stay.run(
                *("kritarunner", *script, job),
                env={**env, "PYTHONPATH": SUPPORT_INSIDE, "QT_QPA_PLATFORM": "offscreen"},
                timeout=timeout,
            )

        return run_job(self.stay, script, given, run)

    @contextlib.contextmanager
    def gui(
        self,
        *photos: Path,
        plug_ins: Mapping[str, Path] = _NO_PLUG_INS,
        env: Mapping[str, str] = NOTHING,
        timeout: float = 100.0,
    ) -> Iterator[KritaWindow]:
        """Krita on a screen of its own, as soon as the photos are open; killed at the end."""
        self.install({HOOK: _HOST_INSIDE, **plug_ins})
        line = self.stay.files / _LINE
        line.unlink(missing_ok=True)
        with display_in(self.stay) as display:
            command = ("krita", "--nosplash", *map(self.stay.bring, photos))
            given = {**env, **display.environ}
            given |= {"HOST_SUPPORT": SUPPORT_INSIDE, "HOST_LINE": f"{FILES_INSIDE}/{_LINE}"}
            with self.stay.start(*command, name="krita", env=given) as program:
                window = KritaWindow(display, program, ScriptLine(line))
                window.wait_for_photos(len(photos), timeout)
                yield window

    def move_out(self) -> None:
        """Delete the resources: the copies of many tests would fill a disk."""
        for name in ("krita", "kritarunner"):
            shutil.rmtree(self.stay.home / ".local" / "share" / name)

    def _enable(self, plug_in: str) -> None:
        """Krita leaves a new plug-in alone until the user wants it."""
        settings = self.stay.home / ".config" / "kritarc"
        text = settings.read_text() if settings.exists() else ""
        wanted = f"enable_{plug_in}=true"
        if wanted in text.splitlines():
            return
        if "[python]\n" not in text:
            text += "\n[python]\n"
        settings.parent.mkdir(exist_ok=True)
        settings.write_text(text.replace("[python]\n", f"[python]\n{wanted}\n"))


def krita_in(stay: Stay) -> Krita:
    """Krita, ready to start quickly; minutes for the first one in a root."""
    move_in(stay, "krita", _settle)
    return Krita(stay)


def _settle(stay: Stay) -> None:
    """Have both programs fill their resource databases; each has one of its own."""
    krita = Krita(stay)
    krita.runner("", timeout=_SLOW_START_S)
    with krita.gui(timeout=_SLOW_START_S) as window:
        window.quit()
