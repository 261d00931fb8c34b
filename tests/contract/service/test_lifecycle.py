"""One engine for each user: it starts once, is asked and stopped, and leaves when not needed."""

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

import pytest
from engine_client import BUILTIN, Listener, client_of, matted
from engine_process import EngineProcess, command, engine_in, wait_for
from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.connection import Connection, State
from maskwright_client.errors import EngineGone
from maskwright_client.places import locate
from maskwright_client.protocol import MatteState
from maskwright_client.starting import Starter
from subject_photos import ball

pytestmark = pytest.mark.slow


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, for the user whose home that is."""
    theirs = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    return subprocess.run(
        [*command(), *arguments],
        env={**theirs, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def commands(pids: Sequence[int]) -> list[str]:
    """What those processes were started with, as far as they still run."""
    lines = [Path(f"/proc/{pid}/cmdline") for pid in pids]
    return [line.read_text().replace("\0", " ") for line in lines if line.exists()]


def test_a_second_engine_sees_the_first_and_leaves(engine: EngineProcess):
    home = engine.places.home
    said = run(home, "serve")
    assert (said.returncode, said.stdout, said.stderr) == (
        0,
        "The engine is running already.\n",
        "",
    )
    assert run(home, "serve", "--quiet").stdout == ""
    assert engine.process.poll() is None


def test_status_tells_how_it_stands(engine: EngineProcess):
    matted(client_of(engine), ball(200, 150))
    said = run(engine.places.home, "status")
    assert said.returncode == 0
    assert f"Models in memory: {BUILTIN}. Jobs: 0." in said.stdout
    assert engine.token not in said.stdout
    found = json.loads(run(engine.places.home, "status", "--json").stdout)
    assert found["running"] is True
    assert found["url"] == f"http://127.0.0.1:{engine.port}"
    assert found["engine"]["network_runs"] >= 1
    assert engine.token not in json.dumps(found)


def test_stop_ends_it_and_leaves_no_trace_of_it(tmp_path: Path):
    with engine_in(tmp_path) as engine:
        matted(client_of(engine), ball(200, 150))
        below = children(engine.process.pid)
        assert any("spawn_main" in line for line in commands(below))
        said = run(tmp_path, "stop")
        assert (said.returncode, said.stdout) == (0, "The engine has stopped.\n")
        assert engine.process.wait(5) == 0
        wait_for(lambda: commands(below) == [], 5)
    assert files(engine.places.run) == ["engine.lock", "engine.log"]
    assert run(tmp_path, "stop").stdout == "The engine was not running.\n"
    said = run(tmp_path, "status")
    assert said.returncode == 3
    assert json.loads(run(tmp_path, "status", "--json").stdout)["running"] is False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_job_finish_and_takes_no_more(tmp_path: Path, number: signal.Signals):
    outcome: list[object] = []

    def work(client: Engine) -> None:
        def ask_to_stop(event):
            if event.state is MatteState.predicting and not outcome:
                outcome.append("asked")
                engine.process.send_signal(number)

        matte_id, info = matted(client, ball(900, 700), listener=Listener(ask_to_stop))
        outcome.append(client.review(matte_id).doubt == info.doubt)

    with engine_in(tmp_path) as engine:
        client = client_of(engine)
        thread = Thread(target=work, args=(client,))
        thread.start()
        wait_for(lambda: bool(outcome))
        wait_for(lambda: not engine.places.runtime_file.exists())
        with pytest.raises(EngineGone):
            matted(client, ball(300, 200))
        thread.join()
        assert outcome == ["asked", True]
        assert engine.process.wait(10) == 0


def test_an_idle_engine_lets_go_of_its_models_then_ends(tmp_path: Path):
    options = ("--unload-minutes", "0.02", "--stop-minutes", "0.08")  # 1.2 s and 4.8 s
    with engine_in(tmp_path, *options) as engine:
        client = client_of(engine)
        matted(client, ball(200, 150))
        below = children(engine.process.pid)
        networks = [pid for pid in below if "spawn_main" in commands([pid])[0]]
        assert len(networks) == 1
        wait_for(lambda: commands(networks) == [], 5)
        assert engine.process.poll() is None
        assert engine.process.wait(15) == 0
    assert not engine.places.runtime_file.exists()
    log = engine.places.log.read_text()
    assert f"models left memory: {BUILTIN}" in log
    assert "nobody needed the engine" in log


def test_a_stream_that_is_listened_to_keeps_it_alive(tmp_path: Path):
    # 1.2 s, and a job of many looks takes longer: neither unloading nor stopping comes in between.
    options = ("--unload-minutes", "0.02", "--stop-minutes", "0.02")
    with engine_in(tmp_path, *options) as engine:
        client = client_of(engine)
        for seed in range(12):
            assert matted(client, ball(900, 700, seed=seed))[1].network_runs >= 1
        assert client.hello().loaded_models == (BUILTIN,)


def test_memory_is_given_back_when_asked(tmp_path: Path):
    with engine_in(tmp_path) as engine:
        client = client_of(engine)
        matte_id, info = matted(client, ball(300, 200))
        assert client.free_memory() == (BUILTIN,)
        assert client.hello().loaded_models == ()
        assert not any("spawn_main" in line for line in commands(children(engine.process.pid)))
        assert client.review(matte_id).doubt == info.doubt
        assert matted(client, ball(300, 201))[1].seconds["load"] > 0
        assert client.free_memory() == (BUILTIN,)
        assert client.free_memory() == ()


def test_an_engine_whose_file_was_removed_can_be_found_again(engine: EngineProcess):
    engine.places.runtime_file.unlink()
    wait_for(engine.places.runtime_file.exists, 5)
    assert client_of(engine).hello().instance_id == engine.runtime.instance_id


def test_a_connection_starts_what_is_not_there_and_finds_what_is(tmp_path: Path):
    places, states = locate("linux", {}, tmp_path), list[State]()
    environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    starter = Starter(places, environ, command=command())
    gimp = Connection(places, environ, on_state=states.append, starter=starter)
    krita = Connection(places, environ, command=command())
    waited: list[float] = []
    try:
        _, info = gimp.run(
            lambda engine: matted(engine, ball(300, 200)), waited.append, CancelSwitch()
        )
        assert info.seconds["load"] > 0
        assert states == [State.starting, State.ready]
        assert waited
        _, info = krita.run(
            lambda engine: matted(engine, ball(300, 201), client="krita"),
            waited.append,
            CancelSwitch(),
        )
        assert info.seconds["load"] < 0.05
        first = gimp.engine(waited.append, CancelSwitch())
        assert first.instance_id == krita.engine(waited.append, CancelSwitch()).instance_id
    finally:
        assert run(tmp_path, "stop").stdout == "The engine has stopped.\n"
    assert gimp.state is State.ready
    other = gimp.engine(waited.append, CancelSwitch())
    try:
        assert other.instance_id != first.instance_id
    finally:
        pid = json.loads(places.runtime_file.read_bytes())["pid"]
        run(tmp_path, "stop")
        wait_for(lambda: starter.reap() or not Path(f"/proc/{pid}").exists())
