"""A cancel from another thread: felt within half a second wherever the work waits."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from engine_process import wait_for
from hostile_engine import (
    INSTANCE,
    TOKEN,
    Answer,
    HostileEngine,
    Talk,
    alpha,
    creates,
    lines,
    says,
    stalls,
)
from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.codec import dumps
from maskwright_client.discovery import Found
from maskwright_client.errors import Cancelled
from maskwright_client.protocol import (
    AlphaHead,
    AlphaRequest,
    DownloadEvent,
    DownloadState,
    Hello,
    MatteEvent,
    MatteInfo,
    MatteRequest,
    MatteState,
)
from maskwright_client.transport import Address

HELLO = Hello(1, 1, "9.9", INSTANCE)
# More than the buffers of both ends take.
SIDE = 2000
LARGE = MatteRequest(SIDE, SIDE, 4, 16, "u2netp", "test")
SMALL = MatteRequest(4, 3, 3, 8, "u2netp", "test")
QUEUED = MatteEvent(MatteState.queued)
HEAD = AlphaHead(SIDE, SIDE, 8)
INFO = MatteInfo(SIDE, SIDE, 8, "u2netp", "CPU", "cpu", 1, False, {}, 0.0)

Work = Callable[[Engine, CancelSwitch], object]


def small(engine: Engine, cancel: CancelSwitch) -> object:
    return engine.matte(SMALL, bytes(SMALL.pixels_bytes), lambda event: None, cancel)


def large(engine: Engine, cancel: CancelSwitch) -> object:
    return engine.matte(LARGE, bytes(LARGE.pixels_bytes), lambda event: None, cancel)


def seconds_to_cancel(work: Callable[[CancelSwitch], object], after_s: float = 0.2) -> float:
    """How long it takes from the cancel until the work gives up."""
    cancel = CancelSwitch()
    pressed: list[float] = []

    def press() -> None:
        pressed.append(time.monotonic())
        cancel.cancel()
        cancel.cancel()
        assert time.monotonic() - pressed[0] < 0.1

    timer = threading.Timer(after_s, press)
    timer.start()
    with pytest.raises(Cancelled):
        work(cancel)
    given_up_at = time.monotonic()
    timer.join()
    return given_up_at - pressed[0]


WAITS: dict[str, tuple[dict[str, Answer], Work]] = {
    "for the proof": ({"GET /v1/ping": stalls}, small),
    "for room to send": ({"POST /v1/mattes": Talk.stall}, large),
    "for the job's id": ({"POST /v1/mattes": stalls}, small),
    "for the first event": (
        {"POST /v1/mattes": creates(), "GET /v1/mattes/m1/events": stalls},
        small,
    ),
    "for the next event": (
        {"POST /v1/mattes": creates(), "GET /v1/mattes/m1/events": lines(QUEUED, then=stalls)},
        small,
    ),
    "for alpha": (
        {
            "POST /v1/mattes/m1/alpha": alpha(
                HEAD, b"half", then=stalls, Content_Length=4 + len(dumps(HEAD)) + SIDE * SIDE
            )
        },
        lambda engine, cancel: engine.alpha("m1", INFO, AlphaRequest(), None, cancel),
    ),
    "for a download": (
        {
            "POST /v1/models/u2net/download": says(HELLO, 202),
            "GET /v1/models/u2net/download": lines(
                DownloadEvent(DownloadState.downloading, 1, 2), then=stalls
            ),
        },
        lambda engine, cancel: engine.download("u2net", True, lambda event: None, cancel),
    ),
}


@pytest.mark.parametrize(("answers", "work"), WAITS.values(), ids=WAITS.keys())
def test_a_cancel_is_felt_where_the_work_waits(
    hostile: HostileEngine, answers: dict[str, Answer], work: Work
):
    hostile.answers |= answers
    engine = Engine(Found(hostile.address, HELLO))
    assert seconds_to_cancel(lambda cancel: work(engine, cancel)) < 0.5


@contextlib.contextmanager
def full_house() -> Iterator[int]:
    """A port where no further connection is taken, and none refused."""
    with contextlib.ExitStack() as guests:
        listener = guests.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            guest = guests.enter_context(socket.socket())
            guest.setblocking(False)
            guest.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_a_cancel_is_felt_while_connecting():
    with full_house() as port:
        engine = Engine(Found(Address(port, TOKEN), HELLO))
        assert seconds_to_cancel(lambda cancel: small(engine, cancel)) < 0.5


def test_nobody_waits_long_for_a_connection():
    with full_house() as port:
        start = time.monotonic()
        engine = Engine(Found(Address(port, TOKEN), HELLO))
        with pytest.raises(Exception, match="not answered") as caught:
            engine.hello()
        assert 1.5 < time.monotonic() - start < 3.0
        assert getattr(caught.value, "code", "") == "engine-silent"


def test_the_engine_is_told_by_the_thread_that_worked(hostile: HostileEngine):
    hostile.answers |= WAITS["for the next event"][0]
    engine = Engine(Found(hostile.address, HELLO))
    threads = threading.active_count()
    seconds_to_cancel(lambda cancel: small(engine, cancel))
    assert hostile.requests[-2:] == ["GET /v1/ping", "DELETE /v1/mattes/m1"]
    wait_for(lambda: threading.active_count() <= threads + 2)  # the server's own


def test_a_cancelled_download_is_called_off(hostile: HostileEngine):
    answers, work = WAITS["for a download"]
    hostile.answers |= answers
    engine = Engine(Found(hostile.address, HELLO))
    seconds_to_cancel(lambda cancel: work(engine, cancel))
    assert hostile.requests[-1] == "DELETE /v1/models/u2net/download"


def test_an_engine_that_does_not_listen_to_a_farewell_delays_nobody(hostile: HostileEngine):
    hostile.answers |= WAITS["for the next event"][0]
    hostile.answers["DELETE /v1/mattes/m1"] = stalls
    engine = Engine(Found(hostile.address, HELLO))
    assert seconds_to_cancel(lambda cancel: small(engine, cancel)) < 0.5


def test_a_cancel_before_the_work_sends_nothing(hostile: HostileEngine):
    cancel = CancelSwitch()
    cancel.cancel()
    with pytest.raises(Cancelled):
        small(Engine(Found(hostile.address, HELLO)), cancel)
    assert hostile.heard == b""


def test_a_cancel_in_the_callers_own_progress_is_felt_at_once(hostile: HostileEngine):
    many = [MatteEvent(MatteState.predicting, n / 100) for n in range(100)]
    hostile.answers["POST /v1/mattes"] = creates()
    done = MatteEvent(MatteState.done, 1.0, info=INFO)
    hostile.answers["GET /v1/mattes/m1/events"] = lines(*many, done)
    cancel, seen = CancelSwitch(), []

    def progress(event: MatteEvent) -> None:
        seen.append(event)
        cancel.cancel()

    with pytest.raises(Cancelled):
        Engine(Found(hostile.address, HELLO)).matte(
            SMALL, bytes(SMALL.pixels_bytes), progress, cancel
        )
    assert seen == many[:1]


def test_a_stream_whose_end_is_a_hang_up_is_cancelled_not_ended(hostile: HostileEngine):
    def endless(talk: Talk) -> None:
        talk.body()
        talk.head(200, Content_Type="application/x-ndjson", Connection="close")
        talk.stall()

    hostile.answers["POST /v1/mattes"] = creates()
    hostile.answers["GET /v1/mattes/m1/events"] = endless
    engine = Engine(Found(hostile.address, HELLO))
    assert seconds_to_cancel(lambda cancel: small(engine, cancel)) < 0.5


def test_a_switch_that_was_not_pressed_changes_nothing_for_the_next_work(hostile: HostileEngine):
    hostile.answers["POST /v1/mattes/m1/alpha"] = alpha(AlphaHead(4, 3, 8), bytes(12))
    info = MatteInfo(4, 3, 8, "u2netp", "CPU", "cpu", 1, False, {}, 0.0)
    engine, cancel = Engine(Found(hostile.address, HELLO)), CancelSwitch()
    for _ in range(2):
        engine.alpha("m1", info, AlphaRequest(), None, cancel)
    assert cancel._sockets == []
    cancel.cancel()
    with pytest.raises(Cancelled):
        engine.alpha("m1", info, AlphaRequest(), None, cancel)
