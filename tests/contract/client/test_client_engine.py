"""The client and the real engine: found, started, shared, killed, cancelled."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from engine_process import EngineProcess, command, engine_in, wait_for
from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.connection import Connection, State
from maskwright_client.errors import Cancelled, EngineGone, JobFailed
from maskwright_client.places import Places
from maskwright_client.protocol import (
    CLEAN_COLOURS,
    AlphaRequest,
    ColoursRequest,
    Combine,
    Edges,
    MatteEvent,
    MatteRequest,
    MatteState,
    Region,
)
from maskwright_client.starting import Starter
from spawned import Spawned

REQUEST = MatteRequest(600, 400, 3, 8, "u2netp", "test")


def photo(seed: int = 0) -> bytes:
    """A bright disc on a dark ground; another one for each seed."""
    rows = bytearray()
    for y in range(REQUEST.height):
        row = bytearray(bytes([20, 30 + seed % 100, 40]) * REQUEST.width)
        half = int(max(0.0, 150.0**2 - (y - 200) ** 2) ** 0.5)
        row[3 * (300 - half) : 3 * (300 + half)] = bytes([230, 200, 60]) * (2 * half)
        rows += row
    return bytes(rows)


def quiet(event: MatteEvent) -> None:
    """Progress that nobody looks at."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    with engine_in(tmp_path_factory.mktemp("engine")) as engine:
        yield engine


@pytest.fixture
def engine(running: EngineProcess) -> Engine:
    return Connection(running.places, {}, command=["/nothing"]).engine(
        lambda seconds: None, CancelSwitch()
    )


def test_an_engine_that_runs_is_found_and_not_started(running: EngineProcess):
    states: list[State] = []
    connection = Connection(running.places, {}, command=["/nothing"], on_state=states.append)
    found = connection.engine(lambda seconds: None, CancelSwitch())
    assert found.instance_id == running.runtime.instance_id
    assert states == [State.ready]


def test_a_photo_goes_in_and_alpha_of_its_size_comes_out(engine: Engine):
    events: list[MatteEvent] = []
    matte_id, info = engine.matte(REQUEST, memoryview(photo()), events.append, CancelSwitch())
    assert (info.width, info.height, info.bits) == (600, 400, 8)
    assert events[-1].state is MatteState.done
    assert [event.fraction for event in events] == sorted(event.fraction for event in events)
    whole = engine.alpha(matte_id, info, AlphaRequest())
    assert len(whole.samples) == 600 * 400
    assert whole.samples[200 * 600 + 300] > 200
    assert whole.samples[0] < 50
    wide = engine.alpha(matte_id, info, AlphaRequest(bits=16))
    assert len(wide.samples) == 2 * 600 * 400
    part = engine.alpha(matte_id, info, AlphaRequest(region=Region(300, 200, 50, 1)))
    assert part.samples == whole.samples[200 * 600 + 300 :][:50]
    small = engine.alpha(matte_id, info, AlphaRequest(preview=100))
    assert (small.width, small.height, len(small.samples)) == (100, 67, 6700)
    upside = engine.alpha(matte_id, info, AlphaRequest(Edges(invert=True)))
    assert upside.samples[0] == 255 - whole.samples[0]
    nothing = engine.alpha(
        matte_id, info, AlphaRequest(combine=Combine.intersect), bytes(600 * 400)
    )
    assert not any(nothing.samples)
    assert engine.review(matte_id).doubt == pytest.approx(info.doubt)
    engine.forget(matte_id)
    with pytest.raises(JobFailed) as caught:
        engine.review(matte_id)
    assert caught.value.code == "unknown-matte"


def test_a_layer_and_its_mask_go_in_and_a_layer_comes_out(engine: Engine):
    assert engine.can(CLEAN_COLOURS)
    request = ColoursRequest(600, 400, 3, 8, "test")
    mask = bytearray(b"\xff" * 600 * 400)
    mask[200 * 600 : 201 * 600] = b"\x80" * 600
    found = engine.colours(request, photo(), mask, CancelSwitch())
    row = 3 * 600
    assert found[: 200 * row] == photo()[: 200 * row]
    assert found[200 * row : 201 * row] != photo()[200 * row : 201 * row]
    assert found[201 * row :] == photo()[201 * row :]


def test_submit_and_wait_do_what_matte_does(engine: Engine):
    cancel = CancelSwitch()
    matte_id = engine.submit(REQUEST, photo(1), cancel)
    info = engine.wait(matte_id, quiet, cancel)
    assert len(engine.alpha(matte_id, info, AlphaRequest()).samples) == 600 * 400
    assert [event.state for event in engine.events(matte_id, cancel)] == [MatteState.done]


def test_an_engine_that_cannot_do_it_says_so(engine: Engine):
    with pytest.raises(JobFailed) as caught:
        engine.matte(
            MatteRequest(600, 400, 3, 8, "no-such-model", "test"), photo(), quiet, CancelSwitch()
        )
    assert caught.value.code == "unknown-model"
    with pytest.raises(JobFailed) as caught:
        engine.download("rmbg-1.4", False, lambda event: None, CancelSwitch())
    assert caught.value.code == "licence-not-accepted"


