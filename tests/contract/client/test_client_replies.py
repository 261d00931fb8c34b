"""What an engine may answer, and what the client makes of it: a result of the right size, or one of
its own errors.
"""

import re
import tracemalloc
from dataclasses import replace

import pytest
from hostile_engine import (
    INSTANCE,
    Answer,
    HangUp,
    HostileEngine,
    Talk,
    alpha,
    creates,
    lines,
    pixels,
    raw,
    resets,
    says,
    stalls,
)
from maskwright_client import client
from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.discovery import Found
from maskwright_client.errors import (
    BadReply,
    BadRequest,
    ClientError,
    EngineBusy,
    EngineGone,
    EngineRefused,
    JobFailed,
)
from maskwright_client.loopback import Patience
from maskwright_client.protocol import (
    CLEAN_COLOURS,
    MAX_REPLY_JSON_BYTES,
    AlphaHead,
    AlphaRequest,
    ColoursRequest,
    Combine,
    Failure,
    Fault,
    Freed,
    Hello,
    MatteEvent,
    MatteInfo,
    MatteRequest,
    MatteState,
    ModelInfo,
    ModelList,
    Pixels,
    Region,
    Review,
    Spot,
)
from wire_examples import INFO as WIRE_INFO

HELLO = Hello(1, 1, "9.9", INSTANCE)
INFO = replace(WIRE_INFO, width=4, height=3, bits=8)
REQUEST = MatteRequest(4, 3, 3, 8, "u2netp", "test")
PIXELS = bytes(range(36))
DONE = MatteEvent(MatteState.done, 1.0, info=INFO)
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.fixture
def engine(hostile: HostileEngine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(client, "_LISTENING", Patience(read_s=1.0))
    return Engine(Found(hostile.address, HELLO), read_timeout_s=1.0)


def hello_error(engine: Engine) -> ClientError:
    with pytest.raises(ClientError) as caught:
        engine.hello()
    assert "\n" not in caught.value.message
    assert re.fullmatch(r"[A-Z].*[.]", caught.value.message)
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "bad-photo", JobFailed),
        (401, "wrong-token", EngineRefused),
        (403, "from-a-page", EngineRefused),
        (421, "wrong-host", EngineRefused),
        (409, "licence-not-accepted", JobFailed),
        (404, "unknown-matte", JobFailed),
        (413, "photo-too-large", JobFailed),
        (500, "internal-error", JobFailed),
        (503, "engine-busy", EngineBusy),
        (503, "engine-stopping", EngineGone),
        (503, "something-else", JobFailed),
        (204 + 98, "unknown-matte", BadReply),
    ],
)
def test_a_refusal_has_its_place_in_the_tree(
    hostile: HostileEngine, engine: Engine, status: int, code: str, kind: type[ClientError]
):
    hostile.answers["GET /v1/hello"] = says(Failure(Fault(code, "It is so,\nas it is.")), status)
    error = hello_error(engine)
    assert type(error) is kind
    if kind in (JobFailed, EngineBusy, EngineGone):
        assert (error.code, error.message) == (code, "It is so, as it is.")


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("0", 0.0), ("999999", 300.0), ("soon", 1.0), ("-1", 1.0)]
)
def test_a_busy_engine_says_when_to_try_again(
    hostile: HostileEngine, engine: Engine, header: str, seconds: float
):
    busy = says(Failure(Fault("engine-busy", "Too much.")), 503, Retry_After=header)
    hostile.answers["GET /v1/hello"] = busy
    error = hello_error(engine)
    assert isinstance(error, EngineBusy)
    assert error.retry_after_s == seconds


def test_a_web_server_that_is_busy_counts_as_a_busy_engine(hostile: HostileEngine, engine: Engine):
    hostile.answers["GET /v1/hello"] = raw(
        b"HTTP/1.1 503 No\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nBusy"
    )
    assert isinstance(hello_error(engine), EngineBusy)


