"""The built-in network and small files, opened the way the product opens them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from maskwright.cancel import CancelToken
from maskwright.models import catalogue as catalogue_module
from maskwright.models.catalogue import ModelSpec, load_catalogue
from maskwright.models.contract import Contract, OutputKind, Resize, SizeRule
from maskwright.models.hardware import Hardware
from maskwright.models.ledger import Ledger
from maskwright.models.runtime import CPU, Device, DeviceKind, Tuning, open_runtime
from maskwright.models.session import Session
from maskwright.models.sessions import Sessions

U2NETP = load_catalogue().get("u2netp")
U2NETP_FILE = Path(catalogue_module.__file__).with_name("builtin") / "u2netp.onnx"
TUNING = Tuning(threads=1)

# onnxruntime's processor once more, under the name of another device: real inference, and the
# trial's own code, without other hardware.
SECOND = Device(DeviceKind.openvino, "second", "CPUExecutionProvider")
THIRD = Device(DeviceKind.cuda, "third", "CPUExecutionProvider")
# Not there, so that onnxruntime would go on without it.
ABSENT = Device(DeviceKind.cuda, "absent", "CUDAExecutionProvider")

TINY = Contract(
    size_rule=SizeRule.multiple,
    size=16,
    multiple=1,
    resize=Resize.stretch,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    input_name="",
    output_name="",
    output_kind=OutputKind.probability,
)


def tiny_spec(model_id: str = "tiny", contract: Contract = TINY, **changes: object) -> ModelSpec:
    """The entry of a small file; without a figure for its memory."""
    base = replace(
        U2NETP,
        id=model_id,
        title=model_id.title(),
        sha256=model_id.ljust(64, "0"),
        bytes=1000,
        memory_mb=None,
        contract=contract,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def open_session(
    path: Path, spec: ModelSpec, device: Device = CPU, tuning: Tuning = TUNING
) -> Session:
    """Load a file; no trial, nothing that steps in."""
    return Session(spec, open_runtime(path, device, tuning, CancelToken()))


def opener(
    path: Path, spec: ModelSpec, device: Device = CPU, tuning: Tuning = TUNING
) -> Callable[[CancelToken], Session]:
    """What a candidate is opened with."""
    return lambda cancel: Session(spec, open_runtime(path, device, tuning, cancel))


class Files:
    """Models by id, instead of a store; counts how often a file is asked for."""

    def __init__(self, models: dict[str, tuple[ModelSpec, Path]]) -> None:
        self.models = models
        self.asked: list[str] = []

    def spec(self, model_id: str) -> ModelSpec:
        return self.models[model_id][0]

    def path(self, model_id: str) -> Path:
        self.asked.append(model_id)
        return self.models[model_id][1]


class Clock:
    """A clock that stands until it is moved; each look moves it by `step`."""

    def __init__(self, now: float = 1_000_000.0, step: float = 0.0) -> None:
        self.now = now
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def timer_of(*durations: float) -> Callable[[], float]:
    """A timer by which each network's runs take the next of `durations`, three runs each."""
    looks = [look for seconds in durations for _ in range(3) for look in (0.0, seconds)]
    return iter(looks).__next__


def hardware_of(
    ledger: Path,
    *devices: Device,
    wanted: DeviceKind | None = None,
    version: str = "1.32.0",
    driver: str = "driver 1",
    timer: Callable[[], float] | None = None,
    clock: Clock | None = None,
) -> Hardware:
    """Hardware with these devices and a ledger at that path."""
    return Hardware(
        devices,
        Ledger(ledger, clock or Clock()),
        wanted=wanted,
        version=version,
        driver=driver,
        timer=timer or timer_of(),
    )


def sessions_of(
    files: Files,
    hardware: Hardware,
    *,
    clock: Clock | None = None,
    free_memory: Callable[[], int | None] = lambda: 1 << 40,
) -> Sessions:
    """Sessions on one thread, with all the memory there is unless told otherwise."""
    return Sessions(files, hardware, TUNING, clock=clock or Clock(), free_memory=free_memory)
