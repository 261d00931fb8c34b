"""Bodies that lie, drip, break off or make no sense: each is refused, and leaves nothing behind."""

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from attacks import Build, ask
from bent_launcher import HASTY_S
from engine_process import PATIENCE_S, EngineProcess, engine_in, frame, wait_for
from maskwright_client.protocol import (
    ABSENCE_S,
    HEAD_LENGTH_BYTES,
    MAX_HEAD_BYTES,
    MAX_SIDE,
    PIXELS_TYPE,
    AlphaRequest,
    Combine,
    MatteRequest,
)
from raw_reply import RawReply, parsed
from tiny_networks import tiny_networks

BENT = Path(__file__).parents[2] / "support" / "bent_launcher.py"
MOST = 1_000_000
IDLE_WITHIN_S = 1.0
GOOD = MatteRequest(2, 3, 3, 8, "u2netp", "test")


def small_home(folder: Path) -> Path:
    """A home whose engine takes one megapixel."""
    settings = folder / ".config" / "maskwright" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"engine": {"max_megapixels": 1}}', encoding="utf-8")
    settings.chmod(0o600)
    return folder


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    with engine_in(small_home(tmp_path_factory.mktemp("engine"))) as running:
        yield running


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    home = tmp_path_factory.mktemp("hasty")
    with engine_in(home, launcher=BENT, environ={"BENT": "hasty"}) as running:
        yield running


def jobs(engine: EngineProcess) -> int:
    return int(json.loads(engine.ask("GET", "/v1/hello").body)["jobs"])


@pytest.fixture(autouse=True)
def _nothing_is_left(engine: EngineProcess) -> Iterator[None]:
    yield
    wait_for(lambda: jobs(engine) == 0, 5)


def put(length: int | str, body: bytes, *, path: str = "/v1/mattes") -> Build:
    """Pixels that are announced with a length of their own."""
    headers = (f"Content-Type: {PIXELS_TYPE}", f"Content-Length: {length}")
    return ask(f"POST {path} HTTP/1.1", *headers, body=body)


def sent(engine: EngineProcess, body: bytes) -> RawReply:
    """What a photo with its right length is answered with; one that is taken is let go of."""
    return announced(engine, len(body), body)


def announced(engine: EngineProcess, length: int, body: bytes) -> RawReply:
    reply = parsed(engine.say(put(length, body)(engine.port, engine.token)))
    if reply.status == 202:
        engine.ask("DELETE", f"/v1/mattes/{json.loads(reply.body)['id']}")
    return reply


def headed(head: bytes, samples: bytes = b"") -> bytes:
    return len(head).to_bytes(HEAD_LENGTH_BYTES, "big") + head + samples


def changed(**fields: object) -> bytes:
    """A good head with other values, as JSON would have them."""
    return json.dumps({**vars(GOOD), **fields}).encode()


def test_a_good_photo_is_taken(engine: EngineProcess):
    assert sent(engine, frame(GOOD, bytes(18))).status == 202


@pytest.mark.parametrize(
    ("width", "height", "status"),
    [
        (1, 1, 202),
        (1, MAX_SIDE, 202),
        (MAX_SIDE, 1, 202),
        (1000, 1000, 202),
        (0, 0, 400),
        (0, 5, 400),
        (5, 0, 400),
        (-1, -1, 400),
        (1, MAX_SIDE + 1, 400),
        (MAX_SIDE + 1, 1, 400),
        (9901, 101, 413),  # one pixel too many
        (MAX_SIDE, MAX_SIDE, 413),
        (1 << 16, 1 << 16, 400),  # 0 in 32 bits
        ((1 << 32) + 1, 1, 400),  # 1 in 32 bits
        (1 << 32, 1 << 32, 400),  # 0 in 64 bits
        ((1 << 64) + 1, 1, 400),  # 1 in 64 bits
        (-(1 << 31), -2, 400),
    ],
)
def test_sizes(engine: EngineProcess, width: int, height: int, status: int):
    request = replace(GOOD, width=width, height=height)
    # What comes after a refused head is never looked at, so it may as well be missing.
    samples = bytes(request.pixels_bytes if status == 202 else 3)
    reply = sent(engine, frame(request, samples))
    assert reply.status == status
    if status != 202:
        assert reply.code == {400: "bad-photo", 413: "photo-too-large"}[status]


