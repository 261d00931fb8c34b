"""Hundreds of jobs, well-behaved and not, leave nothing behind.

MASKWRIGHT_SOAK_JOBS=10000 for more of them; -s shows the memory over the jobs.
"""

import json
import os
import signal
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import pytest
from engine_client import Listener, client_of, matted, request_for
from engine_process import EngineProcess, engine_in, frame, wait_for
from figures import show
from maskwright_client.cancel import CancelSwitch
from maskwright_client.errors import Cancelled, JobFailed
from maskwright_client.protocol import PIXELS_TYPE, MatteEvent, MatteState
from proc_files import (
    connections,
    descendants,
    is_alive,
    network_process,
    open_files,
    resident_kib,
    threads,
)
from soak import Outcomes, Visitor
from subject_photos import ball
from tiny_networks import Networks, tiny_networks

JOBS = int(os.environ.get("MASKWRIGHT_SOAK_JOBS", "300"))
WARM_UP = max(JOBS // 10, 100)
VISITORS = 4
CACHE_MB = 4
# While it works: the heaps of its threads fill in the first thousands of jobs, and stay so.
GROWTH_MIB = 48.0
LATE_GROWTH_MIB = 16.0
# At rest, when the heaps have given back what is free.
LEFT_MIB = 24.0
THRIFTY = Path(__file__).resolve().parents[2] / "support" / "thrifty_launcher.py"
# The threads that asyncio may still come to have for its answers.
WORKERS = min(32, (os.cpu_count() or 1) + 4)


class Look(NamedTuple):
    """The memory of an engine and of its network, after so many jobs, in MiB."""

    jobs: int
    engine: float
    network: float


class Belongings(NamedTuple):
    """What an engine has at rest; the memory in MiB."""

    files: int
    threads: int
    network_threads: int
    processes: list[int]
    memory: float


@pytest.mark.slow
@pytest.mark.timeout(120 + JOBS)
def test_a_soaked_engine_is_as_it_was(home: Path, tmp_path: Path):
    networks = tiny_networks(tmp_path / "networks", steps=60)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    small_cache(home)
    environ = {**networks.environ, "TMPDIR": str(scratch)}
    with engine_in(home, launcher=THRIFTY, environ=environ) as engine:
        matted(client_of(engine), ball(64, 48), model=networks.quick)
        soak(engine, networks, WARM_UP, first=VISITORS)
        before = belongings(engine)
        looks, outcomes = soak(engine, networks, JOBS)
        after = belongings(engine)
        show(f"{drawn(looks)}\n{told(outcomes)}\nbefore: {before}\nafter:  {after}")
        assert outcomes.wrong == []
        assert after.files == before.files
        assert after.processes == before.processes
        assert after.network_threads == before.network_threads
        assert after.threads <= before.threads + WORKERS
        assert after.memory - before.memory < LEFT_MIB
        for memory in ([look.engine for look in looks], [look.network for look in looks]):
            assert growth(memory, since=1) < GROWTH_MIB
            assert growth(memory, since=5) < LATE_GROWTH_MIB
        matted(client_of(engine), ball(64, 48, seed=2), model=networks.slow)
    wait_for(lambda: not any(is_alive(pid) for pid in after.processes), 5)
    assert {path.name for path in engine.places.run.iterdir()} == {"engine.lock", "engine.log"}
    assert list(scratch.iterdir()) == []
    assert "Traceback" not in engine.places.log.read_text()
    assert "Error" not in (home / "engine-output.txt").read_text()


BAD_ENDS = ["stopped in the network", "stopped in refining", "crashed", "sent by half"]
BAD_JOBS = 5


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, networks: Networks) -> Iterator[EngineProcess]:
    with engine_in(tmp_path_factory.mktemp("engine"), environ=networks.environ) as running:
        matted(client_of(running), ball(600, 600), model=networks.slow)
        yield running


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Networks:
    return tiny_networks(tmp_path_factory.mktemp("networks"), steps=300)


