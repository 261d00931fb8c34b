"""Starting an engine that does not start, in all the ways there are; the processes are real."""

import contextlib
import json
import os
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from engine_process import wait_for
from hostile_engine import HostileEngine, says
from maskwright_client.cancel import CancelSwitch
from maskwright_client.errors import (
    Cancelled,
    ClientError,
    EngineAbsent,
    EngineBusy,
    EngineNotStarting,
    EngineRefused,
)
from maskwright_client.failed_starts import FailedStarts
from maskwright_client.places import Places
from maskwright_client.protocol import Failure, Fault, Pong
from maskwright_client.starting import Starter
from spawned import Spawned

Scripts = Callable[[str], list[str]]
Starters = Callable[..., Starter]


@pytest.fixture
def script(tmp_path: Path) -> Scripts:
    """A command that runs a Python script in the place of an engine."""

    def write(text: str) -> list[str]:
        path = tmp_path / "engine.py"
        path.write_text(text, encoding="utf-8")
        return [sys.executable, "-I", str(path)]

    return write


@pytest.fixture
def starter(places: Places, spawned: Spawned) -> Starters:
    """Makes a starter for a command."""

    def make(command: list[str], environ: Mapping[str, str] | None = None, **more: Any) -> Starter:
        return Starter(places, environ or {}, command=command, spawn=spawned, **more)

    return make


def fast_clock() -> Callable[[], float]:
    """A clock that a second passes on at every look."""
    ticks: Iterator[float] = iter(float(n) for n in range(1000))
    return lambda: next(ticks)


def start_error(one: Starter, waited: Callable[[float], None] = lambda s: None) -> ClientError:
    with pytest.raises(ClientError) as caught:
        one.start(waited, CancelSwitch())
    return caught.value


def test_an_engine_that_ends_at_once_is_reported_with_its_log(
    places: Places, script: Scripts, starter: Starters
):
    command = script("print('what went wrong', flush=True); raise SystemExit(7)")
    one = starter(command)
    start = time.monotonic()
    error = start_error(one)
    assert time.monotonic() - start < 5
    assert isinstance(error, EngineNotStarting)
    assert error.code == "engine-start-failed"
    assert "code 7" in error.message
    assert error.message.endswith(str(places.start_log))
    assert places.start_log.read_text(encoding="utf-8") == "what went wrong\n"
    assert stat.S_IMODE(places.start_log.stat().st_mode) == 0o600
    assert stat.S_IMODE(places.run.stat().st_mode) == 0o700


def test_the_log_is_of_the_last_start_only(places: Places, script: Scripts, starter: Starters):
    one = starter(script("print('once'); raise SystemExit(7)"))
    start_error(one)
    places.start_log.chmod(0o644)
    start_error(one)
    assert places.start_log.read_text(encoding="utf-8") == "once\n"
    assert stat.S_IMODE(places.start_log.stat().st_mode) == 0o600


def test_three_failures_in_a_minute_are_enough(
    places: Places, script: Scripts, starter: Starters, tmp_path: Path
):
    runs, now = tmp_path / "runs", [1000.0]
    command = script(f"open({str(runs)!r}, 'a').write('x'); raise SystemExit(1)")
    for _ in range(3):
        # Anew, as GIMP runs a plug-in in a new process each time.
        one = starter(command, now=lambda: now[0])
        assert start_error(one).code == "engine-start-failed"
        now[0] += 10
    error = start_error(one)
    assert isinstance(error, EngineNotStarting)
    assert error.code == "engine-keeps-failing"
    assert error.message.endswith(str(places.start_log))
    assert runs.read_text() == "xxx"
    now[0] += 31
    assert start_error(one).code == "engine-start-failed"
    assert runs.read_text() == "xxxx"


def test_an_engine_that_never_gets_ready_is_given_up(
    places: Places, script: Scripts, starter: Starters, spawned: Spawned
):
    seconds: list[float] = []
    command = script("import time; time.sleep(60)")
    one = starter(command, clock=fast_clock())
    error = start_error(one, seconds.append)
    assert isinstance(error, EngineNotStarting)
    assert error.code == "engine-not-ready"
    assert error.message.endswith(str(places.start_log))
    assert seconds == [float(n) for n in range(1, 21)]


def test_one_that_ends_well_makes_room_for_another(
    places: Places, script: Scripts, starter: Starters
):
    """It says that there is an engine already: that one is waited for."""
    one = starter(script(""), clock=fast_clock())
    assert start_error(one).code == "engine-not-ready"


def test_another_engine_that_appears_meanwhile_will_do(
    places: Places, script: Scripts, starter: Starters, hostile: HostileEngine
):
    def appear(seconds: float) -> None:
        if not places.runtime_file.exists():
            hostile.leave_file(places)

    places.run.mkdir(mode=0o700, parents=True)
    FailedStarts(places.failed_starts).add()
    assert places.failed_starts.exists()
    one = starter(script(""))
    assert one.start(appear, CancelSwitch()).address.port == hostile.port
    assert not places.failed_starts.exists()


def test_a_stranger_that_stays_is_reported(
    places: Places, script: Scripts, starter: Starters, hostile: HostileEngine
):
    hostile.answers["GET /v1/ping"] = says(Pong("0" * 64))
    hostile.leave_file(places)
    one = starter(script(""), clock=fast_clock())
    error = start_error(one)
    assert isinstance(error, EngineRefused)
    assert error.code == "stranger"
    assert str(places.runtime_file) in error.message
    assert not hostile.was_shown