def test_a_photo_that_is_too_large_is_told_the_numbers(engine: EngineProcess):
    reply = sent(engine, frame(replace(GOOD, width=2000, height=1500)))
    message = json.loads(reply.body)["error"]["message"]
    assert "3 megapixels" in message
    assert "up to 1;" in message


def test_the_limit_is_looked_at_before_any_sample_comes(engine: EngineProcess):
    """And a head before the length of the whole, which may be anything that the gate lets by."""
    head = frame(replace(GOOD, width=9901, height=101))
    assert announced(engine, len(head) + 9901 * 101 * 3, head).status == 413
    assert announced(engine, 3_000_000_000, frame(GOOD)).code == "wrong-length"


def test_more_than_any_engine_takes_is_refused_by_the_gate(engine: EngineProcess):
    assert announced(engine, 4_000_000_000, b"").status == 413


@dataclass(frozen=True)
class Depth:
    channels: object
    bits: object
    samples: int
    status: int


@pytest.mark.parametrize(
    "depth",
    [
        Depth(3, 8, 18, 202),
        Depth(4, 8, 24, 202),
        Depth(3, 16, 36, 202),
        Depth(4, 16, 48, 202),
        Depth(3, 16, 18, 400),
        Depth(3, 8, 36, 400),
        Depth(4, 8, 18, 400),
        Depth(3, 16, 35, 400),
        Depth(3, 16, 37, 400),
        Depth(3, 8, 17, 400),
        Depth(3, 8, 19, 400),
        Depth(3, 8, 0, 400),
        Depth(3, 8, 24, 400),  # rows of two pixels padded to eight bytes
        Depth(0, 8, 0, 400),
        Depth(1, 8, 6, 400),
        Depth(2, 8, 12, 400),
        Depth(5, 8, 30, 400),
        Depth(-3, 8, 18, 400),
        Depth(3, 0, 0, 400),
        Depth(3, 1, 0, 400),
        Depth(3, 9, 18, 400),
        Depth(3, 32, 72, 400),
        Depth(3, -8, 18, 400),
        Depth(1 << 40, 8, 18, 400),
    ],
)
def test_layouts(engine: EngineProcess, depth: Depth):
    head = changed(channels=depth.channels, bits=depth.bits)
    assert sent(engine, headed(head, bytes(depth.samples))).status == depth.status


@pytest.mark.parametrize("field", ["width", "height", "channels", "bits"])
@pytest.mark.parametrize(
    "value", [2.0, 2.5, True, "2", "", None, [], [2], {}, {"a": 2}], ids=lambda value: repr(value)
)
def test_a_number_is_a_whole_number(engine: EngineProcess, field: str, value: object):
    reply = sent(engine, headed(changed(**{field: value}), bytes(18)))
    assert (reply.status, reply.code) == (400, "bad-request")
    assert f"MatteRequest.{field} must be of the kind int" in reply.body.decode()


