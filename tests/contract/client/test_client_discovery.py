"""Who is believed to be the engine, and what a stranger gets to see: nothing."""

import socket
import time
from pathlib import Path

import pytest
from engine_process import wait_for
from hostile_engine import (
    INSTANCE,
    TOKEN,
    Answer,
    HostileEngine,
    Talk,
    drips,
    hostile_engine,
    proves,
    raw,
    says,
    stalls,
)
from maskwright_client import discovery
from maskwright_client.cancel import CancelSwitch
from maskwright_client.discovery import Found, find, prove
from maskwright_client.errors import (
    ClientError,
    EngineAbsent,
    EngineBusy,
    EngineGone,
    EngineRefused,
    VersionMismatch,
)
from maskwright_client.loopback import Patience
from maskwright_client.places import Places
from maskwright_client.protocol import MAX_REPLY_JSON_BYTES, Failure, Fault, Hello, Pong
from maskwright_client.transport import Line


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = discovery._PATIENCE
    assert usual.whole_s is not None
    few = Patience(usual.connect_s, usual.read_s / 5, usual.whole_s / 5)
    monkeypatch.setattr(discovery, "_PATIENCE", few)


def looked(places: Places, environ: dict[str, str] | None = None) -> Found | ClientError:
    try:
        return find(places, environ or {}, CancelSwitch())
    except ClientError as error:
        return error


def test_an_engine_that_proves_itself_is_found(places: Places, hostile: HostileEngine):
    hostile.leave_file(places)
    found = looked(places)
    assert isinstance(found, Found)
    assert found.address == hostile.address
    assert found.hello == Hello(1, 1, "9.9", INSTANCE)
    assert hostile.requests == ["GET /v1/ping", "GET /v1/hello"]


def test_the_token_is_in_no_picture_of_what_was_found(places: Places, hostile: HostileEngine):
    hostile.leave_file(places)
    assert TOKEN not in repr(looked(places))
    assert TOKEN not in repr(hostile.trace)


def test_a_ping_shows_no_token(places: Places, hostile: HostileEngine):
    seen: list[dict[str, str]] = []

    def look(talk: Talk) -> None:
        seen.append(talk.headers)
        proves(talk)

    hostile.answers["GET /v1/ping"] = look
    hostile.leave_file(places)
    looked(places)
    assert "authorization" not in seen[0]
    assert seen[0].keys() == {"host"}
    assert seen[0]["host"] == f"127.0.0.1:{hostile.port}"


def test_no_file_means_no_engine(places: Places):
    found = looked(places)
    assert isinstance(found, EngineAbsent)
    assert found.code == "engine-absent"


def test_a_file_whose_engine_is_gone_means_no_engine(places: Places):
    with hostile_engine() as gone:
        gone.leave_file(places)
    assert isinstance(looked(places), EngineAbsent)


def without_keep_alive(talk: Talk) -> None:
    """Prove oneself, and hang up, so that the next connection may go to somebody else."""
    original = talk.reply
    talk.reply = lambda *a, **k: original(*a, Connection="close", **k)  # type: ignore[method-assign]
    proves(talk)


STRANGERS: dict[str, Answer] = {
    "a wrong proof": says(Pong("0" * 64)),
    "a proof that is no ASCII": says(Pong("\u00e9\ud800")),
    "no proof": raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    ),
    "a page": raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nHello"),
    "not found": raw(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    "no entry": says(Failure(Fault("wrong-token", "Give me the token.")), 401),
    "no HTTP": raw(b"220 mail.example.org ESMTP\r\n"),
    "huge": raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        % (MAX_REPLY_JSON_BYTES + 1)
    ),
    "chunked": raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"-5\r\n" + b"x" * 5000
    ),
    "endless headers": raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200),
    "a proof, and hangs up": without_keep_alive,
}


@pytest.mark.parametrize("answer", STRANGERS.values(), ids=STRANGERS.keys())
def test_a_stranger_is_shown_nothing(places: Places, hostile: HostileEngine, answer: Answer):
    hostile.answers["GET /v1/ping"] = answer
    hostile.leave_file(places)
    found = looked(places)
    assert isinstance(found, EngineAbsent)
    assert found.code == "stranger"
    assert hostile.requests == ["GET /v1/ping"]
    assert not hostile.was_shown


def test_a_stranger_cannot_send_us_on(
    places: Places, hostile: HostileEngine, another: HostileEngine
):
    hostile.answers["GET /v1/ping"] = raw(
        b"HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:%d/v1/ping\r\nContent-Length: 0\r\n\r\n"
        % another.port
    )
    hostile.leave_file(places)
    assert isinstance(looked(places), EngineAbsent)
    assert another.heard == b""


def test_a_stranger_cannot_pass_on_the_true_engines_proof(
    places: Places, hostile: HostileEngine, another: HostileEngine
):
    def pass_on(talk: Talk) -> None:
        with socket.create_connection(("127.0.0.1", another.port)) as line:
            line.sendall(b"GET /v1/ping?%s HTTP/1.1\r\nHost: x\r\n\r\n" % talk.query.encode())
            talk.say(line.recv(65536))

    hostile.answers["GET /v1/ping"] = pass_on
    hostile.leave_file(places)
    found = looked(places)
    assert another.requests == ["GET /v1/ping"]
    assert isinstance(found, EngineAbsent)
    assert not hostile.was_shown


