"""How a connection stands, after whatever happened."""

from collections.abc import Callable
from pathlib import Path

import pytest
from maskwright_client import connection, errors
from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.connection import NEXT, Connection, State, state_after
from maskwright_client.discovery import Found
from maskwright_client.places import locate
from maskwright_client.protocol import Hello
from maskwright_client.starting import Starter, Waited
from maskwright_client.transport import Address

FOUND = Found(Address(1, "token"), Hello(1, 1, "9.9", "instance"))
KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.ClientError)
]


def made(kind: type[errors.ClientError]) -> errors.ClientError:
    if kind is errors.Cancelled:
        return errors.Cancelled()
    if kind is errors.EngineBusy:
        return errors.EngineBusy("code", "Words.", 1.0)
    return kind("code", "Words.")


class Scene(Starter):
    """A starter, and a search, that do what a test says; and what the host was told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
        places = locate("linux", {}, home)
        super().__init__(places, {})
        self.running: errors.ClientError | None = errors.EngineAbsent("engine-absent", "None.")
        self.starts: errors.ClientError | None = None
        self.states: list[State] = []
        self.connection = Connection(places, {}, on_state=self.states.append, starter=self)

        def find(*_: object) -> Found:
            if self.running is not None:
                raise self.running
            return FOUND

        monkeypatch.setattr(connection, "find", find)

    def start(self, waited: Waited, cancel: CancelSwitch) -> Found:
        waited(0.5)
        if self.starts is not None:
            raise self.starts
        return FOUND

    def engine(self) -> Engine:
        return self.connection.engine(lambda seconds: None, CancelSwitch())

    def run(self, work: Callable[[Engine], object]) -> object:
        return self.connection.run(work, lambda seconds: None, CancelSwitch())


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch, home: Path) -> Scene:
    return Scene(monkeypatch, home)


def test_every_state_can_be_left_and_reached():
    assert NEXT.keys() == set(State)
    assert all(NEXT.values())
    assert set().union(*NEXT.values()) == set(State)
    assert not any(state in after for state, after in NEXT.items())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_says_something_about_the_state(kind: type[errors.ClientError]):
    after = {state: state_after(made(kind), state) for state in State}
    if kind in (errors.Cancelled, errors.BadRequest, errors.ClientError):
        assert after == {state: state for state in State} | {State.starting: State.absent}
    else:
        assert len(set(after.values())) == 1


def test_an_engine_that_runs_is_ready(scene: Scene):
    scene.running = None
    assert scene.connection.state is State.absent
    assert scene.engine().engine_version == "9.9"
    assert scene.engine().instance_id == "instance"
    assert scene.states == [State.ready]


def test_an_engine_that_does_not_run_is_started(scene: Scene):
    waited: list[float] = []
    scene.connection.engine(waited.append, CancelSwitch())
    assert scene.states == [State.starting, State.ready]
    assert waited == [0.5]


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (errors.EngineAbsent, State.absent),
        (errors.EngineNotStarting, State.absent),
        (errors.EngineRefused, State.refused),
        (errors.VersionMismatch, State.too_old),
        (errors.EngineBusy, State.busy),
        (errors.Cancelled, State.absent),
    ],
)
def test_a_start_that_fails(scene: Scene, kind: type[errors.ClientError], state: State):
    scene.starts = made(kind)
    with pytest.raises(kind):
        scene.engine()
    assert scene.states == [State.starting, state]
    scene.starts = None
    scene.engine()
    assert scene.connection.state is State.ready


@pytest.mark.parametrize(
    ("kind", "states"),
    [
        (errors.EngineGone, [State.gone]),
        (errors.BadReply, [State.gone]),
        (errors.EngineRefused, [State.refused]),
        (errors.VersionMismatch, [State.too_old]),
        (errors.EngineBusy, [State.busy]),
        (errors.JobFailed, []),
        (errors.BadRequest, []),
        (errors.Cancelled, []),
    ],
)
def test_work_that_fails(scene: Scene, kind: type[errors.ClientError], states: list[State]):
    scene.running = None
    scene.engine()
    scene.states.clear()

    def work(engine: Engine) -> None:
        raise made(kind)

    with pytest.raises(kind):
        scene.run(work)
    assert scene.states == states
    assert scene.run(lambda engine: 7) == 7
    assert scene.connection.state is State.ready


def test_after_an_engine_has_gone_a_new_one_is_started(scene: Scene):
    scene.running = None

    def dies(engine: Engine) -> None:
        scene.running = errors.EngineAbsent("engine-absent", "None.")
        raise made(errors.EngineGone)

    with pytest.raises(errors.EngineGone):
        scene.run(dies)
    scene.run(lambda engine: None)
    assert scene.states == [State.ready, State.gone, State.starting, State.ready]


def test_work_is_done_once(scene: Scene):
    scene.running, done = None, []

    def work(engine: Engine) -> None:
        done.append(1)
        raise made(errors.EngineGone)

    with pytest.raises(errors.EngineGone):
        scene.run(work)
    assert done == [1]


def test_old_news_of_another_thread_changes_nothing(scene: Scene):
    def meanwhile(seconds: float) -> None:
        """The work with the engine of old comes to its end in another thread."""
        with pytest.raises(errors.EngineGone), scene.connection._watched():
            raise made(errors.EngineGone)

    scene.connection.engine(meanwhile, CancelSwitch())
    assert scene.states == [State.starting, State.ready]


def test_whoever_waits_for_another_threads_search_can_be_cancelled(scene: Scene):
    cancel = CancelSwitch()
    cancel.cancel()

    def meanwhile(seconds: float) -> None:
        with pytest.raises(errors.Cancelled):
            scene.connection.engine(lambda s: None, cancel)

    scene.connection.engine(meanwhile, CancelSwitch())
    assert scene.connection.state is State.ready