GOOD_HEAD = changed()
HEADS = {
    "nothing": b"",
    "a space": b" ",
    "no JSON": b"width=2",
    "half of it": GOOD_HEAD[:-9],
    "twice": GOOD_HEAD * 2,
    "a list": b"[" + GOOD_HEAD + b"]",
    "a text": json.dumps(GOOD_HEAD.decode()).encode(),
    "a number": b"5",
    "null": b"null",
    "deep lists": b"[" * 60_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep inside": GOOD_HEAD[:-1] + b',"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "a field less": json.dumps({**vars(GOOD), "model": None}).encode(),
    "a number of many digits": GOOD_HEAD.replace(b'"width": 2', b'"width": ' + b"9" * 5000),
    "infinity": GOOD_HEAD.replace(b'"width": 2', b'"width": 1e999'),
    "not a number": GOOD_HEAD.replace(b'"width": 2', b'"width": NaN'),
    "bytes that are no text": b"\xff\xfe\xfd" + GOOD_HEAD,
    "half a character": GOOD_HEAD.replace(b"test", b"\xe9"),
    "NUL": GOOD_HEAD.replace(b"test", b"\0"),
    "a client of no name": changed(client=""),
    "a client of a long name": changed(client="c" * 65),
    "a client beyond ASCII": changed(client="caf\u00e9"),
    "a client of two lines": changed(client="a\nb"),
    "a client that is half a pair": changed(client="\ud800"),
    "a focus that is a number": changed(focus=1),
    "a focus that is a text": changed(focus="false"),
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_heads_that_make_no_sense(engine: EngineProcess, head: bytes):
    reply = sent(engine, headed(head, bytes(18)))
    assert (reply.status, reply.code) == (400, "bad-request")
    assert len(reply.body) < 300


def test_of_two_fields_of_the_same_name_the_last_one_counts_everywhere(engine: EngineProcess):
    head = GOOD_HEAD.replace(b'"width": 2', b'"width": 1000000, "width": 2')
    assert sent(engine, headed(head, bytes(18))).status == 202
    head = GOOD_HEAD.replace(b'"width": 2', b'"width": 2, "width": 1000000')
    assert sent(engine, headed(head, bytes(18))).code == "bad-photo"


@pytest.mark.parametrize(
    ("announced_head", "body"),
    [
        (18, b"{}"),
        (MAX_HEAD_BYTES, b"{}"),
        (MAX_HEAD_BYTES + 1, bytes(MAX_HEAD_BYTES + 1)),
        (0xFFFFFFFF, b"{}"),
        (0x80000000, b"{}"),
    ],
)
def test_a_head_fits_into_its_body_and_into_64_kib(
    engine: EngineProcess, announced_head: int, body: bytes
):
    whole = announced_head.to_bytes(HEAD_LENGTH_BYTES, "big") + body
    reply = sent(engine, whole)
    assert (reply.status, reply.code) == (400, "wrong-length")


def test_a_head_of_64_kib_is_read(engine: EngineProcess):
    assert sent(engine, headed(GOOD_HEAD.ljust(MAX_HEAD_BYTES), bytes(18))).status == 202


@pytest.mark.parametrize("size", range(4))
def test_a_body_without_a_whole_length_of_its_head(engine: EngineProcess, size: int):
    assert sent(engine, bytes(size)).status == 400


def test_a_body_that_is_longer_than_announced_is_cut_off(engine: EngineProcess):
    body = frame(GOOD, bytes(18))
    # What is over would be the next request, which it is not.
    heard = engine.say(put(len(body), body + b"\0\0\0\r\n\r\n")(engine.port, engine.token))
    assert parsed(heard).status == 202
    assert heard.count(b"HTTP/1.1 2") == 1
    assert announced(engine, len(body) - 1, body).code == "wrong-length"


@pytest.mark.parametrize("missing", [1, 18, 40])
def test_a_body_that_is_shorter_than_announced_is_waited_for_and_no_longer(
    hasty: EngineProcess, missing: int
):
    body = frame(GOOD, bytes(18))
    began = time.monotonic()
    reply = announced(hasty, len(body), body[:-missing])
    assert (reply.status, reply.code) == (408, "slow-request")
    assert HASTY_S * 0.9 < time.monotonic() - began < HASTY_S + 5
    assert jobs(hasty) == 0


def test_a_small_body_is_waited_for_no_longer(hasty: EngineProcess):
    request = ask("POST /v1/free HTTP/1.1", "Content-Type: application/json", "Content-Length: 9")
    assert parsed(hasty.say(request(hasty.port, hasty.token))).status == 408


def closed_after(engine: EngineProcess, pieces: Iterator[bytes], every_s: float) -> float:
    """Send pieces until the engine closes, how long that took; or until there are no more."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", engine.port), timeout=every_s) as line:
        for piece in pieces:
            try:
                line.sendall(piece)
                if line.recv(1024) == b"":
                    return time.monotonic() - began
            except TimeoutError:
                continue
            except ConnectionError:
                return time.monotonic() - began
    return float("inf")


def dripping(request: bytes) -> Iterator[bytes]:
    """A byte at a time, for as long as there are any."""
    return (request[at : at + 1] for at in range(len(request)))


def test_a_head_that_drips_ends_in_time(hasty: EngineProcess):
    request = ask("GET /v1/hello HTTP/1.1")(hasty.port, hasty.token)
    assert HASTY_S * 0.9 < closed_after(hasty, dripping(request), 0.05) < HASTY_S + 3


def test_a_patient_engine_would_still_wait_for_it(engine: EngineProcess):
    request = ask("GET /v1/hello HTTP/1.1")(engine.port, engine.token)
    assert closed_after(engine, dripping(request[: int(3 * HASTY_S / 0.05)]), 0.05) == float("inf")


def test_who_connects_and_says_nothing_is_sent_away(hasty: EngineProcess):
    assert HASTY_S * 0.9 < closed_after(hasty, iter([b""] * 100), 0.05) < HASTY_S + 3


def test_the_second_head_of_a_connection_ends_in_time_too(hasty: EngineProcess):
    first = ask("GET /v1/hello HTTP/1.1", without="Connection")(hasty.port, hasty.token)
    pieces = iter([first, *[b"G"] * 100])
    assert HASTY_S * 0.9 < closed_after(hasty, pieces, 0.05) < HASTY_S + 3


def test_a_body_that_drips_is_read_to_its_end(hasty: EngineProcess):
    body = frame(GOOD, bytes(18))
    whole = put(len(body), b"")(hasty.port, hasty.token)
    with socket.create_connection(("127.0.0.1", hasty.port), timeout=PATIENCE_S) as line:
        line.sendall(whole + body[:-4])
        for at in range(len(body) - 4, len(body)):
            time.sleep(HASTY_S * 0.5)  # together longer than the engine's patience
            line.sendall(body[at : at + 1])
        assert parsed(line.recv(4096)).status == 202


BREAKS = [10, 200, 4000]  # in the head, in the first samples, in the middle


@pytest.mark.parametrize("after", BREAKS)
@pytest.mark.parametrize("abruptly", [False, True])
def test_who_leaves_in_the_middle_of_a_body_leaves_nothing(
    engine: EngineProcess, after: int, abruptly: bool
):
    body = frame(replace(GOOD, width=100, height=100), bytes(30_000))
    request = put(len(body), body[:after])(engine.port, engine.token)
    with socket.create_connection(("127.0.0.1", engine.port), timeout=PATIENCE_S) as line:
        line.sendall(request)
        time.sleep(0.05)
        if abruptly:
            linger = (1).to_bytes(4, "little") + bytes(4)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    wait_for(lambda: connections(engine) == 0, IDLE_WITHIN_S)
    assert jobs(engine) == 0


def connections(engine: EngineProcess) -> int:
    """How many are open, as the system sees it."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours, established = f"0100007F:{engine.port:04X}", "01"
    return sum(row[1] == ours and row[3] == established for row in rows)


@pytest.mark.slow
def test_who_leaves_in_the_middle_of_a_job_leaves_nothing(
    tmp_path_factory: pytest.TempPathFactory,
):
    folder = tmp_path_factory.mktemp("slow")
    networks = tiny_networks(folder, steps=4000)  # 8 s and more
    with engine_in(folder, environ=networks.environ) as engine:
        ids = []
        for shade in range(3):  # one runs, two wait
            request = replace(GOOD, model=networks.slow)
            reply = engine.ask(
                "POST", "/v1/mattes", frame(request, bytes([shade]) * 18), PIXELS_TYPE
            )
            ids.append(json.loads(reply.body)["id"])
        lines = [listening(engine, one) for one in ids]
        wait_for(lambda: b'"predicting"' in lines[0].recv(4096))
        time.sleep(ABSENCE_S)  # each has been listened to for longer than it need be
        assert jobs(engine) == 3
        for line in lines:
            line.close()
        wait_for(lambda: jobs(engine) == 0, IDLE_WITHIN_S)
        for one in ids:
            assert b'"state":"cancelled"' in engine.ask("GET", f"/v1/mattes/{one}/events").body


def listening(engine: EngineProcess, matte_id: str) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", engine.port), timeout=PATIENCE_S)
    line.sendall(ask(f"GET /v1/mattes/{matte_id}/events HTTP/1.1")(engine.port, engine.token))
    return line


@pytest.fixture(scope="module")
def matte_id(engine: EngineProcess) -> str:
    """A finished matte of two by three pixels."""
    reply = engine.ask("POST", "/v1/mattes", frame(GOOD, bytes(18)), PIXELS_TYPE)
    found = str(json.loads(reply.body)["id"])
    assert b'"state":"done"' in engine.ask("GET", f"/v1/mattes/{found}/events").body
    return found


ALPHA = json.loads(frame(AlphaRequest())[HEAD_LENGTH_BYTES:])
REGION = {"left": 0, "top": 0, "width": 1, "height": 1}
ASKED: dict[str, tuple[dict[str, object], int]] = {
    "a mask that nobody wants": ({}, 6),
    "a mask too short": ({"combine": "add"}, 5),
    "a mask too long": ({"combine": "add"}, 7),
    "no mask": ({"combine": "add"}, 0),
    "a mask of the whole for a part": ({"combine": "add", "region": REGION}, 6),
    "another way to combine": ({"combine": "xor"}, 6),
    "a way that is a list": ({"combine": ["add"]}, 6),
    "bits": ({"bits": 7}, 0),
    "no bits": ({"bits": 0}, 0),
    "region beside": ({"region": {**REGION, "left": 2}}, 0),
    "region far away": ({"region": {**REGION, "left": 1 << 70}}, 0),
    "region before": ({"region": {**REGION, "left": -1, "width": 2}}, 0),
    "region of nothing": ({"region": {**REGION, "width": 0}}, 0),
    "region of less": ({"region": {**REGION, "width": -1}}, 0),
    "region of too much": ({"region": {**REGION, "height": 4}}, 0),
    "region in fractions": ({"region": {**REGION, "width": 1.5}}, 0),
    "preview of nothing": ({"preview": 0}, 0),
    "preview of less": ({"preview": -1}, 0),
    "preview of too much": ({"preview": 1 << 40}, 0),
    "preview of a region": ({"preview": 2, "region": REGION}, 0),
    **{
        f"edges: {name} {value}": ({"edges": {name: value}}, 0)
        for name, value in [
            ("shift", 10.5),
            ("shift", -1e308),
            ("feather", -1),
            ("feather", 1e9),
            ("contrast", 2),
            ("midpoint", -0.1),
            ("solidify", 1.1),
            ("fill_holes", -1),
            ("drop_specks", -1),
            ("largest", 1),
            ("invert", "yes"),
            ("shift", None),
            ("shift", 10**400),
        ]
    },
}


@pytest.mark.parametrize(("fields", "samples"), ASKED.values(), ids=ASKED.keys())
def test_alpha_that_cannot_be(
    engine: EngineProcess, matte_id: str, fields: dict[str, object], samples: int
):
    body = headed(json.dumps({**ALPHA, **fields}).encode(), bytes(samples))
    path = f"/v1/mattes/{matte_id}/alpha"
    reply = parsed(engine.say(put(len(body), body, path=path)(engine.port, engine.token)))
    assert reply.status == 400
    assert len(reply.body) < 300


def test_alpha_that_can_be(engine: EngineProcess, matte_id: str):
    whole = replace(AlphaRequest(), combine=Combine.add)
    reply = engine.ask("POST", f"/v1/mattes/{matte_id}/alpha", frame(whole, bytes(6)), PIXELS_TYPE)
    assert reply.status == 200
    assert reply.body.endswith(bytes(6))
