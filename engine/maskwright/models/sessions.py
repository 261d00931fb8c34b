"""Every loaded model: loaded once, kept warm, let go when idle or when memory is short."""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

from maskwright.cancel import CancelToken
from maskwright.errors import ModelError
from maskwright.models.catalogue import ModelSpec
from maskwright.models.hardware import Hardware, open_hardware
from maskwright.models.machine import (
    available_memory,
    give_back_memory,
    mebibytes,
    usable_cores,
)
from maskwright.models.runtime import CPU, Device, DeviceKind, Runtime, Tuning, open_runtime
from maskwright.models.session import Session, fell_back
from maskwright.models.trial import Candidate, Opener

IDLE_S: Final = 300.0
_MOST_WHERE_MEMORY_IS_UNKNOWN: Final = 2
_SPARE_BYTES: Final = 256 << 20


class ModelFiles(Protocol):
    """Where models come from; `models.store.Store` is one."""

    def spec(self, model_id: str) -> ModelSpec:
        """The model's entry; InputError `unknown-model`."""

    def path(self, model_id: str) -> Path:
        """Its verified file; ModelError `model-missing`."""


class Sessions:
    """Every loaded model. Keeps them warm, and lets go of the longest unused when memory is short.

    free_memory: bytes that can be had, or None where nobody knows; then two models stay.
    """

    def __init__(
        self,
        store: ModelFiles,
        hardware: Hardware,
        tuning: Tuning,
        *,
        clock: Callable[[], float] = time.monotonic,
        free_memory: Callable[[], int | None] = available_memory,
        idle_s: float = IDLE_S,
    ) -> None:
        self.hardware = hardware
        self.tuning = tuning
        self._store = store
        self._clock = clock
        self._free_memory = free_memory
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._loading: dict[str, threading.Lock] = {}
        self._sessions: dict[str, Session] = {}

    def open(self, model_id: str, cancel: CancelToken | None = None) -> Session:
        """The model, loaded now if it is not. The first time on a new device includes its trial.

        Raises what the store and the hardware raise, ModelError `onnxruntime-too-old`,
        `model-load-failed`, `wrong-contract`, `not-enough-memory`; Cancelled.
        """
        cancel = cancel or CancelToken()
        with self._lock:
            loading = self._loading.setdefault(model_id, threading.Lock())
        with loading:
            with self._lock:
                session = self._sessions.get(model_id)
            if session is None:
                session = self._load(model_id, cancel)
                with self._lock:
                    self._sessions[model_id] = session
            return session

    @property
    def loaded(self) -> tuple[str, ...]:
        """The ids of the models that are warm."""
        with self._lock:
            return tuple(self._sessions)

    def unload_idle(self, now: float) -> tuple[str, ...]:
        """Let go of the models that nobody used for the idle time; their ids."""
        with self._lock:
            old = [
                model_id
                for model_id, session in self._sessions.items()
                if (since := session.idle_since()) is not None and now - since >= self._idle_s
            ]
        return self._drop(old)

    def make_room(self, wanted: int) -> tuple[str, ...]:
        """Let go of models, longest unused first, until `wanted` bytes are free; their ids."""
        dropped: list[str] = []
        while (oldest := self._oldest()) is not None and self._is_tight(wanted):
            dropped += self._drop([oldest])
        return tuple(dropped)

    def free(self) -> tuple[str, ...]:
        """Let go of every model; work that runs now keeps its own until it is done."""
        return self._drop(self.loaded)

    def _is_tight(self, wanted: int) -> bool:
        free = self._free_memory()
        if free is None:
            return len(self.loaded) >= _MOST_WHERE_MEMORY_IS_UNKNOWN
        return free < wanted

    def _oldest(self) -> str | None:
        with self._lock:
            idle = [
                (since, model_id)
                for model_id, session in self._sessions.items()
                if (since := session.idle_since()) is not None
            ]
        return min(idle)[1] if idle else None

    def _drop(self, model_ids: tuple[str, ...] | list[str]) -> tuple[str, ...]:
        with self._lock:
            dropped = [name for name in model_ids if self._sessions.pop(name, None) is not None]
        if dropped:
            give_back_memory()
        return tuple(dropped)

    def _load(self, model_id: str, cancel: CancelToken) -> Session:
        spec, path = self._store.spec(model_id), self._store.path(model_id)
        check_version(spec, self.hardware.version)
        self._find_memory(spec)

        on_cpu = loader(spec, path, CPU, self.tuning)
        candidates = [
            Candidate(device, loader(spec, path, device, self.tuning))
            for device in self.hardware.contenders()
        ]
        pick = self.hardware.pick(spec.sha256, on_cpu, candidates, cancel)

        def spare(error: ModelError, stop: CancelToken) -> Runtime:
            self.hardware.doubt(spec.sha256, pick.device, str(error))
            return open_runtime(path, CPU, self.tuning, stop)

        notices = pick.notices
        try:
            runtime = open_runtime(path, pick.device, self.tuning, cancel)
        except ModelError as error:
            if pick.device.kind is DeviceKind.cpu or self.hardware.wanted is not None:
                raise
            runtime = spare(error, cancel)
            notices = (*notices, fell_back(pick.device, error))
        automatic = runtime.device.kind is not DeviceKind.cpu and self.hardware.wanted is None
        return Session(
            spec,
            runtime,
            notices=notices,
            spare=spare if automatic else None,
            clock=self._clock,
        )

    def _find_memory(self, spec: ModelSpec) -> None:
        """Make room for a model; ModelError `not-enough-memory` where not even its file fits."""
        wanted = memory_estimate(spec)
        self.make_room(wanted)
        free = self._free_memory()
        if free is not None and free < least_memory(spec):
            raise ModelError(
                "not-enough-memory",
                f"{spec.title} needs about {mebibytes(wanted)} of memory and {mebibytes(free)} are "
                "free; close other programs or choose a smaller model.",
            )


def loader(spec: ModelSpec, path: Path, device: Device, tuning: Tuning) -> Opener:
    """What loads a verified file onto exactly that device; raises what `open_runtime` raises."""
    return lambda cancel: Session(spec, open_runtime(path, device, tuning, cancel))


def memory_estimate(spec: ModelSpec) -> int:
    """Bytes that the model needs at its peak: as measured, else guessed from its file's size."""
    if spec.memory_mb is not None:
        return spec.memory_mb << 20
    return 4 * spec.bytes + _SPARE_BYTES


def least_memory(spec: ModelSpec) -> int:
    """Bytes without which the model certainly cannot be loaded: its file, read and in use."""
    return 2 * spec.bytes


def check_version(spec: ModelSpec, installed: str) -> None:
    """Raise ModelError `onnxruntime-too-old` when the model needs a later onnxruntime."""
    needed = spec.min_onnxruntime
    if needed is not None and _numbers(installed) < _numbers(needed):
        raise ModelError(
            "onnxruntime-too-old",
            f"{spec.title} needs onnxruntime >= {needed} and {installed} is installed; choose "
            "another model.",
        )


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in version.split("+")[0].split(".") if part.isdecimal()]
    return tuple([*numbers, 0, 0, 0][:3])


def open_sessions(
    store: ModelFiles,
    environ: Mapping[str, str],
    *,
    keep_memory: bool = True,
    threads: int | None = None,
) -> Sessions:
    """The sessions for this machine and user.

    keep_memory: True for repeated work, False for a single photo (see `runtime.Tuning`). Raises
    InputError `bad-device`, ModelError `engine-broken`.
    """
    tuning = Tuning(threads or usable_cores(), keep_memory)
    return Sessions(store, open_hardware(environ), tuning)
