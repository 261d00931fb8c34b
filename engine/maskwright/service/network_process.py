"""The engine's side of the network process: start it, ask it, replace it when it dies."""

import contextlib
import itertools
import multiprocessing
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Final, Protocol

import numpy as np
from maskwright_client.protocol import Notice
from numpy.typing import NDArray

from maskwright.cancel import CancelToken
from maskwright.errors import Cancelled, InputError, ModelError
from maskwright.models.catalogue import ModelSpec
from maskwright.models.contract import Contract
from maskwright.service import network_child
from maskwright.service.channel import Message, receive, send

# onnxruntime stops within 0.3 s when told to; a process that does not is stuck.
_HEED_S: Final = 3.0
_POLL_S: Final = 0.25
_END_S: Final = 1.0
_CRASHED: Final = "network-crashed"


class Specs(Protocol):
    """Who knows the models; `models.store.Store` is one."""

    def spec(self, model_id: str) -> ModelSpec:
        """The model's entry; InputError `unknown-model`."""


@dataclass(frozen=True, slots=True)
class Running:
    """What a network runs on, as its process says."""

    provider: str
    device: str
    notices: tuple[Notice, ...]


class RemoteNetwork:
    """A network in the other process; a `models.contract.Network`."""

    def __init__(self, process: "NetworkProcess", spec: ModelSpec, running: Running) -> None:
        self.spec = spec
        self.running = running
        self._process = process

    @property
    def contract(self) -> Contract:
        """What the model wants to see and what its answer means."""
        return self.spec.contract

    def predict(self, pixels: NDArray[np.uint8], cancel: CancelToken) -> NDArray[np.float32]:
        """Run once; also raises ModelError `network-crashed`."""
        message, self.running = self._process.ask("predict", self.spec.id, cancel, pixels)
        values = np.frombuffer(message.block, np.float32)
        height, width, _ = pixels.shape
        if values.size != height * width:
            raise ModelError("bad-output", "The network answered in another size; try again.")
        return values.reshape(height, width)


class NetworkProcess:
    """One process that runs networks, started when it is needed; one request at a time."""

    def __init__(self, store: Specs, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._context = multiprocessing.get_context("spawn")
        self._serials = itertools.count()
        self._turn = threading.Lock()  # one request at a time
        self._sending = threading.Lock()  # a cancel may come in between
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self.loaded: tuple[str, ...] = ()
        self.runs = 0
        self.last: Running | None = None
        self.used_at = clock()

    @property
    def pid(self) -> int | None:
        """The process, if it runs."""
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    def start(self) -> None:
        """Start the process now, so that the first job does not wait for it."""
        with self._turn:
            self._started()

    def open(self, model_id: str, cancel: CancelToken) -> RemoteNetwork:
        """Load a model if it is not loaded.

        Raises what `models.sessions.Sessions.open` raises, and ModelError `network-crashed`.
        """
        spec, was_there = self._store.spec(model_id), self.pid is not None
        try:
            _, running = self.ask("open", model_id, cancel)
        except ModelError as error:
            if error.code != _CRASHED or not was_there:
                raise
            # It may have died while nobody looked; a new one shows whether the model does that.
            _, running = self.ask("open", model_id, cancel)
        return RemoteNetwork(self, spec, running)

    def ask(
        self, what: str, model_id: str, cancel: CancelToken, pixels: NDArray[np.uint8] | None = None
    ) -> tuple[Message, Running]:
        """Have the process open a model, or run it once on pixels; raises what `open` raises."""
        with self._turn:
            pipe, serial = self._started(), next(self._serials)
            fields: dict[str, Any] = {"do": what, "serial": serial, "model": model_id}
            if pixels is not None:
                fields["shape"] = list(pixels.shape)
            with cancel.interrupting(lambda: self._cancel(pipe, serial)):
                message = self._answer(pipe, fields, pixels, cancel)
            self.used_at = self._clock()
            error = message.fields.get("error")
            if error is not None:
                cancel.check()
                raise _raised(error)
            self.runs += what == "predict"
            self.loaded = tuple(message.fields["loaded"])
            notices = tuple(Notice(code, text) for code, text in message.fields["notices"])
            self.last = Running(message.fields["provider"], message.fields["device"], notices)
            return message, self.last

    def stop(self) -> tuple[str, ...]:
        """End the process once it is idle, which gives back all its memory; what was loaded."""
        with self._turn:
            freed, self.loaded = self.loaded, ()
            self._end()
            return freed

    def stop_if_idle(self, idle_s: float) -> tuple[str, ...]:
        """End the process if nobody used it for so long."""
        if self._process is None or self._clock() - self.used_at < idle_s:
            return ()
        return self.stop()

    def kill(self) -> None:
        """End the process at once, whatever it does; a request that runs fails."""
        process = self._process
        if process is not None:
            process.kill()

    def _answer(
        self,
        pipe: Connection,
        fields: dict[str, Any],
        pixels: NDArray[np.uint8] | None,
        cancel: CancelToken,
    ) -> Message:
        """The process's answer to one request; one that does not heed a cancel is ended."""
        patience_s = _HEED_S
        try:
            with self._sending:
                send(pipe, fields, pixels)
            while not pipe.poll(_POLL_S):
                patience_s -= _POLL_S if cancel.cancelled else 0
                if patience_s <= 0:
                    self.kill()
            return receive(pipe)
        except (EOFError, OSError, ValueError) as error:
            code = self._end()
            cancel.check()
            raise ModelError(
                _CRASHED,
                f"The network's process ended unexpectedly (exit code {code}); try again, or "
                "choose another model.",
            ) from error

    def _started(self) -> Connection:
        if self._process is not None and self._process.is_alive() and self._pipe is not None:
            return self._pipe
        self._end()
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=network_child.main, args=(theirs,), name="maskwright-network", daemon=True
        )
        process.start()
        theirs.close()
        self._process, self._pipe, self.used_at = process, ours, self._clock()
        return ours

    def _end(self) -> int | None:
        """Let go of the process, dead or alive; its exit code."""
        process, pipe = self._process, self._pipe
        self._process, self._pipe, self.loaded = None, None, ()
        if pipe is not None:
            pipe.close()  # the process ends when it notices
        if process is None:
            return None
        process.join(_END_S)
        if process.is_alive():
            process.kill()
            process.join()
        code = process.exitcode
        process.close()
        return code

    def _cancel(self, pipe: Connection, serial: int) -> None:
        with self._sending, contextlib.suppress(OSError, ValueError):  # it may have gone meanwhile
            send(pipe, {"do": "cancel", "serial": serial})


def _raised(error: dict[str, str]) -> Exception:
    if error["kind"] == "cancelled":
        return Cancelled(error["message"])
    kind = InputError if error["kind"] == "input" else ModelError
    return kind(error["code"], error["message"])
