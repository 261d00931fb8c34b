"""An HTTP connection to this machine that can be woken from another thread and ends in time."""

from __future__ import annotations

import http.client
import socket
import sys
import time
from dataclasses import dataclass
from typing import Any

from maskwright_client.cancel import CancelSwitch

HOST = "127.0.0.1"

# An editor may have started its Python without signal handlers: there, writing to a connection that
# was just cancelled would end the editor (SIGPIPE). Linux is told with each write, macOS once.
_NO_SIGNAL = getattr(socket, "MSG_NOSIGNAL", 0)
_SO_NOSIGPIPE = 0x1022


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds: for a connection, for each byte, and for everything."""

    connect_s: float = 2.0
    read_s: float = 30.0
    whole_s: float | None = None


class LoopbackConnection(http.client.HTTPConnection):
    """As its base, with a switch and patience; `release` it when all is read."""

    def __init__(self, port: int, cancel: CancelSwitch, patience: Patience) -> None:
        super().__init__(HOST, port)
        self._cancel = cancel
        self._patience = patience
        self._ends_at = None if patience.whole_s is None else time.monotonic() + patience.whole_s
        self._sockets: list[socket.socket] = []
        self._replies: list[http.client.HTTPResponse] = []

    def connect(self) -> None:
        """Connect; Cancelled or OSError."""
        sock = _PatientSocket(self._patience.read_s, self._ends_at)
        self._sockets.append(sock)
        self._cancel.attach(sock)
        sock.settimeout(sock.left(self._patience.connect_s))
        sock.connect((self.host, self.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if sys.platform == "darwin":
            sock.setsockopt(socket.SOL_SOCKET, _SO_NOSIGPIPE, 1)
        self.sock = sock

    def send(self, data: Any) -> None:
        """Send all of a buffer."""
        if self.sock is None:
            self.connect()
        self.sock.sendall(data, _NO_SIGNAL)

    def getresponse(self) -> http.client.HTTPResponse:
        """Wait for the start of the reply."""
        reply = super().getresponse()
        self._replies.append(reply)
        return reply

    def release(self) -> None:
        """Close everything; the base forgets a reply's socket when it is the connection's last."""
        for sock in self._sockets:
            self._cancel.detach(sock)
        self.close()
        for reply in self._replies:
            reply.close()
        for sock in self._sockets:
            sock.close()


class _PatientSocket(socket.socket):
    """A socket that waits `read_s` for each byte, and for none once its time is over."""

    def __init__(self, read_s: float, ends_at: float | None) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self._read_s = read_s
        self._ends_at = ends_at

    def left(self, seconds: float) -> float:
        """At most so many seconds, less if the end is nearer; TimeoutError when there are none."""
        if self._ends_at is None:
            return seconds
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time is over")
        return min(seconds, left)

    def recv_into(self, *arguments: Any) -> int:
        """Receive what is there."""
        self.settimeout(self.left(self._read_s))
        return super().recv_into(*arguments)

    def sendall(self, *arguments: Any) -> None:
        """Send everything."""
        self.settimeout(self.left(self._read_s))
        super().sendall(*arguments)
