"""Whoever is killed, at whatever point of a job: the others hear of it, and the next job works."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread, Timer
from typing import Any

import numpy as np
import pytest
from editor import Editor, editor_in
from engine_client import Listener, client_of, matted, request_for
from engine_process import PATIENCE_S, EngineProcess, engine_in, wait_for
from figures import show
from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.errors import ClientError, EngineGone, JobFailed
from maskwright_client.frames import Alpha
from maskwright_client.places import Places
from maskwright_client.protocol import (
    ABSENCE_S,
    STOPPING,
    AlphaRequest,
    MatteEvent,
    MatteState,
)
from proc_files import connections, cpu_s, descendants, is_alive, network_process
from subject_photos import ball
from tiny_networks import Networks, tiny_networks

POINTS = {"upload": 4, "queued": 3, "loading": 3, "predicting": 4, "refining": 3, "alpha": 3}
DYING = Path(__file__).resolve().parents[2] / "support" / "dying_client.py"

# What the issue allows, and how often is looked.
REPORTED_WITHIN_S = 2.0
IDLE_WITHIN_S = 1.0
LOOK_S = 0.05

# How long after a client has come to a point it is killed, at most.
LATER_S = {"queued": 0.4, "loading": 0.4, "predicting": 0.5, "refining": 0.05}


def points() -> list[Any]:
    """Twenty, each with where in its part of the job, 0..1; the same ones every time."""
    rng = random.Random(20)
    return [
        pytest.param(point, (number + rng.random()) / often, id=f"{point}-{number}")
        for point, often in POINTS.items()
        for number in range(often)
    ]


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Networks:
    return tiny_networks(tmp_path_factory.mktemp("networks"))


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory, networks: Networks) -> Iterator[Editor]:
    with editor_in(tmp_path_factory.mktemp("home"), networks.environ) as one:
        yield one


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, networks: Networks) -> Iterator[EngineProcess]:
    with engine_in(tmp_path_factory.mktemp("engine"), environ=networks.environ) as running:
        matted(client_of(running), ball(64, 48), model=networks.slow)
        yield running


@pytest.fixture(scope="module")
def large() -> np.ndarray:
    """12 megapixels, which take a while at every stage."""
    return np.ascontiguousarray(ball(1000, 750).repeat(4, axis=0).repeat(4, axis=1))


def small(seed: int) -> np.ndarray:
    """A photo that no other job has."""
    return ball(64, 48, seed=seed)


class Deed:
    """Kills a process once, and remembers when."""

    def __init__(self, pid: int, how: signal.Signals = signal.SIGKILL) -> None:
        self._pid = pid
        self._how = how
        self._timers: list[Timer] = []
        self.done_at: float | None = None

    def now(self) -> None:
        if self.done_at is None:
            self.done_at = time.monotonic()
            os.kill(self._pid, self._how)

    def in_state(self, state: MatteState, delay_s: float) -> Callable[[MatteEvent], None]:
        """For a listener: so long after a job has come to a state."""

        def look(event: MatteEvent) -> None:
            if event.state is state and not self._timers:
                self._timers.append(Timer(delay_s, self.now))
                self._timers[0].start()

        return look

    @property
    def since_s(self) -> float:
        """How long ago it was."""
        for timer in self._timers:
            timer.join()
        assert self.done_at is not None, "it was not done"
        return time.monotonic() - self.done_at


class Fuse(CancelSwitch):
    """Does the deed after so many pieces were sent, or so many received."""

    def __init__(self, deed: Deed, *, sent: int = 0, received: int = 0) -> None:
        super().__init__()
        self._deed = deed
        self._sent = sent
        self._received = received

    def check(self) -> None:
        super().check()
        self._sent -= 1
        if self._sent == 0:
            self._deed.now()

    def attach(self, sock: socket.socket) -> None:
        super().attach(sock)
        receive = sock.recv_into

        def counted(*arguments: Any) -> int:
            self._received -= 1
            if self._received == 0:
                self._deed.now()
            return receive(*arguments)

        vars(sock)["recv_into"] = counted


def matte_until(
    deed: Deed, state: MatteState, delay_s: float, pixels: np.ndarray, model: str
) -> Callable[[Engine], object]:
    """A job during which the deed is done, some time after a state."""
    listener = Listener(deed.in_state(state, delay_s))
    return lambda engine: matted(engine, pixels, model=model, listener=listener)


@contextmanager
def busy(engine: Engine, networks: Networks, seed: int) -> Iterator[list[Any]]:
    """Meanwhile somebody else's slow job runs; gives what became of it."""
    ends: list[Any] = []
    runs = Listener()

    def work() -> None:
        try:
            photo = small(seed)
            ends.append(matted(engine, photo, model=networks.slow, client="krita", listener=runs))
        except ClientError as error:
            ends.append(error)

    thread = Thread(target=work)
    thread.start()
    wait_for(lambda: MatteState.predicting in runs.states)
    yield ends
    thread.join()


