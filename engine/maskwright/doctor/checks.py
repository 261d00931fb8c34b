"""The checks themselves, each a function that returns findings."""

import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from maskwright import __version__
from maskwright.cancel import CancelToken
from maskwright.doctor import editors
from maskwright.doctor.report import Check, Report, Scrubber, Status
from maskwright.errors import Cancelled, MaskwrightError
from maskwright.hosts import Host, find_hosts
from maskwright.models.catalogue import DEFAULT_MODEL
from maskwright.models.hardware import Hardware, open_hardware
from maskwright.models.ledger import Outcome, Trial
from maskwright.models.machine import available_memory, mebibytes, usable_cores
from maskwright.models.runtime import CPU, Tuning, onnxruntime_version
from maskwright.models.sessions import loader, memory_estimate
from maskwright.models.store import Store, open_store
from maskwright.models.trial import Candidate, Measured, Reference
from maskwright.service.control import state
from maskwright.setup.plugins import sources_here

OLDEST_PYTHON: Final = (3, 11)
OLDEST_ONNXRUNTIME: Final = (1, 32)
_ROOMY_BYTES: Final = 1 << 30
# The ball covers 27 % of the trial's picture; the built-in model sees 27 % to a percent.
_BALL: Final = 0.27
_BALL_TOLERANCE: Final = 0.03

_GET_AGAIN: Final = "Install Maskwright again."


@dataclass(frozen=True, slots=True)
class Machine:
    """What is examined; a test brings its own."""

    environ: Mapping[str, str]
    home: Path
    store: Store
    hardware: Callable[[], Hardware]
    hosts: Callable[[], list[Host]]
    plugins: Path
    python: tuple[int, int, int]
    onnxruntime: Callable[[], str]
    service: Callable[[], Mapping[str, Any]]
    free_memory: Callable[[], int | None]
    free_disk: Callable[[Path], int]
    may_write: Callable[[Path], bool]
    timer: Callable[[], float] = time.perf_counter


def this_machine(environ: Mapping[str, str]) -> Machine:
    """The machine that this runs on, for its user."""
    home = Path.home()
    return Machine(
        environ=environ,
        home=home,
        store=open_store(environ),
        hardware=lambda: open_hardware(environ),
        hosts=lambda: find_hosts(home, environ),
        plugins=sources_here(),
        python=sys.version_info[:3],
        onnxruntime=onnxruntime_version,
        service=lambda: state(environ),
        free_memory=available_memory,
        free_disk=lambda folder: shutil.disk_usage(folder).free,
        may_write=lambda folder: os.access(folder, os.W_OK),
    )


CHECKS: Final = (
    "python",
    "engine",
    "onnxruntime",
    "models",
    "devices",
    "memory",
    "disk",
    "service",
    "hosts",
)


def run_checks(machine: Machine, cancel: CancelToken, *, repair: bool = False) -> Report:
    """Every check, whatever becomes of the others; raises only Cancelled.

    `repair` mends the editors' plug-ins first, and says what was done.
    """
    names = ("repairs", *CHECKS) if repair else CHECKS
    found = [check for name in names for check in findings(name, machine, cancel)]
    return Scrubber(machine.home, machine.environ).report(found)


def findings(name: str, machine: Machine, cancel: CancelToken) -> list[Check]:
    """What one of CHECKS, or `repairs`, finds; an error in the middle of it is a finding too."""
    cancel.check()
    checks: dict[str, Callable[[], Iterator[Check]]] = {
        "python": lambda: _python(machine),
        "engine": _engine,
        "onnxruntime": lambda: _onnxruntime(machine),
        "models": lambda: _models(machine, cancel),
        "devices": lambda: _devices(machine, cancel),
        "memory": lambda: _memory(machine),
        "disk": lambda: _disk(machine),
        "service": lambda: _service(machine),
        "hosts": lambda: editors.checks(machine.hosts(), machine.plugins),
        "repairs": lambda: editors.repairs(machine.hosts(), machine.plugins),
    }
    found: list[Check] = []
    try:
        found.extend(checks[name]())
    except Cancelled:
        raise
    except MaskwrightError as error:
        found.append(Check(name, Status.fail, str(error), figures={"code": error.code}))
    except Exception as error:  # the boundary of one check: the others go on
        sentence = f"This could not be checked ({type(error).__name__}: {error})."
        found.append(Check(name, Status.fail, sentence, "Report it with this report attached."))
    return found


def _python(machine: Machine) -> Iterator[Check]:
    version = ".".join(map(str, machine.python))
    message = f"Python {version} on {platform.platform()}."
    figures = {"version": version, "system": platform.platform()}
    if machine.python[:2] >= OLDEST_PYTHON:
        yield Check("python", Status.ok, message, figures=figures)
    else:
        yield Check("python", Status.fail, message, "Install Python 3.11 or later.", figures)


def _engine() -> Iterator[Check]:
    place = str(Path(__file__).resolve().parents[1])
    figures = {"version": __version__, "folder": place}
    yield Check("engine", Status.ok, f"Maskwright {__version__} in {place}.", figures=figures)


def _onnxruntime(machine: Machine) -> Iterator[Check]:
    version = machine.onnxruntime()
    figures = {"version": version}
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if numbers >= OLDEST_ONNXRUNTIME:
        yield Check("onnxruntime", Status.ok, f"onnxruntime {version}.", figures=figures)
    else:
        oldest = ".".join(map(str, OLDEST_ONNXRUNTIME))
        message = f"onnxruntime {version} is older than {oldest}; some models will not run."
        yield Check("onnxruntime", Status.warn, message, _GET_AGAIN, figures)


