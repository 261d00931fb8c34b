"""A server on the loopback that can do everything wrong that an engine, or a stranger, could do.

It proves itself and says hello as an engine does, unless `answers` has something else to do for a
request, by method and path. `heard` has every byte that it was sent.
"""

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from maskwright_client.codec import dumps
from maskwright_client.places import Places
from maskwright_client.protocol import (
    ALPHA_TYPE,
    HEAD_LENGTH_BYTES,
    JSON_TYPE,
    LINES_TYPE,
    PIXELS_TYPE,
    Hello,
    MatteCreated,
    Pong,
    RuntimeFile,
    ping_proof,
)
from maskwright_client.runtime import Trace
from maskwright_client.transport import Address

TOKEN = "the-token-of-a-test_0123456789abcdefghij"  # noqa: S105
INSTANCE = "instance-of-a-test"
PATIENCE_S = 10.0


@dataclass
class Talk:
    """One request as it comes in, and the way back."""

    server: "HostileEngine"
    sock: socket.socket
    method: str
    path: str
    query: str
    headers: dict[str, str]
    rest: bytearray
    _body: bytes | None = field(default=None, init=False)

    def body(self) -> bytes:
        """Read all of it, once."""
        if self._body is not None:
            return self._body
        wanted = int(self.headers.get("content-length", "0"))
        while len(self.rest) < wanted and (more := self.server.receive(self.sock)):
            self.rest += more
        self._body = bytes(self.rest[:wanted])
        del self.rest[:wanted]
        return self._body

    def say(self, text: bytes) -> None:
        self.sock.sendall(text)

    def head(self, status: int, **headers: object) -> None:
        lines = [f"HTTP/1.1 {status} Whatever"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.say("\r\n".join([*lines, "", ""]).encode())

    def reply(self, status: int, body: bytes, type: str, **headers: object) -> None:
        self.head(status, **{"Content_Type": type, "Content_Length": len(body), **headers})
        self.say(body)

    def stall(self) -> None:
        """Say nothing more until the test is over."""
        self.server.over.wait(PATIENCE_S)


Answer = Callable[[Talk], None]


class HostileEngine:
    """Listens from the start; an answer that raises HangUp ends the connection."""

    def __init__(self, backlog: int = 16) -> None:
        self.answers: dict[str, Answer] = {}
        self.heard = bytearray()
        self.requests: list[str] = []
        self.over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._lines: list[socket.socket] = []
        self._run(self._accept)

    @property
    def address(self) -> Address:
        return Address(self.port, TOKEN)

    @property
    def trace(self) -> Trace:
        return Trace(self.port, TOKEN, INSTANCE, 1, 1)

    @property
    def was_shown(self) -> bool:
        """Whether it ever saw the token."""
        return TOKEN.encode() in self.heard

    def leave_file(self, places: Places, **changes: Any) -> None:
        """Write the runtime file as an engine does."""
        given = {
            "schema": 1,
            "protocol_min": 1,
            "protocol_max": 1,
            "engine_version": "9.9",
            "url": f"http://127.0.0.1:{self.port}",
            "token": TOKEN,
            "pid": os.getpid(),
            "started_at": 1.0,
            "instance_id": INSTANCE,
            **changes,
        }
        places.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        places.runtime_file.write_bytes(dumps(RuntimeFile(**given)))
        places.runtime_file.chmod(0o600)

    def receive(self, sock: socket.socket) -> bytes:
        with contextlib.suppress(OSError):
            chunk = sock.recv(1 << 16)
            if len(self.heard) < 1 << 20:  # pixels are not kept beyond that
                self.heard += chunk
            return chunk
        return b""

    def close(self) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_S)
        self._listener.close()

    def _run(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self.over.is_set():
                sock, _ = self._listener.accept()
                self._lines.append(sock)
                self._run(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        rest = bytearray()
        with sock, contextlib.suppress(HangUp, OSError):
            while talk := self._next(sock, rest):
                self.requests.append(f"{talk.method} {talk.path}")
                self._answer(talk)
                talk.body()
                rest = talk.rest

    def _next(self, sock: socket.socket, rest: bytearray) -> Talk | None:
        while b"\r\n\r\n" not in rest:
            more = self.receive(sock)
            if not more:
                return None
            rest += more
        head, _, after = bytes(rest).partition(b"\r\n\r\n")
        first, *others = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {
            name.lower(): value.strip() for name, _, value in (o.partition(":") for o in others)
        }
        parts = urlsplit(target)
        return Talk(self, sock, method, parts.path, parts.query, headers, bytearray(after))

    def _answer(self, talk: Talk) -> None:
        answer = self.answers.get(f"{talk.method} {talk.path}")
        if answer is not None:
            answer(talk)
        elif talk.path == "/v1/ping":
            proves(talk)
        elif talk.path == "/v1/hello":
            says(Hello(1, 1, "9.9", INSTANCE))(talk)
        elif talk.method == "DELETE":
            talk.head(204)
        else:
            talk.body()
            talk.reply(404, b'{"error":{"code":"not-found","message":"Nothing."}}', JSON_TYPE)


class HangUp(Exception):
    """Raised by an answer to end the connection."""


def proves(talk: Talk) -> None:
    """Answer a ping as only the engine can."""
    (nonce,) = parse_qs(talk.query)["nonce"]
    says(Pong(ping_proof(TOKEN, nonce, talk.server.port)))(talk)


def says(record: object, status: int = 200, **headers: object) -> Answer:
    """Read the request and answer with a record."""

    def answer(talk: Talk) -> None:
        talk.body()
        talk.reply(status, dumps(record), JSON_TYPE, **headers)

    return answer


def raw(text: bytes) -> Answer:
    """Read the request, send just that, and hang up."""

    def answer(talk: Talk) -> None:
        talk.body()
        talk.say(text)
        raise HangUp

    return answer


def stalls(talk: Talk) -> None:
    """Read the request and never answer."""
    talk.body()
    talk.stall()
    raise HangUp


def resets(talk: Talk) -> None:
    """End the connection as a killed process does that has not read everything."""
    talk.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise HangUp


def drips(text: bytes, pause_s: float = 0.05) -> Answer:
    """Send a byte now and then, again and again."""

    def answer(talk: Talk) -> None:
        talk.body()
        while not talk.server.over.wait(pause_s):
            talk.say(text)

    return answer


def lines(*records: object, then: Answer | None = None, end: bool = True) -> Answer:
    """Stream records as an engine does; then do something, or end properly."""

    def answer(talk: Talk) -> None:
        talk.body()
        talk.head(200, Content_Type=LINES_TYPE, Transfer_Encoding="chunked")
        for record in records:
            line = record if isinstance(record, bytes) else dumps(record) + b"\n"
            talk.say(b"%x\r\n%s\r\n" % (len(line), line))
        if then is not None:
            then(talk)
        if end:
            talk.say(b"0\r\n\r\n")
        else:
            raise HangUp

    return answer


def alpha(
    head: object,
    samples: bytes,
    *,
    head_bytes: int | None = None,
    then: Answer | None = None,
    **headers: Any,
) -> Answer:
    """A frame of alpha, with lies in it if wanted; then do something, and hang up."""

    def answer(talk: Talk) -> None:
        talk.body()
        text = dumps(head)
        length = (len(text) if head_bytes is None else head_bytes).to_bytes(
            HEAD_LENGTH_BYTES, "big"
        )
        body = length + text + samples
        talk.head(200, **{"Content_Type": ALPHA_TYPE, "Content_Length": len(body), **headers})
        talk.say(body)
        if then is not None:
            then(talk)
        raise HangUp

    return answer


def pixels(head: object, samples: bytes, **headers: Any) -> Answer:
    """The same of a layer's pixels."""
    return alpha(head, samples, **{"Content_Type": PIXELS_TYPE, **headers})


def creates(matte_id: str = "m1") -> Answer:
    """Take a photo."""
    return says(MatteCreated(matte_id), 202)


@contextlib.contextmanager
def hostile_engine(backlog: int = 16) -> Iterator[HostileEngine]:
    """Run one for a test."""
    server = HostileEngine(backlog)
    try:
        yield server
    finally:
        server.close()