def test_an_engine_that_stays_too_busy_is_busy(
    places: Places, script: Scripts, starter: Starters, hostile: HostileEngine
):
    hostile.answers["GET /v1/ping"] = says(Failure(Fault("engine-busy", "Busy.")), 503)
    hostile.leave_file(places)
    one = starter(script(""), clock=fast_clock())
    assert isinstance(start_error(one), EngineBusy)


def test_a_cancel_while_it_starts_is_felt_and_no_failure(
    places: Places, script: Scripts, starter: Starters, spawned: Spawned
):
    cancel, pressed = CancelSwitch(), []

    def press() -> None:
        pressed.append(time.monotonic())
        cancel.cancel()

    threading.Timer(0.2, press).start()
    one = starter(script("import time; time.sleep(60)"))
    with pytest.raises(Cancelled):
        one.start(lambda seconds: None, cancel)
    assert time.monotonic() - pressed[0] < 0.5
    assert not places.failed_starts.exists()
    assert spawned.processes[0].poll() is None  # it is left to itself
    zombie = Path(f"/proc/{spawned.processes[0].pid}")
    spawned.processes[0].kill()

    def reaped() -> bool:
        one.reap()
        return not zombie.exists()

    wait_for(reaped)


@contextlib.contextmanager
def another_input(folder: Path) -> Iterator[None]:
    """Give this process a standard input of its own, as an editor may have one."""
    (folder / "typed").touch()
    kept = os.dup(0)
    with (folder / "typed").open("rb") as typed:
        os.dup2(typed.fileno(), 0)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_what_the_engine_gets(places: Places, script: Scripts, starter: Starters, tmp_path: Path):
    seen = tmp_path / "seen.json"
    command = script(
        "import json, os, sys\n"
        "json.dump({'words': sys.argv[1:], 'environ': dict(os.environ), 'cwd': os.getcwd(),\n"
        "  'session': os.getsid(0), 'pid': os.getpid(), 'input': os.readlink('/proc/self/fd/0'),\n"
        "  'open': sorted(os.listdir('/proc/self/fd'))},\n"
        f"  open({str(seen)!r}, 'w'))\n"
        "raise SystemExit(1)\n"
    )
    environ = {
        "HOME": str(places.home),
        "PYTHONPATH": "/editor",
        "LD_LIBRARY_PATH": "/editor/lib",
        "HTTPS_PROXY": "http://proxy",
    }
    with (tmp_path / "picture").open("wb") as editors_own, another_input(tmp_path):
        os.set_inheritable(editors_own.fileno(), True)
        start_error(starter(command, environ))
    found: dict[str, Any] = json.loads(seen.read_text())
    assert found["words"] == ["serve", "--quiet"]
    assert found["environ"] | {"LC_CTYPE": ""} == {
        "HOME": str(places.home),
        "HTTPS_PROXY": "http://proxy",
        "LC_CTYPE": "",  # Python's own doing
    }
    assert found["cwd"] == str(Path(sys.executable).parent)
    assert found["session"] == found["pid"] != os.getsid(0)
    assert found["input"] == "/dev/null"
    assert found["open"] == ["0", "1", "2", "3"]  # the last is the one that it looks with


def broken_program(folder: Path, content: bytes) -> list[str]:
    path = folder / "maskwright"
    path.write_bytes(content)
    path.chmod(0o755)
    return [str(path)]


@pytest.mark.parametrize("content", [b"\x7fNOPE", b"#!/no/such/python\n"])
@pytest.mark.parametrize("sandboxed", [False, True])
def test_a_program_that_cannot_be_run(
    places: Places, starter: Starters, tmp_path: Path, content: bytes, sandboxed: bool
):
    if sandboxed:
        (tmp_path / ".flatpak-info").touch()
    command = broken_program(tmp_path, content)
    error = start_error(starter(command, root=tmp_path))
    if sandboxed:
        assert isinstance(error, EngineAbsent)
        assert "`maskwright serve`" in error.message
    else:
        assert isinstance(error, EngineNotStarting)
        assert error.code == "engine-start-failed"


def test_an_engine_that_fails_inside_a_sandbox_is_to_be_started_outside(
    places: Places, script: Scripts, starter: Starters
):
    environ = {"SNAP": "/snap/gimp/1"}
    one = starter(script("raise SystemExit(1)"), environ)
    error = start_error(one)
    assert isinstance(error, EngineAbsent)
    assert error.code == "cannot-start-here"


def test_a_log_that_is_a_link_is_not_written_through(
    places: Places, script: Scripts, starter: Starters, tmp_path: Path
):
    precious = tmp_path / "precious"
    precious.write_text("precious")
    places.run.mkdir(mode=0o700, parents=True)
    places.start_log.symlink_to(precious)
    error = start_error(starter(script("")))
    assert isinstance(error, EngineRefused)
    assert precious.read_text() == "precious"


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_run_folder_that_others_can_write_to_is_refused(
    places: Places, script: Scripts, starter: Starters, mode: int, tmp_path: Path
):
    ran = tmp_path / "ran"
    places.run.mkdir(parents=True)
    places.run.chmod(mode)
    error = start_error(starter(script(f"open({str(ran)!r}, 'w')")))
    assert isinstance(error, EngineRefused)
    assert "chmod go-w" in error.message
    assert not ran.exists()


def test_a_home_that_cannot_be_written_to_is_said(
    places: Places, script: Scripts, starter: Starters
):
    places.data.parent.mkdir(parents=True)
    places.data.write_text("no folder")
    error = start_error(starter(script("")))
    assert isinstance(error, EngineNotStarting)
    assert error.code == "no-run-folder"