def _models(machine: Machine, cancel: CancelToken) -> Iterator[Check]:
    store = machine.store
    installed = store.installed()
    for entry in installed:
        cancel.check()
        name, title = f"model:{entry.spec.id}", f"{entry.spec.title} ({entry.spec.id})"
        try:
            path = store.path(entry.spec.id, doubt=True)
        except MaskwrightError as error:
            fix = f"Run `maskwright models get {entry.spec.id}`."
            yield Check(name, Status.fail, str(error), _GET_AGAIN if entry.spec.builtin else fix)
        else:
            yield Check(
                name, Status.ok, f"{title} is as it should be.", figures={"file": str(path)}
            )
    ids = {entry.spec.id for entry in installed}
    for spec in store.catalogue.specs:
        if spec.recommended and spec.id not in ids:
            size = f"{spec.bytes / 1e6:,.0f} MB"
            message = f"{spec.title} ({spec.id}, {size}) is not installed; it is optional."
            fix = f"Run `maskwright models get {spec.id}`."
            yield Check(f"model:{spec.id}", Status.ok, message, fix)


def _devices(machine: Machine, cancel: CancelToken) -> Iterator[Check]:
    """Run the built-in model on the processor, and try every other device with it."""
    spec, path = machine.store.spec(DEFAULT_MODEL), machine.store.path(DEFAULT_MODEL)
    cores = usable_cores()
    tuning = Tuning(cores)
    reference = Reference(loader(spec, path, CPU, tuning), machine.timer, cancel)
    yield _cpu_check(reference.measured(), cores)
    hardware = machine.hardware()
    for device in hardware.contenders():
        candidate = Candidate(device, loader(spec, path, device, tuning))
        trial = hardware.trial(spec.sha256, reference, candidate, cancel, fresh=True)
        demanded = hardware.wanted is not None
        yield _trial_check(f"device:{device.name}", trial, trial.reason, demanded=demanded)
    for trial in hardware.ledger.trials():
        if trial.key.model != spec.sha256:
            name = f"trial:{trial.key.device}:{trial.key.model[:12]}"
            model = _title(machine.store, trial.key.model)
            yield _trial_check(name, trial, f"{model} was tried: {trial.reason}")


def _cpu_check(measured: Measured, cores: int | None) -> Check:
    threads = f"{cores} threads" if cores else "onnxruntime's own number of threads"
    seen = float(np.mean(measured.matte))
    figures = {"seconds": round(measured.seconds, 4), "threads": cores, "seen": round(seen, 4)}
    if abs(seen - _BALL) > _BALL_TOLERANCE:
        message = f"The built-in model ran on the processor and saw {seen:.0%} instead of 27 %."
        return Check("device:cpu", Status.fail, message, _GET_AGAIN, figures)
    message = f"The built-in model runs on the processor in {measured.seconds:.2f} s, {threads}."
    return Check("device:cpu", Status.ok, message, figures=figures)


def _trial_check(name: str, trial: Trial, message: str, *, demanded: bool = False) -> Check:
    works = trial.outcome in (Outcome.faster, Outcome.slower)
    broken = Status.fail if demanded else Status.warn
    figures = asdict(trial) | {"outcome": trial.outcome.value}
    fix = None if works else "Install its newest driver, or set MASKWRIGHT_DEVICE=cpu."
    return Check(name, Status.ok if works else broken, message, fix, figures)


def _title(store: Store, sha256: str) -> str:
    known = (spec.title for spec in store.catalogue.specs if spec.sha256 == sha256)
    return next(known, f"Model {sha256[:12]}")


def _memory(machine: Machine) -> Iterator[Check]:
    free = machine.free_memory()
    if free is None:
        yield Check("memory", Status.ok, "This system does not say how much memory is free.")
        return
    needed = memory_estimate(machine.store.spec(DEFAULT_MODEL))
    message = f"{mebibytes(free)} of memory are free; the built-in model needs {mebibytes(needed)}."
    figures = {"free_bytes": free, "needed_bytes": needed}
    if free >= 2 * needed:
        yield Check("memory", Status.ok, message, figures=figures)
    else:
        yield Check("memory", Status.warn, message, "Close other programs.", figures)


def _disk(machine: Machine) -> Iterator[Check]:
    root = machine.store.root
    there = next(folder for folder in (root, *root.parents) if folder.exists())
    free = machine.free_disk(there)
    figures = {"folder": str(root), "free_bytes": free}
    if not machine.may_write(there):
        message = f"The models folder {root} cannot be written."
        fix = "Give yourself the right to, or set MASKWRIGHT_MODELS to another folder."
        yield Check("disk", Status.warn, message, fix, figures)
        return
    message = f"{mebibytes(free)} are free for models in {root}."
    if free >= _ROOMY_BYTES:
        yield Check("disk", Status.ok, message, figures=figures)
    else:
        fix = "Free some space, or set MASKWRIGHT_MODELS to a folder on another disk."
        yield Check("disk", Status.warn, message, fix, figures)


def _service(machine: Machine) -> Iterator[Check]:
    """The engine that GIMP and Krita share: does it run, could they start it?"""
    found = machine.service()
    figures = {"running": found["running"], "url": found["url"], "log": found["log"]}
    if problem := found["start_problem"]:
        message = f"GIMP and Krita cannot start the engine: {problem}"
        yield Check("service", Status.warn, message, "Run Maskwright's installer.", figures)
    elif found["running"]:
        message = f"The engine for GIMP and Krita is running at {found['url']}."
        yield Check("service", Status.ok, message, figures=figures)
    else:
        message = "The engine for GIMP and Krita is not running; they start it when they need it."
        yield Check("service", Status.ok, message, figures=figures)