SLOW: dict[str, Answer] = {
    "silent": stalls,
    "a byte at a time": drips(b"H"),
    "never the last answer": drips(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "never the last header": drips(b"HTTP/1.1 200 OK\r\n"),
}


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW.keys())
def test_a_slow_stranger_is_left_alone_in_time(
    places: Places, hostile: HostileEngine, answer: Answer
):
    hostile.answers["GET /v1/ping"] = answer
    hostile.leave_file(places)
    start = time.monotonic()
    found = looked(places)
    assert time.monotonic() - start < 2.0
    assert isinstance(found, EngineAbsent)
    assert not hostile.was_shown


def test_a_busy_engine_that_has_no_time_to_prove_itself_does_not_count_as_one(
    places: Places, hostile: HostileEngine
):
    busy = says(Failure(Fault("engine-busy", "Busy.")), 503)
    hostile.answers["GET /v1/ping"] = busy
    hostile.leave_file(places)
    found = looked(places)
    assert isinstance(found, EngineAbsent)
    assert found.code == "engine-busy"
    del hostile.answers["GET /v1/ping"]
    hostile.answers["GET /v1/hello"] = busy
    assert isinstance(looked(places), EngineBusy)


def test_an_engine_with_another_instance_is_a_stranger(places: Places, hostile: HostileEngine):
    hostile.answers["GET /v1/hello"] = says(Hello(1, 1, "9.9", "another"))
    hostile.leave_file(places)
    found = looked(places)
    assert isinstance(found, EngineAbsent)
    assert found.code == "stranger"


def test_an_engine_that_does_not_know_our_token_refuses(places: Places, hostile: HostileEngine):
    hostile.answers["GET /v1/hello"] = says(Failure(Fault("wrong-token", "No.")), 401)
    hostile.leave_file(places)
    assert isinstance(looked(places), EngineRefused)


@pytest.mark.parametrize(
    ("low", "high", "code", "older"),
    [
        (0, 0, "engine-too-old", "The engine is older than this plug-in"),
        (2, 3, "plugin-too-old", "This plug-in is older than the engine"),
        (0, 1, None, None),
        (1, 7, None, None),
    ],
)
@pytest.mark.parametrize("where", ["file", "hello"])
def test_the_older_side_is_named(
    places: Places,
    hostile: HostileEngine,
    low: int,
    high: int,
    code: str | None,
    older: str | None,
    where: str,
):
    if where == "hello":
        hostile.answers["GET /v1/hello"] = says(Hello(low, high, "9.9", INSTANCE))
        hostile.leave_file(places)
    else:
        hostile.leave_file(places, protocol_min=low, protocol_max=high)
    found = looked(places)
    if code is None:
        assert isinstance(found, Found)
        return
    assert isinstance(found, VersionMismatch)
    assert found.code == code
    assert older is not None
    assert found.message.startswith(older)


def test_an_old_file_whose_engine_is_gone_is_no_mismatch(places: Places):
    with hostile_engine() as gone:
        gone.leave_file(places, protocol_min=0, protocol_max=0)
    assert isinstance(looked(places), EngineAbsent)


def test_in_a_snap_the_copy_that_it_can_read_comes_first(
    places: Places, hostile: HostileEngine, another: HostileEngine, home: Path
):
    another.leave_file(places)
    environ = {"SNAP": "/snap/gimp/1", "SNAP_USER_COMMON": str(home / "snap/gimp/common")}
    found = looked(places, environ)
    assert isinstance(found, Found)
    assert found.address.port == another.port
    copy = home / "snap/gimp/common/maskwright/engine.json"
    copy.parent.mkdir(mode=0o700, parents=True)
    hostile.leave_file(places)
    copy.write_bytes(places.runtime_file.read_bytes())
    copy.chmod(0o600)
    another.leave_file(places)
    found = looked(places, environ)
    assert isinstance(found, Found)
    assert found.address.port == hostile.port


def test_every_connection_is_proven_anew(hostile: HostileEngine):
    """An engine may leave, and a stranger get its port, between two calls."""
    found = prove(hostile.trace, CancelSwitch())
    hostile.answers["GET /v1/ping"] = says(Pong("0" * 64))
    hostile.heard.clear()
    with (
        Line(found.address, CancelSwitch(), Patience()) as line,
        pytest.raises(EngineGone) as caught,
    ):
        line.record(Hello, "GET", "/v1/hello")
    assert caught.value.code == "stranger"
    assert not hostile.was_shown


def test_a_connection_that_was_closed_in_between_is_proven_anew(hostile: HostileEngine):
    hello = Hello(1, 1, "9.9", INSTANCE)
    hostile.answers["GET /v1/hello"] = says(hello, Connection="close")
    with Line(hostile.address, CancelSwitch(), Patience()) as line:
        assert line.record(Hello, "GET", "/v1/hello") == hello
        assert line.record(Hello, "GET", "/v1/hello") == hello
    assert hostile.requests == ["GET /v1/ping", "GET /v1/hello"] * 2


def test_proxies_are_not_asked(
    places: Places, hostile: HostileEngine, another: HostileEngine, monkeypatch: pytest.MonkeyPatch
):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{another.port}")
    hostile.leave_file(places)
    assert isinstance(looked(places), Found)
    assert another.heard == b""


def test_a_cancel_while_looking(places: Places, hostile: HostileEngine):
    cancel = CancelSwitch()

    def cancels(talk: Talk) -> None:
        cancel.cancel()
        talk.stall()

    hostile.answers["GET /v1/ping"] = cancels
    hostile.leave_file(places)
    with pytest.raises(ClientError) as caught:
        find(places, {}, cancel)
    assert caught.value.code == "cancelled"


def test_nothing_is_left_open(places: Places, hostile: HostileEngine):
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    hostile.leave_file(places)
    before = open_files()
    for _ in range(5):
        assert isinstance(looked(places), Found)
    wait_for(lambda: open_files() <= before)
