"""A real GIMP for a test: scripts in its Python without a window, or its window on a screen."""

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

_NO_PLUG_INS: Mapping[str, Path] = MappingProxyType({})
_LINE = "gimp.line"
_TITLE = "GIMP$|^GNU Image Manipulation Program$"
_HOW_MANY = "answer(len(Gimp.get_images()))"
_QUIET_START = """\
(show-welcome-dialog no)
(check-updates no)
(color-profile-policy keep)
(metadata-rotation-policy rotate)
"""
_SLOW_START_S = 300.0


class GimpWindow:
    """A GIMP that shows itself."""

    def __init__(self, display: Display, program: Running, line: ScriptLine) -> None:
        self.display = display
        self.program = program
        self._line = line

    def wait_for_photos(self, number: int, patience_s: float) -> None:
        """Wait until so many are open, and all is drawn on the whole screen."""
        self.program.wait_until(lambda: self._line.is_open, patience_s)
        self.program.wait_until(lambda: self.do(_HOW_MANY) >= number, patience_s)
        self.display.fill(self.display.wait_for_window(_TITLE, self.program))

    def do(self, script: str, **given: Any) -> Any:
        """Run a script in its Python while the window is open; see `ScriptLine.do`."""
        return self._line.do(script, **given)


class Gimp:
    """GIMP in a stay, with a profile of its own that has been through its first start."""

    def __init__(self, stay: Stay) -> None:
        self.stay = stay

    @property
    def profile(self) -> Path:
        """The user's folder for GIMP, as a version names it."""
        (found,) = (self.stay.home / ".config" / "GIMP").iterdir()
        return found

    @property
    def said(self) -> str:
        """What the last script without a window, and GIMP around it, have printed."""
        return (self.stay.folder / LOG).read_text()

    def install(self, plug_ins: Mapping[str, Path]) -> None:
        """Copy folders to `plug-ins` under the names given, in place of what was there."""
        for name, folder in plug_ins.items():
            target = self.profile / "plug-ins" / name
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(folder, target, symlinks=True)

    def console(
        self,
        script: str,
        *,
        plug_ins: Mapping[str, Path] = _NO_PLUG_INS,
        env: Mapping[str, str] = NOTHING,
        fonts: bool = False,
        timeout: float = 100.0,
        **given: Any,
    ) -> Any:
        """Run a script without a display; what it calls `answer` with, as JSON has it.

        It finds Gimp, Gegl, Gio, GLib, GObject and, as `given`, what was given. Raises HostFailed
        with everything that GIMP printed. Text layers need `fonts`, which take a second.
        """
        self.install(plug_ins)

        def run(job: str) -> subprocess.CompletedProcess[bytes]:
            fast = ("--no-data", *(() if fonts else ("--no-fonts",)))
            return self.stay.run(
                *("gimp-console", "--no-interface", *fast, *_batch("gimp_console.py"), "--quit"),
                env={**env, "HOST_SUPPORT": SUPPORT_INSIDE, "HOST_JOB": job},
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
    ) -> Iterator[GimpWindow]:
        """GIMP on a screen of its own, as soon as the photos are open; killed at the end."""
        self.install(plug_ins)
        line = self.stay.files / _LINE
        line.unlink(missing_ok=True)
        with display_in(self.stay) as display:
            command = ("gimp", *_batch("gimp_window.py"), *map(self.stay.bring, photos))
            given = {**env, **display.environ}
            given |= {"HOST_SUPPORT": SUPPORT_INSIDE, "HOST_LINE": f"{FILES_INSIDE}/{_LINE}"}
            with self.stay.start(*command, name="gimp", env=given) as program:
                window = GimpWindow(display, program, ScriptLine(line))
                window.wait_for_photos(len(photos), timeout)
                yield window


def gimp_in(stay: Stay) -> Gimp:
    """GIMP, ready to start quickly; half a minute for the first one in a root."""
    move_in(stay, "gimp", _settle)
    return Gimp(stay)


def _settle(stay: Stay) -> None:
    """Have GIMP look at its fonts, data and plug-ins, and then again with the settings for tests.

    It adds to those what it needs to know that next time nothing is new.
    """
    gimp = Gimp(stay)
    gimp.console("", fonts=True, timeout=_SLOW_START_S)
    (gimp.profile / "gimprc").write_text(_QUIET_START)
    gimp.console("", fonts=True, timeout=_SLOW_START_S)


def _batch(script: str) -> tuple[str, ...]:
    path = f"{SUPPORT_INSIDE}/host_inside/{script}"
    code = f"exec(compile(open({path!r}).read(), {path!r}, 'exec'))"
    return ("--batch-interpreter=python-fu-eval", "--batch", code)
