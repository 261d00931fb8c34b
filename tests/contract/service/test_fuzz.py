"""Whatever comes in, the engine answers with a status of its own or closes, and goes on.

About 15 seconds in the suite; MASKWRIGHT_FUZZ_MINUTES=N makes it N minutes of other examples.
"""

import http.client
import json
import math
import os
import socket
import string
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
from engine_process import PATIENCE_S, EngineProcess, engine_in, frame
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from maskwright.service.routes import RULES
from maskwright_client.protocol import (
    HEAD_LENGTH_BYTES,
    JSON_TYPE,
    PIXELS_TYPE,
    AlphaRequest,
    ColoursRequest,
    MatteRequest,
)

MINUTES = float(os.environ.get("MASKWRIGHT_FUZZ_MINUTES", "0"))
# So many a second go through on two cores that do other work too; each test has its share.
RATE: Final = 350
SHARE: Final = 1 / 6
BENT = Path(__file__).parents[2] / "support" / "bent_launcher.py"

Test = TypeVar("Test", bound=Callable[..., None])
Part = TypeVar("Part")

pytestmark = pytest.mark.slow


def bounded(most: int) -> Callable[[Test], Test]:
    """As many examples as there is time for; other ones in a long run."""
    many = max(most, int(MINUTES * 60 * RATE * SHARE))
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    how = settings(max_examples=many, derandomize=MINUTES == 0, suppress_health_check=quiet)

    def decorate(test: Test) -> Test:
        marked: Test = pytest.mark.timeout(120 + MINUTES * 120)(how(test))
        return marked

    return decorate


class Line:
    """A connection that is kept for as long as the engine keeps it, and opened again then."""

    def __init__(self, engine: EngineProcess) -> None:
        self._engine = engine
        self._socket: socket.socket | None = None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def tell(self, request: bytes) -> tuple[int, bytes]:
        """Send bytes; status and body of the answer, status 0 if the engine only closes."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._engine.port), PATIENCE_S)
        reply = http.client.HTTPResponse(self._socket)
        try:
            self._socket.sendall(request)
            reply.begin()
            body = reply.read()
        except (http.client.HTTPException, ConnectionError):
            self.close()
            return 0, b""
        finally:
            reply.close()
        if reply.will_close:
            self.close()
        return reply.status, body


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """One that does not wait long for what does not come."""
    home = tmp_path_factory.mktemp("hasty")
    with engine_in(home, launcher=BENT, environ={"BENT": "hasty"}) as running:
        yield running


@pytest.fixture(scope="module")
def line(engine: EngineProcess) -> Iterator[Line]:
    kept = Line(engine)
    yield kept
    kept.close()


@pytest.fixture(scope="module")
def matte_id(engine: EngineProcess) -> str:
    photo = frame(MatteRequest(4, 3, 3, 8, "u2netp", "fuzz"), bytes(range(36)))
    found = str(json.loads(engine.ask("POST", "/v1/mattes", photo, PIXELS_TYPE).body)["id"])
    assert b'"state":"done"' in engine.ask("GET", f"/v1/mattes/{found}/events").body
    return found


def heads(port: int, line: str, *more: str, token: str) -> bytes:
    given = [line, f"Host: 127.0.0.1:{port}", f"Authorization: Bearer {token}", *more, "", ""]
    return "\r\n".join(given).encode("latin-1")


def is_well(engine: EngineProcess, line: Line) -> None:
    """It still answers, and has nothing left to do."""
    request = heads(engine.port, "GET /v1/hello HTTP/1.1", token=engine.token)
    status, body = line.tell(request)
    if status == 0:  # the last answer's connection was on its way out
        status, body = line.tell(request)
    assert status == 200
    assert json.loads(body)["jobs"] <= 1


SELDOM = st.sampled_from([False] * 9 + [True])


def mixed(*parts: st.SearchStrategy[Part]) -> st.SearchStrategy[Part]:
    """Each part as often as it is named; `one_of` takes those inside of parts, and each once."""
    return st.sampled_from(range(len(parts))).flatmap(lambda number: parts[number])


# --- heads of bodies ---

SMALL = st.sampled_from([-1, 0, 1, 2, 3, 4, 8, 16])
NUMBERS = st.one_of(
    st.sampled_from(
        [2**15 - 1, 2**15, 2**16, 2**31, 2**32 + 1, 2**63, 2**64 + 1, -(2**63), 10**400]
    ),
    st.floats(allow_nan=True, allow_infinity=True),
    st.booleans(),
)
VALUES = st.recursive(
    st.one_of(
        NUMBERS,
        st.none(),
        st.text(max_size=8),
        st.sampled_from(["u2netp", "add", "subtract"]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
# What a number may be, and then what it may not.
LIKELY = mixed(SMALL, SMALL, NUMBERS, VALUES)


def fields_of(example: object) -> dict[str, Any]:
    """What a good head says."""
    found: dict[str, Any] = json.loads(frame(example)[HEAD_LENGTH_BYTES:])
    return found


def changed(good: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A good head, or one with some fields of another value, or one too few, or one too many."""
    inner = [name for name, value in good.items() if isinstance(value, dict)]
    changes = st.dictionaries(st.sampled_from([*good, "more"]), LIKELY, min_size=1, max_size=2)
    less = st.sampled_from(list(good)).map(
        lambda name: {k: v for k, v in good.items() if k != name}
    )
    kinds = [st.just(good), st.just(good), changes.map(lambda some: {**good, **some}), less]
    for name in inner:
        deep = st.dictionaries(st.sampled_from(list(good[name])), LIKELY, min_size=1, max_size=2)
        kinds += [deep.map(partial(_inside, good, name))] * 3
    return mixed(*kinds)


