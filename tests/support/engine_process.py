"""A real engine in a process of its own, with a home of its own, and plain ways to talk to it."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leaks import leaks
from maskwright_client.codec import dumps, loads
from maskwright_client.places import Places, locate
from maskwright_client.protocol import HEAD_LENGTH_BYTES, RuntimeFile

LAUNCHER = Path(__file__).with_name("engine_launcher.py")
NAIVE = Path(__file__).with_name("naive_launcher.py")
PATIENCE_S = 20.0


def command(launcher: Path = LAUNCHER) -> list[str]:
    """What stands for the installed `maskwright` command."""
    return [sys.executable, "-I", "-W", "error", str(launcher)]


@dataclass(frozen=True)
class Reply:
    """What an engine answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class EngineProcess:
    """A running engine; `places` are its home's."""

    def __init__(self, process: subprocess.Popen[bytes], places: Places) -> None:
        self.process = process
        self.places = places
        self.runtime = loads(RuntimeFile, places.runtime_file.read_bytes())
        self.port = int(self.runtime.url.rpartition(":")[2])

    @property
    def token(self) -> str:
        return self.runtime.token

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """A well-behaved request with the token; `headers` replace or add."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        given = {**self.bearer, **({"Content-Type": type} if type else {}), **(headers or {})}
        try:
            connection.request(method, path, body, given)
            reply = connection.getresponse()
            return Reply(reply.status, dict(_lower(reply.getheaders())), reply.read())
        finally:
            connection.close()

    def say(self, request: bytes, *, patience_s: float = PATIENCE_S) -> bytes:
        """Send bytes as they are and read until the engine closes or says nothing for long."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=patience_s) as line:
            heard = b""
            # It may answer and close before it has heard everything; what it said is there.
            with suppress(TimeoutError, ConnectionError):
                line.sendall(request)
            try:
                while chunk := line.recv(65536):
                    heard += chunk
            except (TimeoutError, ConnectionError):
                pass
            return heard

    def kill(self) -> None:
        """End it without a chance to clean up."""
        self.process.kill()
        self.process.wait()


def _lower(headers: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((name.lower(), value) for name, value in headers)


def frame(head: Any, samples: bytes = b"") -> bytes:
    """A head and samples as a body."""
    text = dumps(head)
    return len(text).to_bytes(HEAD_LENGTH_BYTES, "big") + text + samples


@contextmanager
def engine_in(
    home: Path,
    *options: str,
    launcher: Path = LAUNCHER,
    environ: Mapping[str, str] | None = None,
) -> Iterator[EngineProcess]:
    """Run an engine with its home there; it is stopped, and must stop, at the end."""
    places = locate(sys.platform, {}, home)
    theirs = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    given = {**theirs, "HOME": str(home), **(environ or {})}
    log, token = home / "engine-output.txt", "-" * 43
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command(launcher), "serve", *options], env=given, stdout=output, stderr=output
        )
        try:
            wait_for(lambda: places.runtime_file.exists() or process.poll() is not None)
            assert process.poll() is None, log.read_text()
            running = EngineProcess(process, places)
            token = running.token
            yield running
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise
            written = log.read_bytes() + (places.log.read_bytes() if places.log.exists() else b"")
            assert leaks(written, token) == []


def wait_for(condition: Any, patience_s: float = PATIENCE_S) -> None:
    """Wait until something holds, looking often."""
    give_up_at = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < give_up_at, "it did not come to that in time"
        time.sleep(0.01)
