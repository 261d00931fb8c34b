"""Requests to the engine and its replies, over connections that have proven themselves.

Nothing here trusts the other side: it shows nobody the token who has not proven to know it, caps
replies, follows no redirects and knows no proxies.
"""

from __future__ import annotations

import hmac
import http.client
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import TypeVar

from maskwright_client.cancel import CancelSwitch
from maskwright_client.codec import WireError, dumps, loads
from maskwright_client.loopback import LoopbackConnection, Patience
from maskwright_client.meaning import refusal, stranger, translated
from maskwright_client.protocol import (
    JSON_TYPE,
    LINES_TYPE,
    MAX_REPLY_JSON_BYTES,
    NONCE_BYTES,
    Failure,
    Fault,
    Pong,
    ping_proof,
)

T = TypeVar("T")

# Small enough that a cancel is noticed between two of them.
_SLICE = 1 << 20


@dataclass(frozen=True)
class Address:
    """Where an engine listens, and what proves it and us."""

    port: int
    token: str = field(repr=False)


@dataclass(frozen=True)
class Body:
    """What goes along with a request: JSON or the start of a frame, then samples as they are."""

    type: str
    head: bytes
    samples: memoryview = field(default_factory=lambda: memoryview(b""))
    more: memoryview = field(default_factory=lambda: memoryview(b""))

    @property
    def length(self) -> int:
        """All of it, in bytes."""
        return len(self.head) + len(self.samples) + len(self.more)


def json_body(record: object) -> Body:
    """A record as a request's body."""
    return Body(JSON_TYPE, dumps(record))


class Line:
    """A connection to the engine for one thread; it opens, and is proven, with the first request.

    Several requests may follow each other. What goes wrong is raised as an error of the tree.
    """

    def __init__(self, address: Address, cancel: CancelSwitch, patience: Patience) -> None:
        self._address = address
        self._cancel = cancel
        self._connection = LoopbackConnection(address.port, cancel, patience)

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.release()

    def prove(self) -> None:
        """Connect, and have the other side prove that it is the engine; done by `ask` otherwise.

        Raises EngineGone with the code `stranger` if it is something else.
        """
        with translated(self._cancel):
            self._prove()

    def ask(self, method: str, path: str, body: Body | None = None) -> http.client.HTTPResponse:
        """Send a request and wait for the start of its reply; a refusal is raised."""
        with translated(self._cancel):
            self._cancel.check()
            if self._connection.sock is None:
                self._prove()
            headers = {"Authorization": f"Bearer {self._address.token}"}
            if body is not None:
                headers["Content-Type"] = body.type
                headers["Content-Length"] = str(body.length)
            self._send_head(method, path, headers)
            whole = body is None or self._send_body(body)
            reply = self._connection.getresponse()
            if reply.status // 100 != 2 or not whole:
                raise refusal(reply.status, _fault(reply), reply.headers.get("Retry-After", ""))
            return reply

    def record(self, kind: type[T], method: str, path: str, body: Body | None = None) -> T:
        """Ask for a record."""
        reply = self.ask(method, path, body)
        with translated(self._cancel):
            return loads(kind, _json(reply))

    def lines(self, kind: type[T], method: str, path: str) -> Iterator[T]:
        """Ask for records that come as lines; ends where the engine ends them."""
        reply = self.ask(method, path)
        with translated(self._cancel):
            if reply.headers.get_content_type() != LINES_TYPE:
                raise WireError("the reply must be lines")
            rest = b""
            while chunk := reply.read1(_SLICE):
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    self._cancel.check()  # which may have come while the caller had the last one
                    yield loads(kind, line)
                if len(rest) > MAX_REPLY_JSON_BYTES:
                    raise WireError("a line is too long")
            self._cancel.check()  # which looks like the end of the lines

    def done(self, method: str, path: str, body: Body | None = None) -> None:
        """Ask for something that brings no result."""
        reply = self.ask(method, path, body)
        with translated(self._cancel):
            reply.read(MAX_REPLY_JSON_BYTES)

    def _prove(self) -> None:
        """Connect, and have the other side prove that it knows the token, which it is not shown.

        A runtime file may be older than the engine that it speaks of, and an engine may have left
        since it was found; its port may be somebody else's by now.
        """
        self._connection.connect()
        nonce = secrets.token_hex(NONCE_BYTES)
        self._send_head("GET", f"/v1/ping?nonce={nonce}", {})
        try:
            reply = self._connection.getresponse()
            if reply.status == 503:
                raise refusal(503, None, reply.headers.get("Retry-After", ""))
            given = loads(Pong, _json(reply)).proof if reply.status == 200 else ""
        except (WireError, http.client.HTTPException) as error:
            if isinstance(error, OSError):
                raise
            raise stranger() from error
        expected = ping_proof(self._address.token, nonce, self._address.port)
        proven = hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("ascii"))
        # What has hung up would be connected to again, and not be the same any more.
        if not proven or self._connection.sock is None:
            raise stranger()

    def _send_head(self, method: str, path: str, headers: dict[str, str]) -> None:
        self._connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            self._connection.putheader(name, value)
        self._connection.endheaders()

    def _send_body(self, body: Body) -> bool:
        """Send it; False if the other side stopped listening, as one does that answers early."""
        try:
            self._connection.send(body.head)
            for samples in (body.samples, body.more):
                for start in range(0, len(samples), _SLICE):
                    self._cancel.check()
                    self._connection.send(samples[start : start + _SLICE])
        except ConnectionError:
            return False
        return True


def _fault(reply: http.client.HTTPResponse) -> Fault | None:
    try:
        return loads(Failure, _json(reply)).error
    except WireError:
        return None


def _json(reply: http.client.HTTPResponse) -> bytes:
    """The whole of a reply that is JSON and says how long it is."""
    length = reply.length
    if reply.headers.get_content_type() != JSON_TYPE or length is None or reply.chunked:
        raise WireError("the reply must be JSON of a given length")
    if length > MAX_REPLY_JSON_BYTES:
        raise WireError("the reply is too long")
    return reply.read()
