"""The gate: who may ask, before anything is read. First in the chain, for every request.

Any page in the user's browser can send requests to this port; none of them gets an answer. The
checks and the incidents behind each are in SECURITY.md. Their order matters: what a browser gives
away comes before the token, and nothing of a body is read before the last.
"""

import asyncio
import hmac
import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from maskwright_client.codec import dumps
from maskwright_client.protocol import BUSY, JSON_TYPE, Failure, Fault
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from maskwright.service.limits import HEADER_BYTES, REQUESTS_AT_ONCE, RETRY_AFTER_S
from maskwright.service.routes import PING, Rule

# Long enough to make guessing dull, short enough for a client with an old token.
WRONG_TOKEN_DELAY_S: Final = 0.1

# On every answer.
FIXED_HEADERS: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_SAID_BY_BROWSERS: Final = (b"origin", b"referer")


class Refusal(Exception):
    """An answer to something that the application never sees."""

    def __init__(self, status: int, code: str, message: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(message)
        self.status = status
        self.fault = Fault(code, message)
        self.headers = headers


@dataclass(slots=True)
class Traffic:
    """What goes on: requests that are being answered, when the last one ended, wrong tokens."""

    clock: Callable[[], float]
    inside: int = 0
    last_at: float = field(init=False)
    wrong_tokens: int = 0

    def __post_init__(self) -> None:
        self.last_at = self.clock()


class Gate:
    """ASGI middleware in front of `app`; `port` is the one that this engine listens on."""

    def __init__(
        self, app: ASGIApp, *, port: int, token: str, rules: Iterable[Rule], traffic: Traffic
    ) -> None:
        self._app = app
        self._hosts = {f"127.0.0.1:{port}".encode(), f"localhost:{port}".encode()}
        self._authorization = f"Bearer {token}".encode()
        self._rules = [(compile_path(rule.path)[0], rule) for rule in rules]
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            return

        async def send_fixed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *FIXED_HEADERS]
            await send(message)

        try:
            self._check(scope)
        except Refusal as refusal:
            if refusal.status == 401:
                self._traffic.wrong_tokens += 1
                await asyncio.sleep(WRONG_TOKEN_DELAY_S)
            await _answer(refusal, send_fixed)
            return
        self._traffic.inside += 1
        try:
            await self._app(scope, receive, send_fixed)
        finally:
            self._traffic.inside -= 1
            self._traffic.last_at = self._traffic.clock()

    def _check(self, scope: Scope) -> None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        _check_size(scope, headers)
        if not _is_loopback(scope["client"]):
            raise Refusal(403, "not-local", "Only programs on this machine are answered.")
        if _only(headers, b"host").lower() not in self._hosts:
            raise Refusal(421, "wrong-host", "This is not the host that was meant.")
        _refuse_browsers(headers)
        if scope["method"] == "OPTIONS":
            raise Refusal(405, "bad-method", "This method is not answered.")
        if scope["path"] != PING and not hmac.compare_digest(
            _only(headers, b"authorization"), self._authorization
        ):
            raise Refusal(401, "wrong-token", "The token is missing or wrong.")
        self._check_rule(scope, headers)
        # A ping costs nothing, and an engine that cannot prove itself looks like none.
        if scope["path"] != PING and self._traffic.inside >= REQUESTS_AT_ONCE:
            retry = (b"retry-after", str(RETRY_AFTER_S).encode())
            raise Refusal(503, BUSY, "The engine has too much to do right now.", retry)

    def _check_rule(self, scope: Scope, headers: list[tuple[bytes, bytes]]) -> None:
        fitting = [rule for pattern, rule in self._rules if pattern.fullmatch(scope["path"])]
        if not fitting:
            raise Refusal(404, "not-found", "There is nothing here.")
        rule = next((rule for rule in fitting if rule.method == scope["method"]), None)
        if rule is None:
            allowed = ", ".join(sorted(rule.method for rule in fitting)).encode()
            message = "This method is not answered."
            raise Refusal(405, "bad-method", message, (b"allow", allowed))
        _check_body(rule, headers)


def _check_size(scope: Scope, headers: list[tuple[bytes, bytes]]) -> None:
    """Refuse a long head, as h11's own limit is only for heads that come in more than one piece."""
    size = len(scope["raw_path"]) + len(scope["query_string"])
    if size + sum(len(key) + len(value) + 4 for key, value in headers) > HEADER_BYTES:
        raise Refusal(431, "too-large", "The head of the request is too long.")


def _is_loopback(client: tuple[str, int] | None) -> bool:
    return client is not None and ipaddress.ip_address(client[0]).is_loopback


def _only(headers: list[tuple[bytes, bytes]], name: bytes) -> bytes:
    """The header's value; empty if it is missing or there twice."""
    values = [value for key, value in headers if key == name]
    return values[0] if len(values) == 1 else b""


def _refuse_browsers(headers: list[tuple[bytes, bytes]]) -> None:
    """Our clients are no browsers: whatever a browser adds by itself gives it away."""
    for key, value in headers:
        if key in _SAID_BY_BROWSERS or (key == b"sec-fetch-site" and value != b"none"):
            raise Refusal(403, "from-a-page", "Pages in a browser are not answered.")


def _check_body(rule: Rule, headers: list[tuple[bytes, bytes]]) -> None:
    names = [key for key, _ in headers]
    if b"transfer-encoding" in names:
        raise Refusal(411, "no-length", "A body needs its exact Content-Length.")
    if rule.body is None:
        if _only(headers, b"content-length") not in (b"", b"0"):
            raise Refusal(400, "bad-request", "This takes no body.")
        return
    length = _only(headers, b"content-length")
    if not length.isdigit():
        raise Refusal(411, "no-length", "A body needs its exact Content-Length.")
    if _only(headers, b"content-type") != rule.body.encode():
        raise Refusal(415, "wrong-type", f"The body must be of the type {rule.body}.")
    if int(length[:20]) > rule.most:
        raise Refusal(413, "too-large", f"The body has at most {rule.most} bytes.")


async def _answer(refusal: Refusal, send: Send) -> None:
    body = dumps(Failure(refusal.fault))
    # A body that nobody will read must not become the next request.
    headers = [
        (b"content-type", JSON_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        *refusal.headers,
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
