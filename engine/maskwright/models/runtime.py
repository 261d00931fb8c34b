"""onnxruntime behind a small door: nothing else imports it, and not before a model is loaded.

Options and their figures are in DEVELOPMENT.md. The memory pattern is always off: it doubles the
peak and wins no time.
"""

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from maskwright.cancel import CancelToken
from maskwright.errors import ModelError
from maskwright.models.machine import give_back_memory

_DTYPES: Final[Mapping[str, type[np.float32] | type[np.float16]]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
}
_ERRORS_ONLY: Final = 3
_NOTHING: Final = 4  # what goes wrong comes back as an exception; the log would say it again
_CPU_PROVIDER: Final = "CPUExecutionProvider"
_TURN_POLL_S: Final = 0.05


class DeviceKind(Enum):
    """What a network can run on; the values are those of MASKWRIGHT_DEVICE."""

    cpu = "cpu"
    cuda = "cuda"
    openvino = "openvino"
    directml = "directml"
    coreml = "coreml"


@dataclass(frozen=True, slots=True)
class Device:
    """One way of running: onnxruntime's provider with options, and a short name for it."""

    kind: DeviceKind
    name: str
    provider: str
    options: tuple[tuple[str, str], ...] = ()


CPU: Final = Device(DeviceKind.cpu, "cpu", _CPU_PROVIDER)


@dataclass(frozen=True, slots=True)
class Tuning:
    """threads: for one run, None for onnxruntime's own choice.

    keep_memory: keep a run's memory for the next one. Runs after the first are 10 to 25 % faster,
    and the process stays as large as the network at its peak.
    """

    threads: int | None
    keep_memory: bool = True


@dataclass(frozen=True, slots=True)
class Input:
    """An input of a graph: `dtype` None is none of ours, `shape` has sizes, names or None."""

    dtype: np.dtype[np.generic] | None
    shape: tuple[int | str | None, ...]


def onnxruntime_version() -> str:
    """The installed onnxruntime's version; ModelError `engine-broken` if it does not load."""
    return str(_onnxruntime().__version__)


def available_providers() -> tuple[str, ...]:
    """The execution providers that the installed onnxruntime was built with."""
    return tuple(_onnxruntime().get_available_providers())


def _onnxruntime() -> Any:
    # Releases from 1.32 on report home and keep a device id in the user's cache unless told not to.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime  # here: 0.1 s and 20 MB that `maskwright --help` does not pay
    except (ImportError, OSError) as error:
        raise ModelError(
            "engine-broken",
            f"onnxruntime cannot be loaded ({reason(error)}); install Maskwright again.",
        ) from error
    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(_NOTHING)
    return onnxruntime


class Runtime:
    """A graph that onnxruntime has loaded onto one device; threads may share it."""

    def __init__(self, session: Any, device: Device, *, trim: bool) -> None:
        self.device = device
        self.provider = str(session.get_providers()[0])
        self.inputs = {
            item.name: Input(_dtype(item.type), tuple(item.shape)) for item in session.get_inputs()
        }
        self.outputs = tuple(str(item.name) for item in session.get_outputs())
        self._session = session
        self._trim = trim
        # DirectML forbids two runs of one session at a time, and a graphics card's memory
        # rarely has room for two.
        self._turn = None if device.kind is DeviceKind.cpu else threading.Lock()

    def run(
        self, output: str, feeds: Mapping[str, NDArray[np.generic]], cancel: CancelToken
    ) -> NDArray[np.generic]:
        """Run once and return that one output; the others are not fetched.

        Raises Cancelled, within a fraction of a second on the processor, and ModelError
        `run-failed`.
        """
        options = _onnxruntime().RunOptions()
        options.log_severity_level = _NOTHING
        with self._in_turn(cancel), cancel.interrupting(lambda: _set(options, "terminate", True)):
            try:
                (answer,) = self._session.run([output], dict(feeds), options)
            except Exception as error:
                cancel.check()  # a run that was stopped ends with a failure like any other
                raise ModelError(
                    "run-failed",
                    f"The model could not be run on {self.device.name} ({reason(error)}); try "
                    "again with a smaller model or close other programs.",
                ) from error
        if self._trim:
            give_back_memory()
        return np.asarray(answer)

    @contextlib.contextmanager
    def _in_turn(self, cancel: CancelToken) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        while not self._turn.acquire(timeout=_TURN_POLL_S):
            cancel.check()
        try:
            yield
        finally:
            self._turn.release()