def doomed(
    point: str, part: float, deed: Deed, networks: Networks, large: np.ndarray
) -> Callable[[Engine], object]:
    """Work that is killed at that point; `part` says where in it."""
    whole = request_for(large, networks.quick)
    if point == "upload":
        fuse = Fuse(deed, sent=2 + int(part * (large.nbytes >> 20)))
        return lambda engine: engine.matte(whole, large.data, Listener(), fuse)
    if point == "alpha":
        fuse = Fuse(deed, received=2 + int(part * 10))

        def fetch(engine: Engine) -> object:
            matte_id, info = matted(engine, large, model=networks.quick)
            return engine.alpha(matte_id, info, AlphaRequest(bits=16), cancel=fuse)

        return fetch
    seed = int(part * 1e6)
    if point == "queued":

        def wait(engine: Engine) -> object:
            work = matte_until(deed, MatteState.queued, part / 2, small(seed), networks.quick)
            with busy(engine, networks, seed + 1) as other:
                try:
                    return work(engine)
                finally:
                    wait_for(lambda: other)
                    assert isinstance(other[0], EngineGone)

        return wait
    if point == "refining":
        return matte_until(deed, MatteState.refining, part / 20, large, networks.quick)
    state, most_s = MatteState(point), 0.05 if point == "loading" else 0.8
    return matte_until(deed, state, part * most_s, small(seed), networks.slow)


@pytest.mark.slow
@pytest.mark.parametrize(("point", "part"), points())
def test_a_killed_engine_is_reported_and_replaced(
    point: str, part: float, editor: Editor, networks: Networks, large: np.ndarray
):
    first = editor.engine()
    pid = editor.engine_pid
    wait_for(lambda: network_process(pid))
    family = descendants(pid)
    deed = Deed(pid)
    with pytest.raises(EngineGone) as caught:
        editor.run(doomed(point, part, deed, networks, large))
    assert deed.since_s < REPORTED_WITHIN_S
    assert is_one_sentence(caught.value.message)
    assert editor.connection.state.value == "gone"
    show(f"{point} {part:.2f}: reported after {deed.since_s * 1000:.0f} ms")
    wait_for(lambda: not any(is_alive(one) for one in family))

    matte_id, info = editor.matted(small(1), networks.quick)
    second = editor.engine()
    assert second.instance_id != first.instance_id
    assert len(second.alpha(matte_id, info, AlphaRequest()).samples) == 64 * 48


