"""Which device a model runs on: the processor, unless another has proven itself.

A device counts after a trial (see `models.trial`), whose result is remembered for each model,
onnxruntime version and driver.
"""

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from maskwright.cancel import CancelToken
from maskwright.errors import InputError, ModelError
from maskwright.models.ledger import Ledger, Outcome, Trial, TrialKey, default_ledger_path
from maskwright.models.runtime import (
    CPU,
    Device,
    DeviceKind,
    available_providers,
    onnxruntime_version,
)
from maskwright.models.trial import Candidate, Opener, Reference, try_device

_OPENVINO: Final = "OpenVINOExecutionProvider"
_HALF: Final = '{"CPU": {"INFERENCE_PRECISION_HINT": "bf16"}}'
_ACCELERATORS: Final = (
    Device(DeviceKind.cuda, "cuda", "CUDAExecutionProvider"),
    Device(DeviceKind.coreml, "coreml", "CoreMLExecutionProvider"),
    Device(DeviceKind.directml, "directml", "DmlExecutionProvider"),
    Device(DeviceKind.openvino, "openvino-gpu", _OPENVINO, (("device_type", "GPU"),)),
    # Half the time on a processor with such instructions; the trial decides for each model
    # whether it is exact enough.
    Device(
        DeviceKind.openvino,
        "openvino-cpu-bf16",
        _OPENVINO,
        (("device_type", "CPU"), ("load_config", _HALF)),
    ),
    Device(DeviceKind.openvino, "openvino-cpu", _OPENVINO, (("device_type", "CPU"),)),
)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about how a model runs that people should know: a code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Pick:
    """The device to use, and what there is to say about it."""

    device: Device
    notices: tuple[Notice, ...] = ()


class Hardware:
    """Picks a device for a model. `wanted` None means: the fastest that has proven itself."""

    def __init__(
        self,
        devices: Sequence[Device],
        ledger: Ledger,
        *,
        wanted: DeviceKind | None = None,
        version: str,
        driver: str,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.devices = tuple(devices)
        self.ledger = ledger
        self.wanted = wanted
        self.version = version
        self.driver = driver
        self._timer = timer

    def contenders(self) -> tuple[Device, ...]:
        """The devices besides the processor that may be used.

        ModelError `device-missing` when one is demanded that the installed onnxruntime lacks.
        """
        if self.wanted is None:
            return self.devices
        found = tuple(device for device in self.devices if device.kind is self.wanted)
        if not found and self.wanted is not DeviceKind.cpu:
            kinds = sorted({device.kind.value for device in self.devices} | {"cpu"})
            raise ModelError(
                "device-missing",
                f"MASKWRIGHT_DEVICE asks for {self.wanted.value}, and the installed onnxruntime "
                f"offers only {', '.join(kinds)}; choose one of these, or unset it.",
            )
        return found

    def pick(
        self,
        sha256: str,
        cpu: Opener,
        candidates: Sequence[Candidate],
        cancel: CancelToken,
    ) -> Pick:
        """The device for the model with that hash; tries those that were not tried before.

        Raises ModelError `device-refused` when a demanded device fails its trial, Cancelled.
        """
        reference = Reference(cpu, self._timer, cancel)
        trials = [(one.device, self.trial(sha256, reference, one, cancel)) for one in candidates]
        fit = [(trial.seconds or 0.0, device) for device, trial in trials if self._fits(trial)]
        if fit:
            return Pick(min(fit, key=lambda entry: entry[0])[1])
        if self.wanted is None or not trials:
            return Pick(CPU, _notices(trials))
        reasons = " ".join(trial.reason for _, trial in trials)
        raise ModelError(
            "device-refused",
            f"MASKWRIGHT_DEVICE asks for {self.wanted.value}, which failed its trial: {reasons} "
            "Unset it to use the processor.",
        )

    def trial(
        self,
        sha256: str,
        reference: Reference,
        candidate: Candidate,
        cancel: CancelToken,
        *,
        fresh: bool = False,
    ) -> Trial:
        """The remembered trial, or a new one; `fresh` makes a new one unless the last never ended.

        Raises what the processor's own run raises, Cancelled.
        """
        key = self._key(sha256, candidate.device)
        known = self.ledger.find(key)
        if known is not None and not (fresh and known.outcome is not Outcome.unfinished):
            return known
        # Written before the trial: should the driver take the process down, this remains.
        pending = Trial(key, Outcome.unfinished, f"A trial of {key.device} did not come back.")
        self.ledger.note(pending)
        try:
            trial = replace(try_device(reference, candidate, self._timer, cancel), key=key)
        except BaseException:
            self.ledger.forget(key)
            raise
        self.ledger.note(trial)
        return trial

    def doubt(self, sha256: str, device: Device, why: str) -> None:
        """Remember that a device failed in use, so that it is not picked again."""
        self.ledger.note(Trial(self._key(sha256, device), Outcome.failed, why))

    def _fits(self, trial: Trial) -> bool:
        if trial.outcome is Outcome.faster:
            return True
        return self.wanted is not None and trial.outcome is Outcome.slower

    def _key(self, sha256: str, device: Device) -> TrialKey:
        return TrialKey(sha256, device.name, self.version, self.driver)


def open_hardware(environ: Mapping[str, str]) -> Hardware:
    """This machine's devices, as the installed onnxruntime offers them.

    Raises InputError `bad-device` when MASKWRIGHT_DEVICE is none, ModelError `engine-broken`.
    """
    providers = available_providers()
    return Hardware(
        [device for device in _ACCELERATORS if device.provider in providers],
        Ledger(default_ledger_path()),
        wanted=wanted_device(environ),
        version=onnxruntime_version(),
        driver=driver_version(),
    )


def wanted_device(environ: Mapping[str, str]) -> DeviceKind | None:
    """What MASKWRIGHT_DEVICE demands; None for nothing or "auto". InputError `bad-device`."""
    name = environ.get("MASKWRIGHT_DEVICE", "").strip().lower()
    if name in ("", "auto"):
        return None
    try:
        return DeviceKind(name)
    except ValueError as error:
        kinds = ", ".join(kind.value for kind in DeviceKind)
        raise InputError(
            "bad-device", f"MASKWRIGHT_DEVICE must be auto or one of {kinds}, not {name!r}."
        ) from error


def driver_version(root: Path = Path("/")) -> str:
    """What tells one driver from the next: NVIDIA's own version, else the system's build."""
    try:
        text = (root / "proc/driver/nvidia/version").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return f"{platform.system()} {platform.release()} {platform.version()}"
    return text.splitlines()[0].strip()


def _notices(trials: Sequence[tuple[Device, Trial]]) -> tuple[Notice, ...]:
    """One for each device that does not work; being slower is no reason to speak."""
    works = {device.kind for device, trial in trials if trial.outcome is Outcome.slower}
    return tuple(
        Notice("device-not-used", f"{device.name} is there and is not used: {trial.reason}")
        for device, trial in trials
        if device.kind not in works
    )
