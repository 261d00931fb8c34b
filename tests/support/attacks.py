"""What a web page, a stranger or a broken program may send, and what the engine must say to it.

Every attack carries a valid token unless it is about the token: nothing but the check it aims at
stands between it and the engine. `naive` says what a server without a gate does, so that each entry
shows that it is worth having.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from engine_process import frame
from maskwright.service.routes import RULES
from maskwright_client.protocol import JSON_TYPE, PIXELS_TYPE, ColoursRequest, MatteRequest

Build = Callable[[int, str], bytes]

PIXELS = frame(MatteRequest(1, 1, 3, 8, "u2netp", "attacker"), b"abc")
LAYER = frame(ColoursRequest(1, 1, 3, 8, "attacker"), b"abcd")
HELLO = "GET /v1/hello HTTP/1.1"
FREE = "POST /v1/free HTTP/1.1"
MATTES = "POST /v1/mattes HTTP/1.1"
COLOURS = "POST /v1/colours HTTP/1.1"


class Naive(Enum):
    """What the engine without its gate does with an attack.

    serves:  answers as if nothing were wrong.
    waits:   takes it in and waits for what it announces.
    refuses: says no by itself, as h11 or Starlette's router does; the entry stays because that is
             no promise of theirs to us, and test_service_gate.py shows that the gate says no alone.
    """

    serves = "serves"
    waits = "waits"
    refuses = "refuses"


@dataclass(frozen=True)
class Attack:
    """aims_at: host, origin, options, token, method, type, length or syntax (h11's own part)."""

    name: str
    aims_at: str
    status: int
    request: Build
    naive: Naive = Naive.serves


def ask(line: str, *headers: str, without: str = "", body: bytes = b"") -> Build:
    """A good request plus `headers`, less those whose names are in `without`.

    `{port}` and `{token}` stand for the engine's; a character stands for the byte of its number.
    """
    good = ("Host: 127.0.0.1:{port}", "Authorization: Bearer {token}", "Connection: close")
    left = [one for one in good if one.partition(":")[0] not in without.split()]
    text = "\r\n".join([line, *left, *headers, "", ""])

    def build(port: int, token: str) -> bytes:
        head = text.replace("{port}", str(port)).replace("{token}", token)
        return head.encode("latin-1") + body

    return build


def post(line: str, type: str, body: bytes, *headers: str, without: str = "") -> Build:
    """A good request with a body."""
    lengths = (f"Content-Type: {type}", f"Content-Length: {len(body)}")
    return ask(line, *lengths, *headers, without=without, body=body)


def free(*headers: str, body: bytes = b"{}", type: str = JSON_TYPE) -> Build:
    """The smallest request that has a body, with other headers for its length."""
    return ask(FREE, f"Content-Type: {type}", *headers, body=body)


def _hosts() -> list[Attack]:
    wrong = {
        "another name": "evil.example:{port}",
        "a name that begins like ours": "127.0.0.1.evil.example:{port}",
        "a name that ends like ours": "evil.localhost:{port}",
        "another port": "127.0.0.1:1",
        "no port": "127.0.0.1",
        "the port twice": "127.0.0.1:{port}:{port}",
        "all addresses": "0.0.0.0:{port}",
        "a trailing dot": "localhost.:{port}",
        "an address with a trailing dot": "127.0.0.1.:{port}",
        "IPv6, which is not bound": "[::1]:{port}",
        "the address as one number": "2130706433:{port}",
        "a shorter address": "127.1:{port}",
        "another loopback address": "127.0.0.2:{port}",
        "a user before it": "evil@127.0.0.1:{port}",
        "a list": "127.0.0.1:{port}, evil.example",
        "nothing": "",
    }
    found = [
        Attack(f"host: {name}", "host", 421, ask(HELLO, f"Host: {value}", without="Host"))
        for name, value in wrong.items()
    ]
    old = HELLO.replace("1.1", "1.0")
    refuses = Naive.refuses
    return [
        *found,
        Attack("host: missing in HTTP/1.0", "host", 421, ask(old, without="Host")),
        Attack("host: missing in HTTP/1.1", "host", 400, ask(HELLO, without="Host"), refuses),
        Attack("host: twice", "host", 400, ask(HELLO, "Host: evil.example"), refuses),
        Attack(
            "host: twice, ours both times",
            "host",
            400,
            ask(HELLO, "Host: 127.0.0.1:{port}"),
            refuses,
        ),
        Attack("host: in the target", "host", 404, ask(_absolute("127.0.0.1:{port}")), refuses),
        Attack("host: another in the target", "host", 404, ask(_absolute("evil.example")), refuses),
        Attack(
            "host: ours in the target only",
            "host",
            421,
            ask(_absolute("127.0.0.1:{port}"), "Host: evil.example", without="Host"),
            refuses,
        ),
    ]


def _absolute(host: str) -> str:
    return HELLO.replace("/v1", f"http://{host}/v1")


def _pages() -> list[Attack]:
    """What browsers add; each also as the simple POST that needs no preflight."""
    signs = {
        "any origin": "Origin: https://evil.example",
        "no origin to speak of": "Origin: null",
        "our own origin": "Origin: http://127.0.0.1:{port}",
        "our own origin by name": "Origin: http://localhost:{port}",
        "a file": "Origin: file://",
        "an extension": "Origin: chrome-extension://abcdefghijklmnop",
        "an application": "Origin: app://obsidian.md",
        "an empty origin": "Origin:",
        "two origins": "Origin: null\r\nOrigin: http://127.0.0.1:{port}",
        "a folded origin": "Origin:\r\n https://evil.example",
        "an origin in capitals": "ORIGIN: https://evil.example",
        "another site": "Sec-Fetch-Site: cross-site",
        "the same site": "Sec-Fetch-Site: same-site",
        "our own site": "Sec-Fetch-Site: same-origin",
        "a site to come": "Sec-Fetch-Site: whatever",
        "no site, then another": "Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site",
        "a referrer": "Referer: https://evil.example/",
        "our own referrer": "Referer: http://127.0.0.1:{port}/v1/hello",
    }
    found = []
    for name, sign in signs.items():
        found += [
            Attack(f"page: {name}", "origin", 403, ask(HELLO, sign)),
            Attack(f"page: {name}, post", "origin", 403, post(FREE, JSON_TYPE, b"{}", sign)),
            Attack(
                f"page: {name}, pixels", "origin", 403, post(MATTES, "text/plain", PIXELS, sign)
            ),
        ]
    handshake = (
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    )
    socket = ask(HELLO, "Origin: https://evil.example", *handshake)
    return [*found, Attack("page: a web socket", "origin", 403, socket)]


PREFLIGHT = (
    "Access-Control-Request-Method: POST",
    "Access-Control-Request-Headers: authorization, content-type",
    "Access-Control-Request-Private-Network: true",
)
ROUTES = sorted({rule.path.replace("{id}", "u2netp") for rule in RULES} | {"/", "/v1/nothing", "*"})


def _preflights() -> list[Attack]:
    """No preflight has a token; 401 instead of 405 would tell that there is one to guess."""
    found = []
    for path in ROUTES:
        line, refuses = f"OPTIONS {path} HTTP/1.1", Naive.refuses
        asked = ask(line, *PREFLIGHT, without="Authorization")
        page = ask(line, *PREFLIGHT, "Origin: https://evil.example", without="Authorization")
        found += [
            Attack(f"options: {path}", "options", 405, asked, refuses),
            Attack(f"options: {path} from a page", "origin", 403, page, refuses),
        ]
    return found


def _tokens() -> list[Attack]:
    wrong = {
        "empty": "Authorization:",
        "no token after the scheme": "Authorization: Bearer",
        "a part of it": "Authorization: Bearer {token}",
        "a longer one": "Authorization: Bearer {token}A",
        "another": "Authorization: Bearer " + "A" * 43,
        "not ASCII": "Authorization: Bearer \xc3\xa9\xff\x80",
        "without its scheme": "Authorization: {token}",
        "the scheme in small letters": "Authorization: bearer {token}",
        "another scheme": "Authorization: Basic {token}",
        "two spaces": "Authorization: Bearer  {token}",
        "quoted": 'Authorization: Bearer "{token}"',
        "twice": "Authorization: Bearer {token}\r\nAuthorization: Bearer {token}",
        "for a proxy": "Proxy-Authorization: Bearer {token}",
        "in a cookie": "Cookie: token={token}; Authorization=Bearer {token}",
        "in another header": "X-Token: {token}",
    }
    found = {
        name: ask(HELLO, header, without="Authorization") for name, header in wrong.items()
    } | {
        "none": ask(HELLO, without="Authorization"),
        "in the query": ask(HELLO.replace("hello", "hello?token={token}"), without="Authorization"),
        "in the target": ask(HELLO.replace("/v1", "/{token}/v1"), without="Authorization"),
        "none, and only almost a ping": ask(
            HELLO.replace("hello", "ping%0a"), without="Authorization"
        ),
        "none, and a longer ping": ask(
            HELLO.replace("hello", "ping/../hello"), without="Authorization"
        ),
    }
    whole = found["a part of it"]
    found["a part of it"] = lambda port, token: whole(port, token[:-1])
    missing = {"in the target", "none, and only almost a ping", "none, and a longer ping"}
    return [
        Attack(
            f"token: {name}",
            "token",
            401,
            request,
            Naive.refuses if name in missing else Naive.serves,
        )
        for name, request in found.items()
    ]


def _methods() -> list[Attack]:
    def wrong(method: str, path: str) -> Attack:
        # Starlette answers HEAD wherever it answers GET, and finds nothing for the others.
        served = method == "HEAD" and path != "/v1/mattes"
        naive = Naive.serves if served else Naive.refuses
        line = f"{method} {path} HTTP/1.1"
        return Attack(f"method: {method} {path}", "method", 405, ask(line), naive)

    return [
        *(wrong(method, "/v1/hello") for method in ("HEAD", "POST", "PUT", "PATCH", "DELETE")),
        *(wrong(method, "/v1/hello") for method in ("TRACE", "CONNECT", "get", "PROPFIND", "X")),
        *(wrong(method, "/v1/models") for method in ("HEAD", "POST")),
        *(wrong(method, "/v1/mattes") for method in ("GET", "HEAD", "DELETE")),
        *(wrong("GET", path) for path in ("/v1/free", "/v1/shutdown", "/v1/mattes/x/alpha")),
        wrong("GET", "/v1/colours"),
        Attack(
            "method: a tunnel",
            "method",
            404,
            ask("CONNECT 127.0.0.1:{port} HTTP/1.1"),
            Naive.refuses,
        ),
    ]


def _types() -> list[Attack]:
    """A type that a form can send makes a request simple: no browser asks before sending it."""
    simple = ("text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded")
    wrong = (*simple, "application/octet-stream", "", "*/*")
    found = []
    for right, line, body in (
        (PIXELS_TYPE, MATTES, PIXELS),
        (PIXELS_TYPE, COLOURS, LAYER),
        (JSON_TYPE, FREE, b"{}"),
    ):
        other = JSON_TYPE if right == PIXELS_TYPE else PIXELS_TYPE
        for type in (
            *wrong,
            other,
            f"{right}; charset=utf-8",
            f"{right};",
            right.upper(),
            right + "x",
        ):
            name = f"type: {line.split()[1]} as {type!r}"
            found.append(Attack(name, "type", 415, post(line, type, body)))
    twice = post(FREE, JSON_TYPE, b"{}", "Content-Type: text/plain")
    none = ask(FREE, "Content-Length: 2", body=b"{}")
    return [
        *found,
        Attack("type: two of them", "type", 415, twice),
        Attack("type: none", "type", 415, none),
    ]


def _lengths() -> list[Attack]:
    """Equal lengths in several headers are no attack: h11 makes one of them, as the RFC allows."""
    chunks = b"2\r\n{}\r\n0\r\n\r\n"
    long = b"{}".ljust(5000)
    chunked = "Transfer-Encoding: chunked"

    def length(name: str, value: str, status: int, naive: Naive = Naive.refuses) -> Attack:
        return Attack(f"length: {name}", "length", status, free(f"Content-Length: {value}"), naive)

    return [
        Attack("length: none", "length", 411, free(body=b"")),
        Attack("length: chunked", "length", 411, free(chunked, body=chunks)),
        Attack(
            "length: chunked too", "length", 411, free(chunked, "Content-Length: 2", body=chunks)
        ),
        Attack("length: chunked, no body wanted", "length", 411, ask(HELLO, chunked, body=chunks)),
        Attack("length: too long", "length", 413, free("Content-Length: 5000", body=long)),
        Attack(
            "length: no body wanted", "length", 400, ask(HELLO, "Content-Length: 2", body=b"{}")
        ),
        length("huge", "9" * 20, 413, Naive.waits),
        length("of more digits than any", "9" * 30, 400),
        length("negative", "-2", 400),
        length("with a plus", "+2", 400),
        length("in hexadecimal", "0x2", 400),
        length("a fraction", "2.0", 400),
        length("no number", "two", 400),
        length("empty", "", 400),
        length("other digits", "\xb2", 400),
        length("a list", "2, 3", 400),
        length("two", "2\r\nContent-Length: 3", 400),
        Attack(
            "length: another coding",
            "length",
            400,
            free("Transfer-Encoding: gzip, chunked", body=chunks),
            Naive.refuses,
        ),
    ]


def _syntax() -> list[Attack]:
    def raw(text: str) -> Build:
        return lambda port, token: text.encode("latin-1")

    refuses = Naive.refuses
    return [
        Attack("syntax: 17 KiB of headers", "syntax", 431, ask(HELLO, "X: " + "a" * 17 * 1024)),
        Attack("syntax: 17 KiB of many headers", "syntax", 431, ask(HELLO, *["Xy: z"] * 3000)),
        Attack(
            "syntax: 17 KiB of target",
            "syntax",
            431,
            ask(HELLO.replace("o H", "o?" + "a" * 17408 + " H")),
        ),
        Attack(
            "syntax: no end of headers", "syntax", 400, ask(HELLO, "X: " + "a" * 600_000), refuses
        ),
        Attack("syntax: NUL in a header", "syntax", 400, ask(HELLO, "X: a\0b"), refuses),
        Attack(
            "syntax: NUL in the target", "syntax", 400, ask("GET /v1/hello\0 HTTP/1.1"), refuses
        ),
        Attack("syntax: space before a colon", "syntax", 400, ask(HELLO, "X : a"), refuses),
        Attack("syntax: a header without a colon", "syntax", 400, ask(HELLO, "X"), refuses),
        Attack(
            "syntax: not ASCII in the target", "syntax", 400, ask("GET /\xe9 HTTP/1.1"), refuses
        ),
        Attack("syntax: HTTP/0.9", "syntax", 400, raw("GET /v1/hello\r\n\r\n"), refuses),
        Attack("syntax: HTTP/2", "host", 421, raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), refuses),
        Attack(
            "syntax: TLS",
            "syntax",
            400,
            raw("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
            refuses,
        ),
        Attack("syntax: no HTTP at all", "syntax", 400, raw("EHLO evil.example\r\n\r\n"), refuses),
    ]


ATTACKS = [
    *_hosts(),
    *_pages(),
    *_preflights(),
    *_tokens(),
    *_methods(),
    *_types(),
    *_lengths(),
    *_syntax(),
]
