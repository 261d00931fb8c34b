"""Too many at once: a clear refusal, bounded memory, and an engine that works as before."""

import contextlib
import random
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from engine_client import Listener, client_of, matted
from engine_process import EngineProcess, engine_in, frame, wait_for
from figures import show
from maskwright.service.limits import CONNECTIONS, RETRY_AFTER_S
from maskwright_client.client import Engine
from maskwright_client.protocol import (
    PIXELS_TYPE,
    AlphaRequest,
    ColoursRequest,
    MatteRequest,
    MatteState,
)
from proc_files import connections, forget_peak, open_files, peak_kib, resident_kib
from raw_reply import RawReply, parsed
from subject_photos import ball
from tiny_networks import Networks, tiny_networks

AT_ONCE = 200
MOST_GROWTH_MIB = 400
SIDE = 1000
STRANGERS = CONNECTIONS + 40


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Networks:
    return tiny_networks(tmp_path_factory.mktemp("networks"))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, networks: Networks) -> Iterator[EngineProcess]:
    with engine_in(tmp_path_factory.mktemp("engine"), environ=networks.environ) as running:
        matted(client_of(running), ball(64, 48), model=networks.slow)
        yield running


@pytest.fixture
def client(engine: EngineProcess) -> Iterator[Engine]:
    """At the end the engine must be at rest, and do a job."""
    engine_client = client_of(engine)
    files = open_files(engine.process.pid)
    yield engine_client
    wait_for(lambda: client_of(engine).hello().jobs == 0)
    wait_for(lambda: not connections(engine.port))
    assert len(open_files(engine.process.pid)) <= len(files)


