"""A host's connection to the engine, as a state that it can show."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import TypeVar

from maskwright_client import errors
from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.discovery import Found, find
from maskwright_client.places import Places
from maskwright_client.starting import Starter, Waited

T = TypeVar("T")

_POLL_S = 0.05


class State(Enum):
    """How the engine stands, as far as this host knows.

    too_old stands for either side; the error's sentence names it. gone is an engine that left in
    the middle of the work; one that left while nobody needed it is absent.
    """

    absent = "absent"
    starting = "starting"
    ready = "ready"
    busy = "busy"
    too_old = "too-old"
    refused = "refused"
    gone = "gone"


_AFTER_LOOKING = frozenset({State.starting, State.ready, State.busy, State.too_old, State.refused})
NEXT: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.absent: _AFTER_LOOKING,
        State.starting: _AFTER_LOOKING - {State.starting} | {State.absent},
        State.ready: _AFTER_LOOKING - {State.ready} | {State.gone},
        State.busy: _AFTER_LOOKING - {State.busy} | {State.gone},
        State.too_old: _AFTER_LOOKING - {State.too_old},
        State.refused: _AFTER_LOOKING - {State.refused},
        State.gone: _AFTER_LOOKING,
    }
)

# None: what happened says nothing about the engine.
_MEANING: tuple[tuple[type[errors.ClientError], State | None], ...] = (
    (errors.EngineAbsent, State.absent),
    (errors.EngineNotStarting, State.absent),
    (errors.EngineGone, State.gone),
    (errors.BadReply, State.gone),
    (errors.EngineRefused, State.refused),
    (errors.VersionMismatch, State.too_old),
    (errors.EngineBusy, State.busy),
    (errors.JobFailed, State.ready),
    (errors.BadRequest, None),
    (errors.Cancelled, None),
)


def state_after(error: errors.ClientError, state: State) -> State:
    """What an error says about the engine's state, which was `state`."""
    found = next((after for kind, after in _MEANING if isinstance(error, kind)), None)
    if found is None:
        return State.absent if state is State.starting else state
    return found


class Connection:
    """Finds the engine, starts it if need be, and knows how it stands.

    May be used from several threads; only one of them looks or starts at a time. `on_state` is
    called in the thread that found out. Nothing happens in the background.
    """

    def __init__(
        self,
        places: Places,
        environ: Mapping[str, str],
        *,
        command: Sequence[str] | None = None,
        on_state: Callable[[State], None] = lambda state: None,
        starter: Starter | None = None,
    ) -> None:
        self._places = places
        self._environ = environ
        self._on_state = on_state
        self._starter = starter or Starter(places, environ, command=command)
        self._looking = threading.Lock()
        self._lock = threading.Lock()
        self._state = State.absent

    @property
    def state(self) -> State:
        """How the engine stood when it was last asked for something."""
        return self._state

    def engine(self, waited: Waited, cancel: CancelSwitch) -> Engine:
        """The engine that runs, or a new one; `waited` is told how many seconds its start takes.

        Ask for it anew for each piece of work: it costs a few milliseconds, and an engine that
        nobody needs leaves. Raises every error of the tree but those of a job.
        """
        with self._alone(cancel), self._watched():
            self._starter.reap()
            found = self._running(cancel)
            if found is None:
                self._enter(State.starting)
                found = self._starter.start(waited, cancel)
            self._enter(State.ready)
            return Engine(found)

    def run(self, work: Callable[[Engine], T], waited: Waited, cancel: CancelSwitch) -> T:
        """Do something with the engine; nothing is tried twice."""
        engine = self.engine(waited, cancel)
        with self._watched():
            return work(engine)

    def stop(self, cancel: CancelSwitch) -> bool:
        """Have an engine that runs end, once it is done with what it does; False if none runs."""
        with self._alone(cancel), self._watched():
            found = self._running(cancel)
            if found is None:
                return False
            Engine(found).shutdown()
            return True

    def _running(self, cancel: CancelSwitch) -> Found | None:
        try:
            return find(self._places, self._environ, cancel)
        except errors.EngineAbsent:
            return None

    @contextlib.contextmanager
    def _alone(self, cancel: CancelSwitch) -> Iterator[None]:
        while not self._looking.acquire(timeout=_POLL_S):
            cancel.check()
        try:
            yield
        finally:
            self._looking.release()

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except errors.ClientError as error:
            self._enter(state_after(error, self._state))
            raise

    def _enter(self, state: State) -> None:
        """Change the state, unless this is old news from another thread's work."""
        with self._lock:
            if state not in NEXT[self._state]:
                return
            self._state = state
        self._on_state(state)