def test_models_and_memory(engine: Engine):
    engine.matte(REQUEST, photo(2), quiet, CancelSwitch())
    assert "u2netp" in [model.id for model in engine.models() if model.installed]
    assert engine.hello().loaded_models == ("u2netp",)
    assert engine.free_memory() == ("u2netp",)
    assert engine.hello().loaded_models == ()


@pytest.mark.parametrize("state", [MatteState.queued, MatteState.predicting])
def test_a_cancelled_job_leaves_the_engine_idle(engine: Engine, state: MatteState):
    cancel = CancelSwitch()
    pressed: list[float] = []

    def progress(event: MatteEvent) -> None:
        if state in (MatteState.queued, event.state) and not pressed:
            pressed.append(time.monotonic())
            threading.Thread(target=cancel.cancel).start()

    with pytest.raises(Cancelled):
        engine.matte(REQUEST, photo(len(state.value)), progress, cancel)
    assert time.monotonic() - pressed[0] < 0.5
    wait_for(lambda: engine.hello().jobs == 0, 1.0)


def test_an_iterator_that_is_closed_drops_the_job(engine: Engine):
    cancel = CancelSwitch()
    matte_id = engine.submit(REQUEST, photo(20), cancel)
    events = engine.events(matte_id, cancel)
    next(events)
    events.close()
    wait_for(lambda: engine.hello().jobs == 0, 3.0)


@pytest.fixture
def connect(places: Places, spawned: Spawned) -> Callable[[], Connection]:
    """Makes a connection that can start the engine."""
    environ = {**os.environ, "HOME": str(places.home)}

    def make() -> Connection:
        starter = Starter(places, environ, command=command(), spawn=spawned)
        return Connection(places, environ, starter=starter)

    return make


@pytest.mark.slow
def test_the_engine_is_started_once_and_shared(
    connect: Callable[[], Connection], spawned: Spawned, places: Places
):
    waited: list[float] = []
    one = connect().engine(waited.append, CancelSwitch())
    assert waited
    assert waited == sorted(waited)
    another = connect().engine(waited.append, CancelSwitch())
    assert one.instance_id == another.instance_id
    assert len(spawned.processes) == 1
    assert places.start_log.read_bytes() == b""


@pytest.mark.slow
def test_two_that_start_at_once_get_the_same_engine(
    connect: Callable[[], Connection], spawned: Spawned
):
    found: list[Engine] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(
                connect().engine(lambda seconds: time.sleep(0.2), CancelSwitch())
            )
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(spawned.processes) == 2
    assert len({engine.instance_id for engine in found}) == 1
    wait_for(lambda: sorted(p.poll() is None for p in spawned.processes) == [False, True])
    assert {process.poll() for process in spawned.processes} == {0, None}


@pytest.mark.slow
def test_after_a_shutdown_the_next_call_starts_a_new_one(
    connect: Callable[[], Connection], spawned: Spawned
):
    connection = connect()
    first = connection.engine(lambda seconds: None, CancelSwitch())
    first.shutdown()
    wait_for(lambda: spawned.processes[0].poll() == 0)
    with pytest.raises(EngineGone):
        first.hello()
    second = connection.engine(lambda seconds: None, CancelSwitch())
    assert second.instance_id != first.instance_id
    assert connection.state is State.ready


@pytest.mark.slow
def test_a_killed_engine_is_reported_at_once_and_replaced(
    connect: Callable[[], Connection], spawned: Spawned
):
    connection, killed = connect(), []

    def progress(event: MatteEvent) -> None:
        killed.append(time.monotonic())
        spawned.processes[0].kill()

    def work(engine: Engine) -> object:
        return engine.matte(REQUEST, photo(), progress, CancelSwitch())

    with pytest.raises(EngineGone) as caught:
        connection.run(work, lambda seconds: None, CancelSwitch())
    assert time.monotonic() - killed[0] < 2.0
    assert caught.value.code == "engine-gone"
    assert connection.state is State.gone
    engine = connection.engine(lambda seconds: None, CancelSwitch())
    matte_id, info = engine.matte(REQUEST, photo(), quiet, CancelSwitch())
    assert len(engine.alpha(matte_id, info, AlphaRequest()).samples) == 600 * 400


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_the_engine_outlives_its_client_and_has_none_of_its_files(
    connect: Callable[[], Connection], spawned: Spawned, places: Places
):
    connect().engine(lambda seconds: None, CancelSwitch())
    process = Path(f"/proc/{spawned.processes[0].pid}")
    assert os.getsid(spawned.processes[0].pid) == spawned.processes[0].pid
    streams = [os.readlink(process / "fd" / str(number)) for number in range(3)]
    assert streams == ["/dev/null", str(places.start_log), str(places.start_log)]