@pytest.mark.slow
@pytest.mark.parametrize("how", BAD_ENDS)
def test_a_large_job_that_ends_badly_leaves_no_pixels(
    engine: EngineProcess, networks: Networks, how: str
):
    photo = np.ascontiguousarray(ball(1000, 750).repeat(4, axis=0).repeat(4, axis=1))
    memory = [resident_kib(engine.process.pid)]
    for number in range(BAD_JOBS):
        photo[0, 0] = number, BAD_ENDS.index(how), 0
        end_badly(engine, networks, photo, how)
        wait_for(lambda: client_of(engine).hello().jobs == 0 and not connections(engine.port))
        memory.append(resident_kib(engine.process.pid))
    show(f"{how}: {[round(kib / 1024) for kib in memory]} MiB")
    assert max(memory) - memory[0] < photo.nbytes / 1024


def end_badly(engine: EngineProcess, networks: Networks, photo: np.ndarray, how: str) -> None:
    """A job with that end; the photo gets in each time."""
    client, switch = client_of(engine), CancelSwitch()
    if how == "sent by half":
        body = frame(request_for(photo, networks.quick), photo.tobytes())
        head = "\r\n".join(
            [
                "POST /v1/mattes HTTP/1.1",
                f"Host: 127.0.0.1:{engine.port}",
                f"Authorization: Bearer {engine.token}",
                f"Content-Type: {PIXELS_TYPE}",
                f"Content-Length: {len(body)}",
                "",
                "",
            ]
        )
        with socket.create_connection(("127.0.0.1", engine.port), timeout=10) as line:
            line.sendall(head.encode() + body[:-1])
        return
    model = networks.quick if how == "stopped in refining" else networks.slow
    state = MatteState.refining if how == "stopped in refining" else MatteState.predicting

    def end(event: MatteEvent) -> None:
        if event.state is state and how == "crashed":
            os.kill(network_process(engine.process.pid) or 0, signal.SIGKILL)
        elif event.state is state:
            switch.cancel()

    with pytest.raises((Cancelled, JobFailed)):
        matted(client, photo, model=model, listener=Listener(end), cancel=switch)


def small_cache(home: Path) -> None:
    """Settings by which finished mattes soon have to leave."""
    settings = home / ".config" / "maskwright" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.touch(0o600)
    settings.write_text(json.dumps({"engine": {"cache_megabytes": CACHE_MB}}))


def soak(
    engine: EngineProcess, networks: Networks, jobs: int, *, first: int = 0
) -> tuple[list[Look], Outcomes]:
    """Let visitors in, of whom the first has that number; looks at the memory a hundred times."""
    outcomes = Outcomes()
    looks: list[Look] = []
    pid, network = engine.process.pid, network_process(engine.process.pid)
    assert network is not None
    with ThreadPoolExecutor(VISITORS) as visits:
        numbers = range(first, first + VISITORS)
        visitors = [Visitor(engine, networks, number, outcomes) for number in numbers]
        coming = [visits.submit(visitor.come, jobs) for visitor in visitors]
        for step in range(1, 101):
            wait_for(lambda at=step * jobs // 100: outcomes.done >= at, 100)
            memory = (resident_kib(one) / 1024 for one in (pid, network))
            looks.append(Look(outcomes.done, *memory))
        for visit in coming:
            visit.result()
    return looks, outcomes


def belongings(engine: EngineProcess) -> Belongings:
    """What it has when no job and no connection is left."""
    wait_for(lambda: client_of(engine).hello().jobs == 0)
    wait_for(lambda: not connections(engine.port))
    pid = engine.process.pid
    network = network_process(pid)
    assert network is not None
    things = len(open_files(pid)), threads(pid), threads(network), descendants(pid)
    os.kill(pid, signal.SIGUSR1)
    client_of(engine).hello()  # which comes after the signal
    return Belongings(*things, resident_kib(pid) / 1024)


def growth(memory: Sequence[float], *, since: int) -> float:
    """From the tenth after so many to the last one."""
    tenth = len(memory) // 10
    return median(memory[-tenth:]) - median(memory[since * tenth : (since + 1) * tenth])


def drawn(looks: Sequence[Look]) -> str:
    """The memory over the jobs, a # for 4 MiB."""
    lines = ["  jobs  engine  network  MiB"]
    for look in looks[4::5]:
        bars = f"{'#' * round(look.engine / 4)} {'=' * round(look.network / 4)}"
        lines.append(f"{look.jobs:6d} {look.engine:7.1f} {look.network:8.1f}  {bars}")
    return "\n".join(lines)


def told(outcomes: Outcomes) -> str:
    return ", ".join(f"{count} x {what}" for what, count in sorted(outcomes.counted.items()))
