"""The listening end: loopback only, HTTP/1.1 by h11, slow and surplus connections closed."""

import asyncio
import ipaddress
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import h11
import uvicorn
from maskwright_client.codec import dumps
from maskwright_client.protocol import BUSY, JSON_TYPE, Failure, Fault
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from maskwright.service.gate import FIXED_HEADERS
from maskwright.service.limits import CONNECTIONS, HEADER_BYTES, RETRY_AFTER_S, SILENCE_S

LOOPBACK: Final = "127.0.0.1"

_KEEP_ALIVE_S: Final = 30
_LAST_ANSWERS_S: Final = 5


def listen(host: str = LOOPBACK, port: int = 0) -> socket.socket:
    """A socket that listens on this machine only; connections wait in it until it is served.

    Raises ValueError for an address that others can reach: there is no option for that.
    """
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError("the engine listens on loopback addresses only")
    # Named, as asyncio turns Nagle's algorithm off (40 ms for each answer) only where it reads TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform == "win32":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    listener.bind((host, port))
    listener.listen(CONNECTIONS)
    listener.setblocking(False)
    return listener


class Server(uvicorn.Server):
    """Serves an application on a socket of ours; signals are told to `on_signal`."""

    def __init__(self, app: ASGIApp, on_signal: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,  # else a header could say that a request comes from loopback
            h11_max_incomplete_event_size=HEADER_BYTES,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_LAST_ANSWERS_S,
        )
        super().__init__(config)
        self._on_signal = on_signal

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called for SIGINT and SIGTERM."""
        self._on_signal()


def _last_word(status: bytes, fault: Fault, *headers: bytes) -> bytes:
    """What a connection hears before it is closed, whether or not it has asked for anything."""
    body = dumps(Failure(fault))
    lines = [
        b"HTTP/1.1 %s" % status,
        *(b"%s: %s" % header for header in FIXED_HEADERS),
        b"content-type: %s" % JSON_TYPE.encode(),
        b"content-length: %d" % len(body),
        b"connection: close",
        *headers,
    ]
    return b"\r\n".join([*lines, b"", body])


_TOO_MANY: Final = _last_word(
    b"503 Service Unavailable",
    Fault(BUSY, "The engine has too much to do right now."),
    b"retry-after: %d" % RETRY_AFTER_S,
)
_NO_HTTP: Final = _last_word(b"400 Bad Request", Fault("bad-request", "This is no HTTP request."))


class _Protocol(H11Protocol):
    """h11, with what uvicorn leaves open: a request has to begin, and its head to end, in time.

    When there are too many connections, the one leaves that has asked for nothing for longest: so
    programs that connect and say nothing cannot keep an editor out.
    """

    _deadline: asyncio.TimerHandle | None = None
    _asked_at = 0.0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._asked_at = self.loop.time()
        self._expect()
        self._make_room()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # Only a head that is not complete is the business of this class; bodies have their own.
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._expect()
        else:
            self._asked_at = self.loop.time()
            self._relax()

    def connection_lost(self, exc: Exception | None) -> None:
        self._relax()
        super().connection_lost(exc)
        # Not done there for one that was reset, of which everything would stay for half a minute.
        self._unset_keepalive_if_required()

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _make_room(self) -> None:
        present = [
            other
            for other in self.connections
            if isinstance(other, _Protocol) and not other.transport.is_closing()
        ]
        if len(present) > CONNECTIONS:
            idle = [other for other in present if not other._is_answering]
            min(idle, key=lambda other: other._asked_at)._turn_away()

    def _turn_away(self) -> None:
        self.transport.write(_TOO_MANY)
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        # As every other answer, and without h11's word on what is wrong.
        self.transport.write(_NO_HTTP)
        self.transport.close()

    def _expect(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(SILENCE_S, self._give_up)

    def _relax(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()