BAD: dict[str, tuple[Answer, type[ClientError]]] = {
    "no JSON": (raw(JSON + b"Content-Length: 5\r\n\r\nhello"), BadReply),
    "a list": (raw(JSON + b"Content-Length: 2\r\n\r\n[]"), BadReply),
    "no length": (raw(JSON + b"\r\n{}"), BadReply),
    "a negative length": (raw(JSON + b"Content-Length: -1\r\n\r\n{}"), BadReply),
    "huge": (raw(JSON + b"Content-Length: %d\r\n\r\n" % (MAX_REPLY_JSON_BYTES + 1)), BadReply),
    "deep": (raw(JSON + b"Content-Length: 200000\r\n\r\n" + b"[" * 200000), BadReply),
    "chunked": (raw(JSON + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"), BadReply),
    "another type": (
        raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"),
        BadReply,
    ),
    "an error without words": (raw(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"), BadReply),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), BadReply),
    "cut short": (raw(JSON + b"Content-Length: 500\r\n\r\n{"), EngineGone),
    "no answer": (raw(b""), EngineGone),
    "reset": (resets, EngineGone),
    "silent": (stalls, EngineGone),
}


@pytest.mark.parametrize(("answer", "kind"), BAD.values(), ids=BAD.keys())
def test_a_bad_reply_is_an_error_of_the_tree(
    hostile: HostileEngine, engine: Engine, answer: Answer, kind: type[ClientError]
):
    hostile.answers["GET /v1/hello"] = answer
    assert type(hello_error(engine)) is kind


def test_nobody_is_sent_on(hostile: HostileEngine, engine: Engine, another: HostileEngine):
    hostile.answers["GET /v1/hello"] = raw(
        b"HTTP/1.1 302 There\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n"
        % another.port
    )
    assert isinstance(hello_error(engine), BadReply)
    assert another.heard == b""


def matte_error(engine: Engine) -> ClientError:
    with pytest.raises(ClientError) as caught:
        engine.matte(REQUEST, PIXELS, lambda event: None, CancelSwitch())
    return caught.value


def test_a_matte_is_made_on_one_connection(hostile: HostileEngine, engine: Engine):
    bodies: list[bytes] = []

    def take(talk: Talk) -> None:
        bodies.append(talk.body())
        creates("m1")(talk)

    hostile.answers["POST /v1/mattes"] = take
    waiting = MatteEvent(MatteState.predicting, 0.5, 1.0)
    hostile.answers["GET /v1/mattes/m1/events"] = lines(waiting, DONE)
    events: list[MatteEvent] = []
    assert engine.matte(REQUEST, PIXELS, events.append, CancelSwitch()) == ("m1", INFO)
    assert events == [waiting, DONE]
    assert hostile.requests == ["GET /v1/ping", "POST /v1/mattes", "GET /v1/mattes/m1/events"]
    assert bodies[0].endswith(PIXELS)
    assert len(bodies[0]) == 4 + int.from_bytes(bodies[0][:4], "big") + len(PIXELS)


STREAMS: dict[str, tuple[Answer, type[ClientError], str]] = {
    "failed": (
        lines(MatteEvent(MatteState.failed, error=Fault("run-failed", "It failed."))),
        JobFailed,
        "run-failed",
    ),
    "stopped": (lines(MatteEvent(MatteState.cancelled)), JobFailed, "stopped"),
    "stopped with the engine": (
        lines(MatteEvent(MatteState.cancelled, error=Fault("engine-stopping", "It stops."))),
        EngineGone,
        "engine-stopping",
    ),
    "failed without a reason": (lines(MatteEvent(MatteState.failed)), BadReply, "bad-reply"),
    "done without a matte": (lines(MatteEvent(MatteState.done)), BadReply, "bad-reply"),
    "of another size": (
        lines(replace(DONE, info=replace(INFO, width=5))),
        BadReply,
        "bad-reply",
    ),
    "no end": (lines(MatteEvent(MatteState.queued)), EngineGone, "engine-gone"),
    "broken": (lines(MatteEvent(MatteState.queued), end=False), EngineGone, "engine-gone"),
    "reset": (lines(MatteEvent(MatteState.queued), then=resets), EngineGone, "engine-gone"),
    "half a line": (lines(b'{"state":"que', end=False), EngineGone, "engine-gone"),
    "nonsense": (lines(b'{"state":"flying"}\n'), BadReply, "bad-reply"),
    "an endless line": (
        lines(*[b"x" * 100_000] * 12, then=lambda talk: talk.stall()),
        BadReply,
        "bad-reply",
    ),
    "silent": (
        lines(MatteEvent(MatteState.queued), then=lambda talk: talk.stall()),
        EngineGone,
        "engine-silent",
    ),
    "no lines": (says(HELLO), BadReply, "bad-reply"),
    "unknown": (says(Failure(Fault("unknown-matte", "No.")), 404), JobFailed, "unknown-matte"),
}


@pytest.mark.parametrize(("answer", "kind", "code"), STREAMS.values(), ids=STREAMS.keys())
def test_a_stream_without_a_good_end_is_no_matte(
    hostile: HostileEngine, engine: Engine, answer: Answer, kind: type[ClientError], code: str
):
    hostile.answers["POST /v1/mattes"] = creates("m1")
    hostile.answers["GET /v1/mattes/m1/events"] = answer
    error = matte_error(engine)
    assert (type(error), error.code) == (kind, code)


@pytest.mark.parametrize("matte_id", ["", "../models", "m 1", "m\r\nX: y", "m" * 65, "\u00e9"])
def test_an_id_that_is_none_goes_into_no_path(
    hostile: HostileEngine, engine: Engine, matte_id: str
):
    hostile.answers["POST /v1/mattes"] = creates(matte_id)
    assert isinstance(matte_error(engine), BadReply)
    assert len(hostile.requests) == 2
    with pytest.raises(BadRequest):
        engine.forget(matte_id)
    with pytest.raises(BadRequest):
        engine.download(matte_id + "/", False, lambda event: None, CancelSwitch())
    assert len(hostile.requests) == 2


def test_events_end_after_the_final_one(hostile: HostileEngine, engine: Engine):
    hostile.answers["GET /v1/mattes/m1/events"] = lines(DONE, MatteEvent(MatteState.queued))
    assert list(engine.events("m1", CancelSwitch())) == [DONE]
    assert engine.wait("m1", lambda event: None, CancelSwitch()) == INFO


FULL = AlphaHead(4, 3, 8)
TWELVE = bytes(range(12))


def test_alpha_is_taken_as_it_is(hostile: HostileEngine, engine: Engine):
    hostile.answers["POST /v1/mattes/m1/alpha"] = alpha(FULL, TWELVE)
    found = engine.alpha("m1", INFO, AlphaRequest())
    assert (found.width, found.height, found.bits, bytes(found.samples)) == (4, 3, 8, TWELVE)


@pytest.mark.parametrize(
    ("request_", "head"),
    [
        (AlphaRequest(bits=16), AlphaHead(4, 3, 16)),
        (AlphaRequest(region=Region(1, 1, 3, 2)), AlphaHead(3, 2, 8)),
        (AlphaRequest(preview=2), AlphaHead(2, 2, 8)),
        (AlphaRequest(preview=100), AlphaHead(4, 3, 8)),
    ],
)
def test_alpha_is_of_the_size_that_was_asked_for(
    hostile: HostileEngine, engine: Engine, request_: AlphaRequest, head: AlphaHead
):
    hostile.answers["POST /v1/mattes/m1/alpha"] = alpha(head, bytes(head.alpha_bytes))
    assert len(engine.alpha("m1", INFO, request_).samples) == head.alpha_bytes
    wrong = replace(head, width=head.width + 1)
    hostile.answers["POST /v1/mattes/m1/alpha"] = alpha(wrong, bytes(wrong.alpha_bytes))
    with pytest.raises(BadReply):
        engine.alpha("m1", INFO, request_)


LIES: dict[str, tuple[Answer, type[ClientError]]] = {
    "too few samples": (alpha(FULL, TWELVE[1:]), BadReply),
    "too many samples": (alpha(FULL, TWELVE + b"x"), BadReply),
    "turned": (alpha(AlphaHead(3, 4, 8), TWELVE), BadReply),
    "fewer bits": (alpha(AlphaHead(2, 3, 16), TWELVE), BadReply),
    "a wrong head length": (alpha(FULL, TWELVE, head_bytes=7), BadReply),
    "a huge head length": (alpha(FULL, TWELVE, head_bytes=2**32 - 1), BadReply),
    "no head": (alpha(Review(0.0), TWELVE), BadReply),
    "another type": (alpha(FULL, TWELVE, Content_Type="image/png"), BadReply),
    "a huge length": (alpha(FULL, TWELVE, Content_Length=10**15), BadReply),
    "a length that is none": (alpha(FULL, TWELVE, Content_Length="12a"), BadReply),
    "no length, chunked": (alpha(FULL, TWELVE, Transfer_Encoding="chunked"), BadReply),
    "not here any more": (says(Failure(Fault("unknown-matte", "No.")), 404), JobFailed),
}


@pytest.mark.parametrize(("answer", "kind"), LIES.values(), ids=LIES.keys())
def test_alpha_with_a_lie_in_it_is_not_taken(
    hostile: HostileEngine, engine: Engine, answer: Answer, kind: type[ClientError]
):
    hostile.answers["POST /v1/mattes/m1/alpha"] = answer
    with pytest.raises(ClientError) as caught:
        engine.alpha("m1", INFO, AlphaRequest())
    assert type(caught.value) is kind


@pytest.mark.parametrize("stops", [resets, lambda talk: talk.stall(), lambda talk: None])
def test_alpha_that_breaks_off_is_not_taken(hostile: HostileEngine, engine: Engine, stops: Answer):
    def breaks(talk: Talk) -> None:
        talk.body()
        text = b'{"width":4,"height":3,"bits":8}'
        talk.head(
            200,
            Content_Type="application/vnd.maskwright.alpha",
            Content_Length=4 + len(text) + 12,
        )
        talk.say(len(text).to_bytes(4, "big") + text + b"half")
        stops(talk)
        raise HangUp

    hostile.answers["POST /v1/mattes/m1/alpha"] = breaks
    with pytest.raises(EngineGone):
        engine.alpha("m1", INFO, AlphaRequest())


def test_a_mask_goes_along_to_be_combined(hostile: HostileEngine, engine: Engine):
    bodies: list[bytes] = []

    def take(talk: Talk) -> None:
        bodies.append(talk.body())
        alpha(FULL, TWELVE)(talk)

    hostile.answers["POST /v1/mattes/m1/alpha"] = take
    mask = bytes(range(100, 112))
    engine.alpha("m1", INFO, AlphaRequest(combine=Combine.intersect), mask)
    assert bodies[0].endswith(mask)
    assert b'"combine":"intersect"' in bodies[0]
    for request, given in (
        (AlphaRequest(combine=Combine.add), None),
        (AlphaRequest(), mask),
        (AlphaRequest(combine=Combine.add), mask[1:]),
    ):
        with pytest.raises(BadRequest):
            engine.alpha("m1", INFO, request, given)
    assert len(bodies) == 1


def test_the_other_questions(hostile: HostileEngine, engine: Engine):
    review = Review(0.25, (Spot(1, 2, 3, 4, 0.5),))
    model = ModelInfo("u2netp", "Small", "quick", "Apache-2.0", "https://e.org", True, 5, True)
    hostile.answers |= {
        "GET /v1/mattes/m1/review": says(review),
        "GET /v1/models": says(ModelList((model,))),
        "POST /v1/free": says(Freed(("u2netp",))),
        "POST /v1/shutdown": lambda talk: talk.head(202, Content_Length=0),
    }
    assert engine.review("m1") == review
    assert engine.models() == (model,)
    assert engine.free_memory() == ("u2netp",)
    engine.shutdown()
    engine.forget("m1")


LAYER = ColoursRequest(4, 3, 3, 8, "test")
MASK = bytes(range(100, 112))
LAID_OUT = Pixels(4, 3, 3, 8)


@pytest.fixture
def able(hostile: HostileEngine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(client, "_CLEANING", Patience(read_s=1.0))
    return Engine(Found(hostile.address, replace(HELLO, features=(CLEAN_COLOURS, "more"))))


def test_a_layer_goes_along_with_its_mask(hostile: HostileEngine, able: Engine):
    bodies: list[bytes] = []

    def take(talk: Talk) -> None:
        bodies.append(talk.body())
        pixels(LAID_OUT, PIXELS[::-1])(talk)

    hostile.answers["POST /v1/colours"] = take
    found = able.colours(LAYER, memoryview(PIXELS), bytearray(MASK), CancelSwitch())
    assert found == PIXELS[::-1]
    assert bodies[0].endswith(PIXELS + MASK)
    assert len(bodies[0]) == 4 + int.from_bytes(bodies[0][:4], "big") + 48


@pytest.mark.parametrize(
    ("request_", "layer", "mask"),
    [
        (LAYER, PIXELS[1:], MASK),
        (LAYER, PIXELS, MASK[1:]),
        (LAYER, PIXELS + MASK, b""),
        (replace(LAYER, channels=4), PIXELS, MASK),
        (replace(LAYER, channels=1), PIXELS[:12], MASK),
        (replace(LAYER, bits=16), PIXELS, MASK),
        (replace(LAYER, bits=32), PIXELS * 4, MASK),
    ],
)
def test_a_layer_that_does_not_fit_together_is_not_sent(
    hostile: HostileEngine, able: Engine, request_: ColoursRequest, layer: bytes, mask: bytes
):
    with pytest.raises(BadRequest):
        able.colours(request_, layer, mask, CancelSwitch())
    assert hostile.requests == []


def test_an_engine_that_cannot_clean_colours_is_not_asked(hostile: HostileEngine, engine: Engine):
    assert not engine.can(CLEAN_COLOURS)
    with pytest.raises(JobFailed) as caught:
        engine.colours(LAYER, PIXELS, MASK, CancelSwitch())
    assert caught.value.code == "unsupported"
    assert hostile.requests == []


WRONG_LAYERS: dict[str, tuple[Answer, type[ClientError]]] = {
    "too few samples": (pixels(LAID_OUT, PIXELS[1:]), BadReply),
    "too many samples": (pixels(LAID_OUT, PIXELS + b"x"), BadReply),
    "turned": (pixels(replace(LAID_OUT, width=3, height=4), PIXELS), BadReply),
    "other channels": (pixels(replace(LAID_OUT, channels=4), bytes(48)), BadReply),
    "no head": (pixels(Review(0.0), PIXELS), BadReply),
    "alpha": (alpha(LAID_OUT, PIXELS), BadReply),
    "a huge length": (pixels(LAID_OUT, PIXELS, Content_Length=10**15), BadReply),
    "busy": (says(Failure(Fault("engine-busy", "No.")), 503), EngineBusy),
    "too large": (says(Failure(Fault("photo-too-large", "No.")), 413), JobFailed),
    "silent": (stalls, EngineGone),
    "reset": (resets, EngineGone),
}


@pytest.mark.parametrize(("answer", "kind"), WRONG_LAYERS.values(), ids=WRONG_LAYERS.keys())
def test_a_layer_with_a_lie_in_it_is_not_taken(
    hostile: HostileEngine, able: Engine, answer: Answer, kind: type[ClientError]
):
    hostile.answers["POST /v1/colours"] = answer
    with pytest.raises(ClientError) as caught:
        able.colours(LAYER, PIXELS, MASK, CancelSwitch())
    assert type(caught.value) is kind


HUGE = 500_000_000


@pytest.mark.parametrize(
    ("answer", "info"),
    [
        (alpha(FULL, TWELVE), replace(INFO, width=30000, height=30000)),
        (alpha(FULL, TWELVE, head_bytes=HUGE, Content_Length=4 + HUGE + 12), INFO),
    ],
    ids=["samples", "head"],
)
def test_a_lie_about_the_size_costs_no_memory(
    hostile: HostileEngine, engine: Engine, answer: Answer, info: MatteInfo
):
    hostile.answers["POST /v1/mattes/m1/alpha"] = answer
    tracemalloc.start()
    with pytest.raises(BadReply):
        engine.alpha("m1", info, AlphaRequest())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000