@contextmanager
def dying(
    engine: EngineProcess, model: str, *, point: str, part: float = 0.0, width: int = 64
) -> Iterator[subprocess.Popen[str]]:
    """A client that has come to that point of a job; it is killed in the body, or after it."""
    height = width * 3 // 4
    pieces = int(part * 10) + 2
    if point == "upload":
        pieces = 2 + int(part * (width * height * 3 >> 20))
    given = {"home": str(engine.places.home), "width": width, "height": height, "model": model}
    given |= {"point": point, "pieces": pieces, "seed": int(part * 1e6)}
    command = [sys.executable, "-I", str(DYING), json.dumps(given)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        try:
            assert point in (line.strip() for line in client.stdout)
            yield client
        finally:
            client.kill()


def idle_s(client: Engine, killed_at: float, *, jobs: int = 0) -> float:
    """Wait until a killed client's job is gone; how long that took."""
    wait_for(lambda: client.hello().jobs == jobs)
    return time.monotonic() - killed_at


def works_s(engine: EngineProcess) -> float:
    """How much of the next fifth of a second its network works."""
    network = network_process(engine.process.pid) or 0
    before = cpu_s(network)
    time.sleep(0.2)
    return cpu_s(network) - before


@pytest.mark.slow
@pytest.mark.parametrize(("point", "part"), points())
def test_the_engine_is_idle_soon_after_its_client_was_killed(
    point: str, part: float, engine: EngineProcess, networks: Networks
):
    client = client_of(engine)
    runs = client.hello().network_runs
    is_large = point in ("upload", "refining", "alpha")
    model = networks.quick if is_large or point == "queued" else networks.slow
    if point == "loading":
        client.free_memory()
    with ExitStack() as stack:
        jobs = 0
        if point == "queued":
            ends = stack.enter_context(busy(client, networks, seed=int(part * 1e6)))
            jobs = 1
        with dying(engine, model, point=point, part=part, width=4000 if is_large else 64) as victim:
            time.sleep(part * LATER_S.get(point, 0))
            victim.kill()
            took_s = idle_s(client, time.monotonic(), jobs=jobs)
    show(f"{point} {part:.2f}: idle after {took_s * 1000:.0f} ms")
    assert took_s < IDLE_WITHIN_S + LOOK_S
    if point == "queued":
        assert not isinstance(ends[0], ClientError)
    wait_for(lambda: not connections(engine.port), IDLE_WITHIN_S)
    assert works_s(engine) < 0.05
    if point in ("loading", "predicting"):
        assert client.hello().network_runs == runs
    _, info = matted(client, small(1), model=networks.quick)
    assert info.width == 64


@pytest.mark.slow
def test_a_job_that_nobody_ever_listened_to_ends(engine: EngineProcess, networks: Networks):
    client = client_of(engine)
    with dying(engine, networks.slow, point="submitted") as victim:
        victim.kill()
        took_s = idle_s(client, time.monotonic())
    show(f"submitted: idle after {took_s * 1000:.0f} ms")
    assert took_s < ABSENCE_S + 0.3 + LOOK_S


@pytest.mark.slow
def test_a_killed_network_fails_its_job_and_no_other(engine: EngineProcess, networks: Networks):
    client = client_of(engine)
    matte_id, info = matted(client, small(2), model=networks.quick)
    before = client.alpha(matte_id, info, AlphaRequest())
    first = network_process(engine.process.pid)
    assert first is not None
    deed = Deed(first)
    listener = Listener(deed.in_state(MatteState.predicting, 0.3))
    with pytest.raises(JobFailed) as caught:
        matted(client, small(3), model=networks.slow, listener=listener)
    assert deed.since_s < REPORTED_WITHIN_S
    show(f"network: reported after {deed.since_s * 1000:.0f} ms: {caught.value}")
    assert caught.value.code == "network-crashed"
    assert caught.value.message.endswith(".")
    assert client.hello().jobs == 0
    assert client.alpha(matte_id, info, AlphaRequest()).samples == before.samples

    assert matted(client, small(3), model=networks.slow)[1].network_runs
    second = network_process(engine.process.pid)
    assert second not in (None, first)
    assert not is_alive(first)


@pytest.mark.slow
def test_a_network_killed_while_idle_costs_no_job(engine: EngineProcess, networks: Networks):
    client = client_of(engine)
    matted(client, small(4), model=networks.quick)
    first = network_process(engine.process.pid)
    assert first is not None
    Deed(first).now()
    wait_for(lambda: not is_alive(first))
    assert matted(client, small(5), model=networks.quick)[1].network_runs


@pytest.mark.slow
def test_a_stopping_engine_finishes_what_runs(networks: Networks, home: Path):
    with engine_in(home, environ=networks.environ) as engine, ThreadPoolExecutor() as clients:
        client = client_of(engine)
        deed = Deed(engine.process.pid, signal.SIGTERM)
        runs = Listener()

        def job() -> Alpha:
            matte_id, info = matted(client, small(6), model=networks.slow, listener=runs)
            return client.alpha(matte_id, info, AlphaRequest())

        running = clients.submit(job)
        wait_for(lambda: MatteState.predicting in runs.states)
        waits = Listener(deed.in_state(MatteState.queued, 0.05))
        waiting = clients.submit(matted, client, small(7), model=networks.quick, listener=waits)
        wait_for(lambda: not engine.places.runtime_file.exists())
        with pytest.raises(EngineGone) as new:
            matted(client, small(8), model=networks.quick)
        assert new.value.code == STOPPING
        assert not running.done()
        assert (alpha := running.result()).width == 64
        assert len(alpha.samples) == 64 * 48
        error = waiting.exception()
        assert isinstance(error, EngineGone)
        assert error.code == STOPPING
        assert is_one_sentence(error.message)
        assert engine.process.wait(PATIENCE_S) == 0
        assert left_in(engine.places) == {"engine.lock", "engine.log"}


@pytest.mark.slow
def test_a_second_signal_ends_it_now(networks: Networks, home: Path):
    with engine_in(home, environ=networks.environ) as engine:
        client = client_of(engine)
        first, second = (Deed(engine.process.pid, signal.SIGTERM) for _ in range(2))
        listeners = [
            first.in_state(MatteState.predicting, 0.1),
            second.in_state(MatteState.predicting, 0.3),
        ]

        def both(event: MatteEvent) -> None:
            for listener in listeners:
                listener(event)

        with pytest.raises(ClientError) as caught:
            matted(client, small(9), model=networks.slow, listener=Listener(both))
        assert second.since_s < 1.0
        assert is_one_sentence(caught.value.message)
        assert engine.process.wait(PATIENCE_S) == 0
        assert second.since_s < 2.0


@pytest.mark.slow
def test_a_click_while_the_engine_stops_gets_the_next_one(networks: Networks, home: Path):
    with (
        engine_in(home, environ=networks.environ) as engine,
        editor_in(home, networks.environ) as editor,
        ThreadPoolExecutor() as clients,
    ):
        first = editor.engine()
        deed = Deed(engine.process.pid, signal.SIGTERM)
        runs = Listener(deed.in_state(MatteState.predicting, 0.1))
        running = clients.submit(matted, first, small(10), model=networks.slow, listener=runs)
        wait_for(lambda: not engine.places.runtime_file.exists())
        assert not running.done()
        editor.matted(small(11), networks.quick)
        assert running.result()[1].network_runs
        assert engine.process.poll() == 0
        assert editor.engine().instance_id != first.instance_id


def left_in(places: Places) -> set[str]:
    return {path.name for path in places.run.iterdir()}


def is_one_sentence(text: str) -> bool:
    return text.endswith(".") and ". " not in text and "\n" not in text
