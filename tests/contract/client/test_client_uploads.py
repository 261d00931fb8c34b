"""Pixels on their way to the engine: as they are, never copied, and not further than wanted."""

import mmap
import signal
import subprocess
import sys
import textwrap
import tracemalloc
from array import array
from pathlib import Path
from typing import Any

import maskwright_client
import pytest
from hostile_engine import (
    INSTANCE,
    HangUp,
    HostileEngine,
    Talk,
    alpha,
    creates,
    resets,
)
from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.codec import dumps
from maskwright_client.discovery import Found
from maskwright_client.errors import BadReply, BadRequest, EngineGone, JobFailed
from maskwright_client.protocol import (
    AlphaHead,
    AlphaRequest,
    Failure,
    Fault,
    Hello,
    MatteInfo,
    MatteRequest,
)

HELLO = Hello(1, 1, "9.9", INSTANCE)
SMALL = MatteRequest(2, 3, 4, 16, "u2netp", "test")
PIXELS = bytes(range(48))
LARGE = MatteRequest(4000, 4000, 4, 8, "u2netp", "test")


@pytest.fixture
def engine(hostile: HostileEngine) -> Engine:
    return Engine(Found(hostile.address, HELLO))


def mapped() -> mmap.mmap:
    memory = mmap.mmap(-1, 48)
    memory.write(PIXELS)
    return memory


BUFFERS: dict[str, Any] = {
    "bytes": PIXELS,
    "bytearray": bytearray(PIXELS),
    "view": memoryview(b"x" + PIXELS)[1:],
    "shaped view": memoryview(PIXELS).cast("B", (3, 2, 8)),
    "16 bits": array("H", PIXELS),
    "mapped": mapped(),
}


@pytest.mark.parametrize("pixels", BUFFERS.values(), ids=BUFFERS.keys())
def test_any_contiguous_buffer_is_sent_as_it_is(
    hostile: HostileEngine, engine: Engine, pixels: Any
):
    bodies: list[bytes] = []

    def take(talk: Talk) -> None:
        assert talk.headers["content-type"] == "application/vnd.maskwright.pixels"
        bodies.append(talk.body())
        creates("m1")(talk)

    hostile.answers["POST /v1/mattes"] = take
    assert engine.submit(SMALL, pixels, CancelSwitch()) == "m1"
    head = dumps(SMALL)
    assert bodies == [len(head).to_bytes(4, "big") + head + PIXELS]


@pytest.mark.parametrize(
    "pixels",
    [PIXELS[1:], PIXELS + b"x", b"", memoryview(bytes(96))[::2], "text"],
    ids=["short", "long", "none", "with gaps", "no buffer"],
)
def test_pixels_that_do_not_fit_are_not_sent(hostile: HostileEngine, engine: Engine, pixels: Any):
    with pytest.raises(BadRequest):
        engine.submit(SMALL, pixels, CancelSwitch())
    assert hostile.heard == b""


def test_a_photo_is_not_copied_on_its_way(hostile: HostileEngine, engine: Engine):
    def swallow(talk: Talk) -> None:
        left = int(talk.headers["content-length"]) - len(talk.rest)
        talk.rest.clear()
        while left:
            left -= len(talk.server.receive(talk.sock))
        talk.headers["content-length"] = "0"
        creates("m1")(talk)

    hostile.answers["POST /v1/mattes"] = swallow
    pixels = bytearray(LARGE.pixels_bytes)
    tracemalloc.start()
    engine.submit(LARGE, pixels, CancelSwitch())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(pixels) // 8


def test_alpha_comes_in_one_piece_of_memory(hostile: HostileEngine, engine: Engine):
    info = MatteInfo(4000, 4000, 8, "u2netp", "CPU", "cpu", 1, False, {}, 0.0)
    samples = bytes(16_000_000)
    hostile.answers["POST /v1/mattes/m1/alpha"] = alpha(AlphaHead(4000, 4000, 8), samples)
    tracemalloc.start()
    found = engine.alpha("m1", info, AlphaRequest())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.samples) == 16_000_000
    # The server's copy, made while it answers, and the client's.
    assert peak < 2.3 * len(samples)


def test_an_engine_that_refuses_early_is_understood(hostile: HostileEngine, engine: Engine):
    def refuse(talk: Talk) -> None:
        body = dumps(Failure(Fault("photo-too-large", "Too large.")))
        talk.reply(413, body, "application/json", Connection="close")
        raise HangUp

    hostile.answers["POST /v1/mattes"] = refuse
    with pytest.raises(JobFailed) as caught:
        engine.submit(LARGE, bytes(LARGE.pixels_bytes), CancelSwitch())
    assert caught.value.code == "photo-too-large"


def test_an_engine_that_takes_a_photo_without_reading_it_is_not_believed(
    hostile: HostileEngine, engine: Engine
):
    def pretend(talk: Talk) -> None:
        talk.reply(202, b'{"id":"m1"}', "application/json", Connection="close")
        raise HangUp

    hostile.answers["POST /v1/mattes"] = pretend
    with pytest.raises(BadReply):
        engine.submit(LARGE, bytes(LARGE.pixels_bytes), CancelSwitch())


def test_an_engine_that_dies_while_it_is_sent_pixels_is_gone(
    hostile: HostileEngine, engine: Engine
):
    hostile.answers["POST /v1/mattes"] = resets
    with pytest.raises(EngineGone):
        engine.submit(LARGE, bytes(LARGE.pixels_bytes), CancelSwitch())


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="there is no such signal here")
def test_a_broken_connection_does_not_end_the_editor(hostile: HostileEngine):
    """An editor may run Python without its signal handlers, where SIGPIPE ends the process."""
    hostile.answers["POST /v1/mattes"] = Talk.stall
    script = f"""
        import signal, threading
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        from maskwright_client.cancel import CancelSwitch
        from maskwright_client.client import Engine
        from maskwright_client.discovery import Found
        from maskwright_client.errors import Cancelled
        from maskwright_client.protocol import Hello, MatteRequest
        from maskwright_client.transport import Address
        address = Address({hostile.port}, "{hostile.address.token}")
        request = MatteRequest(4000, 4000, 4, 8, "u2netp", "test")
        cancel = CancelSwitch()
        threading.Timer(0.2, cancel.cancel).start()
        try:
            Engine(Found(address, Hello(1, 1, "", ""))).submit(
                request, bytes(request.pixels_bytes), cancel
            )
        except Cancelled:
            print("alive")
    """
    folder = Path(maskwright_client.__file__).parents[1]
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, b"alive\n"), ended.stderr.decode()