def _inside(good: dict[str, Any], name: str, some: dict[str, Any]) -> dict[str, Any]:
    return {**good, name: {**good[name], **some}}


@st.composite
def damaged(draw: st.DrawFn, text: bytes) -> bytes:
    """Bytes with one place of other ones, or, mostly, none."""
    if not draw(SELDOM):
        return text
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(st.binary(max_size=4)) + text[at + draw(st.integers(0, 4)) :]


@st.composite
def framed(draw: st.DrawFn, good: dict[str, Any], samples_of: Callable[[Any], int]) -> bytes:
    """A head, how long it says that it is, and samples, mostly as many as it wants."""
    fields = draw(changed(good))
    head = draw(damaged(json.dumps(fields).encode()))
    length = draw(st.integers(0, 2**32 - 1)) if draw(SELDOM) else len(head)
    try:
        wanted = samples_of(fields)
    except (KeyError, TypeError):
        wanted = 0
    right = bytes(wanted if 0 <= wanted < 10_000 else 36)
    samples = draw(st.binary(max_size=60)) if draw(SELDOM) else right
    return length.to_bytes(HEAD_LENGTH_BYTES, "big") + head + samples


def product(fields: dict[str, Any], *names: str) -> int:
    numbers = [fields[name] for name in names]
    return math.prod(numbers) if all(type(one) is int for one in numbers) else 0


def photo_samples(head: dict[str, Any]) -> int:
    return product(head, "width", "height", "channels", "bits") // 8


def layer_samples(head: dict[str, Any]) -> int:
    return photo_samples(head) + product(head, "width", "height")


def mask_samples(head: dict[str, Any]) -> int:
    region = head["region"] or {"width": 4, "height": 3}
    return 0 if head["combine"] == "replace" else product(region, "width", "height")


PHOTO = fields_of(MatteRequest(4, 3, 3, 8, "u2netp", "fuzz"))
LAYER = fields_of(ColoursRequest(4, 3, 3, 8, "fuzz"))
ALPHA = {
    **fields_of(AlphaRequest()),
    "region": {"left": 0, "top": 1, "width": 2, "height": 2},
    "preview": None,
}


@bounded(800)
@given(framed(PHOTO, photo_samples))
def test_any_photo_is_taken_or_refused(engine: EngineProcess, line: Line, body: bytes):
    status, said = line.tell(posted(engine, "/v1/mattes", PIXELS_TYPE, body))
    if status == 202:
        path = f"/v1/mattes/{json.loads(said)['id']}"
        forget = heads(engine.port, f"DELETE {path} HTTP/1.1", token=engine.token)
        assert line.tell(forget)[0] in (0, 204)
    else:
        check_refusal(status, said)
    is_well(engine, line)


@bounded(900)
@given(framed(ALPHA, mask_samples))
def test_any_wish_for_alpha_is_granted_or_refused(
    engine: EngineProcess, line: Line, matte_id: str, body: bytes
):
    status, said = line.tell(posted(engine, f"/v1/mattes/{matte_id}/alpha", PIXELS_TYPE, body))
    if status == 200:
        assert len(said) > HEAD_LENGTH_BYTES
    else:
        check_refusal(status, said)
    is_well(engine, line)


@bounded(400)
@given(framed(LAYER, layer_samples))
def test_any_layer_is_cleaned_or_refused(engine: EngineProcess, line: Line, body: bytes):
    status, said = line.tell(posted(engine, "/v1/colours", PIXELS_TYPE, body))
    if status == 200:
        assert len(said) > HEAD_LENGTH_BYTES
    else:
        check_refusal(status, said)
    is_well(engine, line)


@bounded(400)
@given(
    st.sampled_from(["/v1/models/u2netp/download", "/v1/mattes/MATTE/hints"]),
    st.one_of(changed({"accept_licence": True}).map(json.dumps).map(str.encode), st.binary()),
)
def test_any_small_body_is_taken_or_refused(
    engine: EngineProcess, line: Line, matte_id: str, path: str, body: bytes
):
    kind = PIXELS_TYPE if path.endswith("hints") else JSON_TYPE
    request = posted(engine, path.replace("MATTE", matte_id), kind, body)
    status, said = line.tell(request)
    if status != 202:
        check_refusal(status, said)
    is_well(engine, line)