def connected(engine: EngineProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", engine.port), timeout=10)


def head(engine: EngineProcess, line: str, *headers: str) -> bytes:
    own = (f"Host: 127.0.0.1:{engine.port}", f"Authorization: Bearer {engine.token}")
    return "\r\n".join([f"{line} HTTP/1.1", *own, *headers, "Connection: close", "", ""]).encode()


def with_body(engine: EngineProcess, path: str, body: bytes) -> bytes:
    headers = (f"Content-Type: {PIXELS_TYPE}", f"Content-Length: {len(body)}")
    return head(engine, f"POST {path}", *headers) + body


def answer(engine: EngineProcess, request: bytes) -> RawReply:
    """What a client hears that goes on listening when it cannot send any more."""
    heard = b""
    with connected(engine) as line:
        with contextlib.suppress(ConnectionError):
            line.sendall(request)
        with contextlib.suppress(ConnectionError):
            while chunk := line.recv(1 << 20):
                heard += chunk
    return parsed(heard)


def flood(engine: EngineProcess, networks: Networks, matte_id: str) -> list[tuple[str, bytes]]:
    """As many of each kind: what is asked, and how."""
    chance = random.Random(9)
    photo = MatteRequest(SIDE, SIDE, 3, 8, networks.slow, "flood")
    layer = ColoursRequest(SIDE, SIDE, 3, 8, "flood")
    requests = []
    for number in range(AT_ONCE // 5):
        pixels = chance.randbytes(999) * (photo.pixels_bytes * 4 // 3 // 999 + 1)
        body = frame(photo, pixels[: photo.pixels_bytes])
        alpha = frame(AlphaRequest(bits=16))
        soft = frame(layer, pixels[: layer.pixels_bytes + layer.mask_bytes])
        requests += [
            ("hello", head(engine, "GET /v1/hello")),
            ("matte", with_body(engine, "/v1/mattes", body)),
            ("alpha", with_body(engine, f"/v1/mattes/{matte_id}/alpha", alpha)),
            ("colours", with_body(engine, "/v1/colours", soft)),
            ("garbage", chance.randbytes(1 + number * 100) + b"\r\n\r\n"),
        ]
    return requests


@pytest.mark.slow
def test_a_flood_is_refused_in_words_and_takes_little_memory(
    engine: EngineProcess, client: Engine, networks: Networks
):
    matte_id, _ = matted(client, ball(SIDE, SIDE, seed=3), model=networks.quick)
    requests = flood(engine, networks, matte_id)
    pid = engine.process.pid
    before = resident_kib(pid)
    forget_peak(pid)
    together = Barrier(AT_ONCE)

    def ask(kind: str, request: bytes) -> tuple[str, RawReply]:
        together.wait()
        return kind, answer(engine, request)

    with ThreadPoolExecutor(AT_ONCE) as clients:
        asked = [clients.submit(ask, *one) for one in requests]
        replies = [one.result() for one in asked]
    growth = (peak_kib(pid) - before) / 1024
    said = Counter((kind, reply.status) for kind, reply in replies)
    show(f"{growth:.0f} MiB more at the peak; {dict(sorted(said.items()))}")
    assert growth < MOST_GROWTH_MIB
    good = {"hello": 200, "matte": 202, "alpha": 200, "colours": 200, "garbage": 400}
    assert [(kind, status) for kind, status in said if status not in (good[kind], 503)] == []
    refusals = [reply for _, reply in replies if reply.status == 503]
    assert len(refusals) > AT_ONCE // 8
    for reply in refusals:
        assert reply.code == "engine-busy"
        assert reply.header("retry-after") == str(RETRY_AFTER_S)
        assert {"x-content-type-options", "cache-control"} <= reply.names
    wait_for(lambda: client.hello().jobs == 0)
    assert matted(client, ball(64, 48, seed=4), model=networks.quick)[1].network_runs


@contextlib.contextmanager
def strangers(engine: EngineProcess, first_words: bytes) -> Iterator[list[socket.socket]]:
    """Programs that connect, perhaps say something, and stay."""
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(connected(engine)) for _ in range(STRANGERS)]
        for line in lines:
            with contextlib.suppress(ConnectionError):
                line.sendall(first_words)
        wait_for(lambda: connections(engine.port) <= CONNECTIONS)
        yield lines


WORDS = {
    "nothing": b"",
    "half a head": b"GET /v1/ping?nonce=",
    "a ping": b"GET /v1/ping?nonce=%b HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n" % (b"00" * 32),
}


@pytest.mark.parametrize("words", WORDS)
def test_strangers_who_stay_keep_no_editor_out(
    engine: EngineProcess, client: Engine, networks: Networks, words: str
):
    spoken = WORDS[words].replace(b"{port}", str(engine.port).encode())
    with strangers(engine, spoken) as lines:
        assert connections(engine.port) == CONNECTIONS
        began = time.monotonic()
        seed = 5 + list(WORDS).index(words)
        assert matted(client, ball(64, 48, seed=seed), model=networks.quick)[1].network_runs
        assert time.monotonic() - began < 1.0
        turned_away = [line for line in lines if b"HTTP/1.1 503 " in heard_so_far(line)]
        assert len(turned_away) >= STRANGERS - CONNECTIONS


def heard_so_far(line: socket.socket) -> bytes:
    line.setblocking(False)
    with contextlib.suppress(BlockingIOError, ConnectionError):
        return line.recv(65536)
    return b""


@pytest.mark.slow
def test_a_job_goes_on_while_strangers_come(
    engine: EngineProcess, client: Engine, networks: Networks
):
    runs = Listener()
    with ThreadPoolExecutor(1) as clients:
        job = clients.submit(
            matted, client, ball(64, 48, seed=9), model=networks.slow, listener=runs
        )
        wait_for(lambda: MatteState.predicting in runs.states)
        with strangers(engine, b""):
            assert not job.done()
            assert job.result()[1].network_runs


def test_an_answer_leaves_at_once(client: Engine):
    def asked_s() -> float:
        began = time.monotonic()
        client.hello()
        return time.monotonic() - began

    # Held back by Nagle's algorithm it would take 40 ms, however often it is asked for.
    assert min(asked_s() for _ in range(10)) < 0.03
