"""Nothing leaves this machine, in no test and in no engine; and whatever tries is seen."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import engine_process
import pytest
from engine_process import LAUNCHER, engine_in, frame, wait_for
from loopback_only import LeftTheMachine
from maskwright_client.protocol import (
    JSON_TYPE,
    PIXELS_TYPE,
    AlphaRequest,
    ColoursRequest,
    MatteRequest,
)
from proc_files import descendants
from subject_photos import ball
from traced import STRACE, destinations, traced

SUPPORT = Path(__file__).parents[2] / "support"
# Set aside for documents: nobody has it. UDP, as a connection of it sends nothing by itself.
FAR = "198.51.100.1"

CHECKOUT = Path(__file__).resolve().parents[3]
UNGUARDED = f"""
import sys
sys.path[:0] = {[str(CHECKOUT / name) for name in ("engine", "plugin/shared")]}
if __name__ == "__main__":
    from maskwright.cli import main
    main()
"""
UNDER_GUARD = """
import runpy, socket, sys
if len(sys.argv) > 2:
    runpy.run_path(sys.argv[2], run_name="launched")
{attempt}
print("went out")
"""
ATTEMPTS = {
    "a connection": "socket.create_connection((sys.argv[1], 9), 0.1)",
    "a datagram's": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect((sys.argv[1], 9))",
    "a name": "socket.getaddrinfo(sys.argv[1], 9)",
    "a message": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', (sys.argv[1], 9))",
    "an open door": "socket.socket().bind(('0.0.0.0', 0))",
    "IPv6": "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).connect(('2001:db8::1', 9))",
    "within a try": (
        "try:\n    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect((sys.argv[1], 9))\n"
        "except Exception: pass"
    ),
}


def run(attempt: str, *launcher: str) -> subprocess.CompletedProcess[str]:
    code = UNDER_GUARD.format(attempt=attempt)
    command = [sys.executable, "-I", "-c", code, FAR, *launcher]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_an_engine_of_the_tests_dies_when_it_reaches_out(attempt: str):
    done = run(attempt, str(LAUNCHER))
    assert done.returncode == 1
    assert "LeftTheMachine" in done.stderr
    assert "went out" not in done.stdout


def test_without_the_guard_it_would_not():
    assert run(ATTEMPTS["a datagram's"]).stdout == "went out\n"


def test_this_very_process_is_guarded():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, pytest.raises(LeftTheMachine):
        one.connect((FAR, 9))


@pytest.mark.parametrize("name", ["naive_launcher.py", "bent_launcher.py"])
def test_every_other_launcher_has_the_guard_too(name: str):
    done = run(ATTEMPTS["a datagram's"], str(SUPPORT / name))
    assert "LeftTheMachine" in done.stderr


def _strace_works() -> bool:
    if STRACE is None:
        return False
    done = subprocess.run([STRACE, "-qq", "-e", "trace=none", "true"], capture_output=True)
    return done.returncode == 0


needs_strace = pytest.mark.skipif(not _strace_works(), reason="strace is missing or not allowed")


@needs_strace
def test_the_record_has_what_goes_out(tmp_path: Path):
    record = tmp_path / "record"
    code = UNDER_GUARD.format(attempt=ATTEMPTS["a datagram's"] + "\n" + ATTEMPTS["IPv6"])
    python = [sys.executable, "-I", "-c", f"import os\nif os.fork(): os.wait()\n{code}", FAR]
    subprocess.run(traced(python, record), capture_output=True, timeout=60)
    wait_for(lambda: record.exists() and len(destinations(record)) == 2)
    assert destinations(record) == {("connect", FAR), ("connect", "2001:db8::1")}


@needs_strace
@pytest.mark.slow
def test_an_engine_that_works_names_no_other_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Without the guard, which would stop an attempt before the system sees it."""
    record = tmp_path / "record"
    launcher = tmp_path / "launcher.py"
    launcher.write_text(UNGUARDED)
    plain = engine_process.command
    monkeypatch.setattr(engine_process, "command", lambda one: traced(plain(one), record))
    home = tmp_path / "home"
    home.mkdir()
    with engine_in(home, launcher=launcher) as engine:
        pixels = ball(300, 200)
        request = frame(MatteRequest(300, 200, 3, 8, "u2netp", "test"), pixels.tobytes())
        created = engine.ask("POST", "/v1/mattes", request, PIXELS_TYPE)
        path = f"/v1/mattes/{json.loads(created.body)['id']}"
        assert b'"state":"done"' in engine.ask("GET", f"{path}/events").body
        assert engine.ask("POST", f"{path}/alpha", frame(AlphaRequest()), PIXELS_TYPE).status == 200
        engine.ask("GET", f"{path}/review")
        layer = frame(ColoursRequest(300, 200, 3, 8, "test"), pixels.tobytes() + bytes(60_000))
        assert engine.ask("POST", "/v1/colours", layer, PIXELS_TYPE).status == 200
        engine.ask("GET", "/v1/models")
        assert engine.ask("POST", "/v1/models/u2netp/download", b"{}", JSON_TYPE).status == 202
        assert b'"done"' in engine.ask("GET", "/v1/models/u2netp/download").body
        assert len(descendants(engine.process.pid)) >= 1
        engine.ask("POST", "/v1/free", b"{}", JSON_TYPE)
    text = record.read_text()
    assert "accept4(" in text  # it was looked at
    assert destinations(record) == {("bind", "127.0.0.1")}