def open_runtime(path: Path, device: Device, tuning: Tuning, cancel: CancelToken) -> Runtime:
    """Load a verified ONNX file onto `device`.

    Raises ModelError `model-load-failed` or `device-unavailable` (never runs elsewhere than asked),
    Cancelled.
    """
    ort = _onnxruntime()
    if device.provider not in ort.get_available_providers():
        raise _unavailable(device, "the installed onnxruntime was built without it")
    options = _session_options(ort, device, tuning)
    providers: list[Any] = [(device.provider, dict(device.options))]
    if device.provider != _CPU_PROVIDER:
        providers.append(_CPU_PROVIDER)  # for the few nodes that an accelerator may lack
    with cancel.interrupting(lambda: options.set_load_cancellation_flag(True)):
        try:
            session = ort.InferenceSession(
                os.fspath(path),
                options,
                providers=providers,
                enable_fallback=0,  # else it prints, and goes on on the processor
                read_config_from_model=0,  # a file does not choose how it is run
            )
        except Exception as error:
            cancel.check()
            raise _load_error(device, error) from error
    _check_it_runs_there(session, device)
    give_back_memory()
    return Runtime(session, device, trim=not tuning.keep_memory)


def _session_options(ort: Any, device: Device, tuning: Tuning) -> Any:
    options = ort.SessionOptions()
    on_cpu = device.kind is DeviceKind.cpu
    options.log_severity_level = _ERRORS_ONLY if on_cpu else _NOTHING
    options.intra_op_num_threads = tuning.threads or 0
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = tuning.keep_memory
    # Threads that wait for work busily take the cores from the editor and from other photos.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not on_cpu:
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    return options


def _check_it_runs_there(session: Any, device: Device) -> None:
    """Raise unless at least half the graph was given to the device that was asked for."""
    if device.kind is DeviceKind.cpu:
        return
    if device.provider not in session.get_providers():
        raise _unavailable(device, "it did not start")
    parts = [
        (part.ep_name, len(part.get_nodes()))
        for part in session.get_provider_graph_assignment_info()
    ]
    there = sum(count for name, count in parts if name == device.provider)
    total = sum(count for _, count in parts)
    if 2 * there < total:
        raise _unavailable(device, f"it can run {there} of this model's {total} steps")


def _load_error(device: Device, error: Exception) -> ModelError:
    if device.kind is not DeviceKind.cpu:
        return _unavailable(device, reason(error))
    return ModelError(
        "model-load-failed",
        f"The model cannot be loaded ({reason(error)}); remove it and get it again.",
    )


def _unavailable(device: Device, why: str) -> ModelError:
    return ModelError(
        "device-unavailable",
        f"{device.name} cannot run this model ({why}); install its newest driver, or set "
        "MASKWRIGHT_DEVICE=cpu.",
    )


def reason(error: BaseException) -> str:
    """The first line of what a library said, without its decoration and of bearable length."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    text = lines[0].rpartition(" : ")[2] if lines[0].startswith("[ONNXRuntimeError]") else lines[0]
    return text.strip(" .")[:160] or type(error).__name__


def _dtype(name: str) -> np.dtype[np.generic] | None:
    found = _DTYPES.get(name)
    return None if found is None else np.dtype(found)


def _set(options: Any, name: str, value: object) -> None:
    setattr(options, name, value)