def posted(engine: EngineProcess, path: str, type: str, body: bytes) -> bytes:
    more = (f"Content-Type: {type}", f"Content-Length: {len(body)}")
    return heads(engine.port, f"POST {path} HTTP/1.1", *more, token=engine.token) + body


def check_refusal(status: int, said: bytes) -> None:
    assert status == 0 or (400 <= status <= 507 and status != 500)
    if status:
        assert json.loads(said)["error"].keys() == {"code", "message"}


# --- heads of requests ---

PATHS = sorted(
    {rule.path.replace("{id}", "u2netp") for rule in RULES} - {"/v1/shutdown", "/v1/free"}
)
VISIBLE = string.ascii_letters + string.digits + string.punctuation
KNOWN_TARGETS = st.sampled_from(PATHS)
TARGETS = mixed(
    KNOWN_TARGETS,
    KNOWN_TARGETS,
    st.builds("{}?{}".format, KNOWN_TARGETS, st.text(VISIBLE, max_size=20)),
    st.text(VISIBLE, max_size=30).map("/v1/{}".format),
    st.text(VISIBLE, min_size=1, max_size=30),
)
METHODS = st.one_of(
    st.sampled_from(["GET"] * 6 + ["POST"] * 3 + ["DELETE", "HEAD", "OPTIONS", "CONNECT", "PUT"]),
    st.text(string.ascii_letters, min_size=1, max_size=10),
)
VERSIONS = st.sampled_from(
    ["HTTP/1.1"] * 12 + ["HTTP/1.0"] * 3 + ["HTTP/2.0", "HTTP/9.9", "HTTP/1"]
)
TOKENS = string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~"
KNOWN = ["Host", "Authorization", "Content-Length", "Content-Type", "Transfer-Encoding", "Expect"]
KNOWN += [
    "Connection",
    "Upgrade",
    "Origin",
    "Referer",
    "Sec-Fetch-Site",
    "Cookie",
    "Forwarded",
    "TE",
]
KNOWN += [
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "Keep-Alive",
    "Range",
    "Accept-Encoding",
    "Trailer",
]
NAMES = st.one_of(st.sampled_from(KNOWN), st.text(TOKENS, min_size=1, max_size=12))
WORDS = [
    "0",
    "1",
    "2",
    "-1",
    "chunked",
    "identity",
    "close",
    "keep-alive",
    "upgrade",
    "websocket",
    "h2c",
]
WORDS += [
    "100-continue",
    "127.0.0.1",
    "localhost",
    "null",
    "none",
    "cross-site",
    "bytes=0-",
    "trailers",
]
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_categories=["Cc"]))
CONTENTS = st.one_of(
    st.sampled_from([*WORDS, JSON_TYPE, PIXELS_TYPE, "9" * 25, "a" * 9000, "", " "]),
    TEXTS,
)
ODD = st.text(st.characters(max_codepoint=255), max_size=30)
HEADERS = mixed(
    *[st.lists(st.builds("{}: {}".format, NAMES, CONTENTS), max_size=4)] * 3,
    st.lists(st.builds("{}:{}".format, NAMES, ODD), max_size=2),
    st.lists(ODD, max_size=2),
)


@st.composite
def requested(draw: st.DrawFn) -> str:
    """The head of a request, whole; `PORT` and `TOKEN` stand for the engine's."""
    line = f"{draw(METHODS)} {draw(TARGETS)} {draw(VERSIONS)}"
    good = ["Host: 127.0.0.1:PORT", "Authorization: Bearer TOKEN"]
    if draw(SELDOM):
        good.pop()
    return "\r\n".join([line, *draw(st.permutations([*good, *draw(HEADERS)])), "", ""])


def filled(engine: EngineProcess, text: str, token: str) -> bytes:
    return text.replace("PORT", str(engine.port)).replace("TOKEN", token).encode("latin-1")


@bounded(800)
@given(requested())
def test_any_head_of_a_request_is_answered_or_closed(engine: EngineProcess, line: Line, text: str):
    status, _ = line.tell(filled(engine, text, engine.token))
    assert status in (0, 200, 204) or (400 <= status <= 507 and status != 500)
    line.close()  # what it says of its body may not be so
    is_well(engine, line)


@bounded(800)
@given(requested())
def test_no_head_gets_anything_without_the_token(engine: EngineProcess, line: Line, text: str):
    status, body = line.tell(filled(engine, text, "TOKEN"))
    line.close()
    assert status == 0 or (400 <= status < 500)
    assert engine.token.encode() not in body


@bounded(400)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_answered_or_closed(
    engine: EngineProcess, line: Line, content: bytes, ends: bool
):
    line.close()
    status, _ = line.tell(content.replace(b"\r\n\r\n", b"") + (b"\r\n\r\n" if ends else b"\n\n"))
    line.close()
    assert status in (0, 400, 401, 421)


def test_after_all_that_it_is_well(engine: EngineProcess, line: Line):
    is_well(engine, line)
    log = engine.places.log.read_text(encoding="utf-8")
    assert "ERROR" not in log
    assert "Traceback" not in log
