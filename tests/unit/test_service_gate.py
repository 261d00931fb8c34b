"""Each check of the gate by itself, on requests that no HTTP server in front of it would let by."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from maskwright.service import gate as gate_module
from maskwright.service.app import build_app
from maskwright.service.gate import WRONG_TOKEN_DELAY_S, Gate, Traffic
from maskwright.service.limits import REQUESTS_AT_ONCE
from maskwright.service.routes import RULES
from maskwright_client.protocol import JSON_TYPE, PIXELS_TYPE
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PORT, TOKEN = 1234, "t" * 43
HOST, BEARER = b"127.0.0.1:1234", b"Bearer " + b"t" * 43

Header = tuple[bytes, bytes]


def scope(
    method: str = "GET",
    path: str = "/v1/hello",
    *headers: Header,
    client: tuple[str, int] | None = ("127.0.0.1", 50_000),
    host: tuple[bytes, ...] = (HOST,),
    token: tuple[bytes, ...] = (BEARER,),
    query: bytes = b"",
) -> Scope:
    """A good request, changed."""
    given = [(b"host", value) for value in host] + [(b"authorization", value) for value in token]
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query,
        "headers": [*given, *headers],
        "client": client,
        "scheme": "http",
        "server": ("127.0.0.1", PORT),
    }


@dataclass
class Answer:
    """What came back, and how often the application was reached."""

    reached: int = 0
    status: int = 0
    headers: list[Header] = field(default_factory=list)
    body: bytes = b""


def answer(given: Scope, traffic: Traffic | None = None, app: ASGIApp | None = None) -> Answer:
    """Show a request to a gate."""
    found = Answer()

    async def reached(scope: Scope, receive: Receive, send: Send) -> None:
        found.reached += 1
        await (app or _fine)(scope, receive, send)

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            found.status, found.headers = message["status"], list(message["headers"])
        found.body += message.get("body", b"")

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    traffic = traffic or Traffic(time.monotonic)
    gate = Gate(reached, port=PORT, token=TOKEN, rules=RULES, traffic=traffic)
    asyncio.run(gate(given, receive, send))
    return found


async def _fine(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


def free(*headers: Header) -> Scope:
    return scope("POST", "/v1/free", *headers)


JSON = (b"content-type", JSON_TYPE.encode())
TWO = (b"content-length", b"2")

GOOD = {
    "hello": scope(),
    "hello by name": scope(host=(b"localhost:1234",)),
    "hello in capitals": scope(host=(b"LOCALHOST:1234",)),
    "hello over IPv6": scope(client=("::1", 50_000)),
    "hello of length 0": scope("GET", "/v1/hello", (b"content-length", b"0")),
    "ping without a token": scope("GET", "/v1/ping", token=(), query=b"nonce=0"),
    "free": free(JSON, TWO),
    "an address bar": scope("GET", "/v1/hello", (b"sec-fetch-site", b"none")),
}


@pytest.mark.parametrize("given", GOOD.values(), ids=GOOD.keys())
def test_a_good_request_gets_through(given: Scope):
    assert answer(given).reached == 1


STRANGERS: dict[str, Scope] = {
    "another machine": scope(client=("192.0.2.1", 50_000)),
    "another machine on IPv6": scope(client=("2001:db8::1", 50_000)),
    "the machine's own address": scope(client=("10.0.0.1", 50_000)),
    "an address written as IPv6": scope(client=("::ffff:192.0.2.1", 50_000)),
    "nobody knows": scope(client=None),
}
HOSTS: dict[str, Scope] = {
    "missing": scope(host=()),
    "twice": scope(host=(HOST, HOST)),
    "ours and another": scope(host=(HOST, b"evil.example")),
    "another and ours": scope(host=(b"evil.example", HOST)),
    "with a path": scope(host=(HOST + b"/",)),
    "with spaces": scope(host=(b" " + HOST,)),
    "another port": scope(host=(b"127.0.0.1:12345",)),
    "all addresses": scope(host=(b"0.0.0.0:1234",)),
    "IPv6": scope(host=(b"[::1]:1234",)),
}
PAGES: dict[str, Scope] = {
    name: scope("GET", "/v1/hello", *headers)
    for name, headers in {
        "an origin": [(b"origin", b"https://evil.example")],
        "null": [(b"origin", b"null")],
        "empty": [(b"origin", b"")],
        "our own": [(b"origin", b"http://" + HOST)],
        "a referrer": [(b"referer", b"http://" + HOST)],
        "same origin": [(b"sec-fetch-site", b"same-origin")],
        "none and more": [(b"sec-fetch-site", b"none"), (b"sec-fetch-site", b"cross-site")],
        "none in capitals": [(b"sec-fetch-site", b"None")],
    }.items()
}
TOKENS: dict[str, Scope] = {
    "none": scope(token=()),
    "empty": scope(token=(b"",)),
    "twice": scope(token=(BEARER, BEARER)),
    "a part": scope(token=(BEARER[:-1],)),
    "a longer one": scope(token=(BEARER + b"t",)),
    "not ASCII": scope(token=(b"Bearer \xff\xfe",)),
    "small letters": scope(token=(BEARER.lower(),)),
    "almost a ping": scope("GET", "/v1/ping/", token=()),
    "almost a ping, too": scope("GET", "/v1/ping\n", token=()),
    "a ping in capitals": scope("GET", "/V1/PING", token=()),
}
RULED: dict[str, tuple[int, Scope]] = {
    "no such route": (404, scope("GET", "/v1/nothing")),
    "an end of line": (404, scope("GET", "/v1/hello\n")),
    "a slash": (404, scope("GET", "/v1/hello/")),
    "no id": (404, scope("GET", "/v1/mattes//review")),
    "an id of two parts": (404, scope("GET", "/v1/mattes/a/b/review")),
    "an address": (404, scope("GET", "http://127.0.0.1:1234/v1/hello")),
    "HEAD": (405, scope("HEAD")),
    "TRACE": (405, scope("TRACE")),
    "CONNECT": (405, scope("CONNECT")),
    "small letters": (405, scope("get")),
}
BODIES: dict[str, tuple[int, Scope]] = {
    "no length": (411, free(JSON)),
    "chunked": (411, free(JSON, (b"transfer-encoding", b"chunked"))),
    "chunked and a length": (411, free(JSON, TWO, (b"transfer-encoding", b"identity"))),
    "negative": (411, free(JSON, (b"content-length", b"-2"))),
    "a plus": (411, free(JSON, (b"content-length", b"+2"))),
    "two lengths": (411, free(JSON, TWO, TWO)),
    "a list of lengths": (411, free(JSON, (b"content-length", b"2, 2"))),
    "a space": (411, free(JSON, (b"content-length", b" 2"))),
    "other digits": (411, free(JSON, (b"content-length", "٢".encode()))),
    "empty": (411, free(JSON, (b"content-length", b""))),
    "too long": (413, free(JSON, (b"content-length", b"4097"))),
    "huge": (413, free(JSON, (b"content-length", b"9" * 5000))),
    "text": (415, free((b"content-type", b"text/plain"), TWO)),
    "pixels": (415, free((b"content-type", PIXELS_TYPE.encode()), TWO)),
    "no type": (415, free(TWO)),
    "two types": (415, free(JSON, JSON, TWO)),
    "a parameter": (415, free((b"content-type", b"application/json; charset=utf-8"), TWO)),
    "no body wanted": (400, scope("GET", "/v1/hello", TWO)),
    "no body wanted, chunked": (
        411,
        scope("GET", "/v1/hello", (b"transfer-encoding", b"chunked")),
    ),
}
LONG: dict[str, Scope] = {
    "one header": scope("GET", "/v1/hello", (b"x", b"a" * 17_000)),
    "many headers": scope("GET", "/v1/hello", *[(b"x", b"a")] * 3000),
    "the path": scope("GET", "/v1/mattes/" + "a" * 17_000 + "/review"),
    "the query": scope(query=b"a" * 17_000),
}

Bend = Callable[[pytest.MonkeyPatch], None]


def _every(*names: str) -> Bend:
    """Have checks that are functions of the module say nothing."""

    def bend(monkeypatch: pytest.MonkeyPatch) -> None:
        for name in names:
            monkeypatch.setattr(gate_module, name, lambda *arguments: True)

    return bend


def _any_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "hmac", SimpleNamespace(compare_digest=lambda *_: True))
    monkeypatch.setattr(Gate, "_check_rule", lambda *_: None)


def _any_host(monkeypatch: pytest.MonkeyPatch) -> None:
    class Every(set[bytes]):
        def __contains__(self, item: object) -> bool:
            return True

    made = Gate.__init__

    def make(self: Gate, *arguments: Any, **named: Any) -> None:
        made(self, *arguments, **named)
        self._hosts = Every()

    monkeypatch.setattr(Gate, "__init__", make)


def _any_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gate, "_check_rule", lambda *_: None)


CHECKS: dict[str, tuple[Bend, dict[str, tuple[int, Scope]]]] = {
    "size": (_every("_check_size"), {name: (431, one) for name, one in LONG.items()}),
    "peer": (_every("_is_loopback"), {name: (403, one) for name, one in STRANGERS.items()}),
    "host": (_any_host, {name: (421, one) for name, one in HOSTS.items()}),
    "page": (_every("_refuse_browsers"), {name: (403, one) for name, one in PAGES.items()}),
    "token": (_any_token, {name: (401, one) for name, one in TOKENS.items()}),
    "rule": (_any_rule, RULED),
    "body": (_every("_check_body"), BODIES),
}
CASES = [
    pytest.param(bend, status, given, id=f"{check}: {name}")
    for check, (bend, table) in CHECKS.items()
    for name, (status, given) in table.items()
]


@pytest.mark.parametrize(("bend", "status", "given"), CASES)
def test_one_check_refuses_it_and_no_other_would(
    bend: Bend, status: int, given: Scope, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(gate_module, "WRONG_TOKEN_DELAY_S", 0.0)
    refused = answer(given)
    assert (refused.status, refused.reached) == (status, 0)
    assert json.loads(refused.body)["error"].keys() == {"code", "message"}
    with monkeypatch.context() as patch:
        bend(patch)
        assert answer(given).reached == 1


@pytest.mark.parametrize("path", ["/v1/hello", "/v1/ping", "/v1/mattes", "/v1/nothing", "*"])
def test_a_preflight_is_refused_before_token_and_route(path: str):
    refused = answer(scope("OPTIONS", path, token=()))
    assert (refused.status, refused.reached) == (405, 0)
    assert [name for name, _ in refused.headers if name == b"allow"] == []


def test_what_a_browser_gives_away_comes_before_the_token():
    page = scope("GET", "/v1/hello", (b"origin", b"null"), token=(), host=(b"evil.example",))
    assert answer(page).status == 421
    page = scope("OPTIONS", "/v1/hello", (b"origin", b"null"), token=())
    assert answer(page).status == 403


def test_a_wrong_token_is_counted_and_answered_late():
    traffic = Traffic(time.monotonic)
    began = time.monotonic()
    assert answer(scope(token=()), traffic).status == 401
    assert time.monotonic() - began >= WRONG_TOKEN_DELAY_S
    assert traffic.wrong_tokens == 1
    assert answer(scope(), traffic).status == 200
    assert answer(scope(host=()), traffic).status == 421
    assert traffic.wrong_tokens == 1


def test_a_refusal_does_not_count_as_work():
    traffic = Traffic(iter([1.0, 2.0, 3.0]).__next__)
    answer(scope(host=()), traffic)
    assert (traffic.inside, traffic.last_at) == (0, 1.0)
    answer(scope(), traffic)
    assert (traffic.inside, traffic.last_at) == (0, 2.0)


def test_more_than_enough_at_once_are_asked_to_come_back():
    traffic = Traffic(time.monotonic, inside=REQUESTS_AT_ONCE)
    busy = answer(scope(), traffic)
    assert (busy.status, busy.reached) == (503, 0)
    assert (b"retry-after", b"2") in busy.headers
    assert traffic.inside == REQUESTS_AT_ONCE
    assert answer(scope(token=()), traffic).status == 401  # a stranger learns nothing of it


@pytest.mark.parametrize("kind", ["websocket", "lifespan", "another"])
def test_only_http_is_answered(kind: str):
    found = answer({**scope(), "type": kind})
    assert (found.status, found.reached) == (0, 0)


def test_every_answer_has_the_fixed_headers():
    for given in (scope(), scope(token=()), scope(host=()), free(TWO)):
        headers = dict(answer(given).headers)
        assert headers[b"x-content-type-options"] == b"nosniff"
        assert headers[b"cache-control"] == b"no-store"
        assert headers[b"cross-origin-resource-policy"] == b"same-origin"
        assert not [name for name in headers if name.startswith(b"access-control")]


class Broken:
    """Endpoints that fail inside."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def fail(request: object) -> None:
            raise RuntimeError("a secret")

        return fail


def test_a_failure_inside_has_them_too_and_says_nothing_of_it():
    found: list[Answer] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with pytest.raises(RuntimeError):
            await build_app(Broken())(scope, receive, send)  # type: ignore[arg-type]

    found.append(answer(scope(), app=app))
    assert found[0].status == 500
    assert json.loads(found[0].body)["error"]["code"] == "internal-error"
    assert b"secret" not in found[0].body
    assert dict(found[0].headers)[b"x-content-type-options"] == b"nosniff"
