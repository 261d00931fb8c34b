"""The doctor on a scratch machine: the real store and real inference with the built-in model."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from gimp_desk import Desk, small_desk
from maskwright.cancel import CancelToken
from maskwright.doctor import Check, Report, Status, examine
from maskwright.doctor.checks import Machine, findings, run_checks, this_machine
from maskwright.doctor.report import Scrubber
from maskwright.errors import Cancelled, ModelError
from maskwright.hosts import Host, gimp_parts, krita_parts
from maskwright.models.hardware import Hardware
from maskwright.models.ledger import Ledger, Outcome, Trial, TrialKey
from maskwright.models.runtime import DeviceKind
from network_bench import ABSENT, SECOND, U2NETP, Clock, hardware_of, timer_of

GIB = 1 << 30


@pytest.fixture
def desk(home: Path, tmp_path: Path) -> Desk:
    """A home with a GIMP and the plug-in in it."""
    desk = small_desk(tmp_path, home)
    desk.put()
    return desk


@pytest.fixture
def machine(desk: Desk, tmp_path: Path) -> Machine:
    """This machine, with more than enough of everything."""
    return replace(
        this_machine({}),
        hardware=lambda: hardware_of(tmp_path / "hardware.json"),
        hosts=desk.hosts,
        plugins=desk.sources,
        free_memory=lambda: 8 * GIB,
        free_disk=lambda folder: 8 * GIB,
        service=lambda: standing(),
        timer=Clock(step=0.1),
    )


def standing(url: str | None = None, problem: str | None = None) -> dict[str, object]:
    """How the shared engine stands."""
    return {"running": url is not None, "url": url, "start_problem": problem, "log": "engine.log"}


def found_by(name: str, machine: Machine) -> Report:
    """What one check finds, as a report says it."""
    found = findings(name, machine, CancelToken())
    return Scrubber(machine.home, machine.environ).report(found)


def run(machine: Machine) -> Report:
    return run_checks(machine, CancelToken())


def check_of(report: Report, name: str) -> Check:
    (found,) = [check for check in report.checks if check.name == name]
    return found


def test_a_machine_where_all_is_well(machine: Machine) -> None:
    report = run(machine)
    assert {check.status for check in report.checks} == {Status.ok}, report.lines()
    names = [check.name for check in report.checks]
    assert names == [
        "python",
        "engine",
        "onnxruntime",
        "model:u2netp",
        "model:birefnet-lite",
        "device:cpu",
        "memory",
        "disk",
        "service",
        "host:gimp",
    ]
    seen = check_of(report, "device:cpu").figures["seen"]
    assert isinstance(seen, float)
    assert 0.24 < seen < 0.30
    json.dumps(report.as_json())


def test_the_real_machine(home: Path) -> None:
    report = examine({"MASKWRIGHT_DEVICE": "cpu", "MASKWRIGHT_TOKEN_HUGGINGFACE": "hush-hush"})
    assert report.is_well, report.lines()
    text = json.dumps(report.as_json())
    assert str(home) not in text
    assert "hush-hush" not in text
    assert "~/.local/share" in text


def test_a_cancel_ends_it(machine: Machine) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        run_checks(machine, cancel)


def fail() -> str:
    raise ModelError("engine-broken", "onnxruntime cannot be loaded; install Maskwright again.")


def explode() -> list[Host]:
    raise ZeroDivisionError("by zero")


@pytest.mark.parametrize(
    ("changes", "name", "status", "said"),
    [
        ({"python": (3, 10, 1)}, "python", Status.fail, "3.11 or later"),
        ({"onnxruntime": lambda: "1.24.1"}, "onnxruntime", Status.warn, "older than 1.32"),
        ({"onnxruntime": fail}, "onnxruntime", Status.fail, "cannot be loaded"),
        ({"free_memory": lambda: GIB // 4}, "memory", Status.warn, "Close other"),
        ({"free_memory": lambda: None}, "memory", Status.ok, "does not say"),
        ({"free_disk": lambda folder: 1000}, "disk", Status.warn, "Free some space"),
        ({"service": standing}, "service", Status.ok, "not running"),
        ({"service": lambda: standing("http://x:1")}, "service", Status.ok, "running at http://x"),
        ({"service": lambda: standing(None, "No.")}, "service", Status.warn, "start the engine"),
        ({"service": fail}, "service", Status.fail, "cannot be loaded"),
        ({"hosts": list}, "hosts", Status.warn, "Neither GIMP 3 nor Krita"),
        ({"hosts": explode}, "hosts", Status.fail, "ZeroDivisionError"),
    ],
)
def test_what_is_wrong_is_said(
    machine: Machine, changes: dict[str, object], name: str, status: Status, said: str
) -> None:
    (found,) = findings(name, replace(machine, **changes), CancelToken())  # type: ignore[arg-type]
    assert found.name == name
    assert found.status is status
    assert said in f"{found.message} {found.fix}"


def test_one_broken_check_stops_no_other(machine: Machine) -> None:
    report = run(replace(machine, onnxruntime=fail, hosts=explode))
    assert not report.is_well
    assert [check.name for check in report.checks if check.status is not Status.ok] == [
        "onnxruntime",
        "hosts",
    ]
    assert check_of(report, "memory").status is Status.ok


def test_a_damaged_model(machine: Machine) -> None:
    spec = machine.store.spec("birefnet-lite")
    path = machine.store.root / spec.id / f"{spec.id}.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not it")
    found = check_of(found_by("models", machine), "model:birefnet-lite")
    assert found.status is Status.fail
    assert found.fix == "Run `maskwright models get birefnet-lite`."


def on(ledger: Path, *args: object, **changes: object) -> Callable[[], Hardware]:
    return lambda: hardware_of(ledger, *args, **changes)  # type: ignore[arg-type]


def test_a_second_device_is_proven(machine: Machine, tmp_path: Path) -> None:
    machine = replace(machine, hardware=on(tmp_path / "h.json", SECOND, timer=timer_of(0.01)))
    found = check_of(found_by("devices", machine), "device:second")
    assert found.status is Status.ok
    assert "faster" in found.message
    assert found.figures["outcome"] == "faster"


def test_a_device_that_fails_is_shown_with_its_reason(machine: Machine, tmp_path: Path) -> None:
    machine = replace(machine, hardware=on(tmp_path / "h.json", ABSENT))
    report = found_by("devices", machine)
    found = check_of(report, "device:absent")
    assert found.status is Status.warn
    assert "built without it" in found.message
    assert "MASKWRIGHT_DEVICE=cpu" in (found.fix or "")
    assert report.is_well


def test_a_demanded_device_that_fails_is_a_failure(machine: Machine, tmp_path: Path) -> None:
    hardware = on(tmp_path / "h.json", ABSENT, wanted=DeviceKind.cuda)
    assert not found_by("devices", replace(machine, hardware=hardware)).is_well
    missing = on(tmp_path / "h.json", wanted=DeviceKind.coreml)
    found = check_of(found_by("devices", replace(machine, hardware=missing)), "devices")
    assert found.figures["code"] == "device-missing"


def test_remembered_trials_of_other_models_are_shown(machine: Machine, tmp_path: Path) -> None:
    ledger, lite = tmp_path / "h.json", machine.store.spec("birefnet-lite").sha256
    key = TrialKey(lite, "cuda", "1.32.0", "driver 1")
    Ledger(ledger, Clock()).note(Trial(key, Outcome.disagrees, "cuda gave another matte."))
    found = check_of(
        found_by("devices", replace(machine, hardware=on(ledger))), f"trial:cuda:{lite[:12]}"
    )
    assert found.status is Status.warn
    assert found.message == "Best all-round was tried: cuda gave another matte."


def test_a_trial_that_never_ended_is_not_repeated(machine: Machine, tmp_path: Path) -> None:
    ledger = tmp_path / "h.json"
    key = TrialKey(U2NETP.sha256, SECOND.name, "1.32.0", "driver 1")
    pending = Trial(key, Outcome.unfinished, "A trial of second did not come back.")
    Ledger(ledger, Clock()).note(pending)
    found = check_of(
        found_by("devices", replace(machine, hardware=on(ledger, SECOND))), "device:second"
    )
    assert found.status is Status.warn
    assert found.message == pending.reason


def test_a_repair_comes_first_and_says_what_was_done(machine: Machine, desk: Desk) -> None:
    desk.script.chmod(0o644)
    found = check_of(found_by("hosts", machine), "host:gimp")
    assert found.status is Status.warn
    assert found.message.endswith("~/.config/GIMP/3.0/plug-ins/maskwright/maskwright.py.")
    report = run_checks(machine, CancelToken(), repair=True)
    assert report.checks[0].name == "repair:gimp"
    assert report.checks[0].status is Status.done
    assert check_of(report, "host:gimp").status is Status.ok
    assert run_checks(machine, CancelToken(), repair=True).checks[0].name == "repairs"


def test_the_engine_knows_where_its_plugins_are(machine: Machine) -> None:
    plugins = this_machine({}).plugins
    assert "maskwright.py" in gimp_parts(plugins)
    assert "pykrita/maskwright.desktop" in krita_parts(plugins)
