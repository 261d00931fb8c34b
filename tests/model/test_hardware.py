"""Trials with real inference; the second device is the processor again, under another name."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from maskwright.cancel import CancelToken
from maskwright.errors import Cancelled, InputError, MaskwrightError, ModelError
from maskwright.models.contract import SizeRule
from maskwright.models.hardware import (
    Hardware,
    Pick,
    driver_version,
    open_hardware,
    wanted_device,
)
from maskwright.models.ledger import Ledger, Outcome, Trial, TrialKey
from maskwright.models.protobuf import fields
from maskwright.models.runtime import CPU, Device, DeviceKind, Tuning, onnxruntime_version
from maskwright.models.trial import MEAN_DIFFERENCE, Candidate, Opener, trial_scene, trial_size
from network_bench import (
    ABSENT,
    SECOND,
    THIRD,
    TINY,
    U2NETP,
    U2NETP_FILE,
    Clock,
    hardware_of,
    opener,
    timer_of,
    tiny_spec,
)
from tiny_onnx import fragile_model, mean_model, nan_model

DAY = 24 * 3600.0
SHA256 = "a" * 64


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "hardware.json"


class Bench:
    """A small network, and the same network with two threads instead of one as a candidate."""

    def __init__(self, folder: Path) -> None:
        self.path = mean_model(folder / "mean.onnx")
        self.cpu = opener(self.path, tiny_spec())

    def same(self, device: Device = SECOND) -> Candidate:
        return Candidate(device, opener(self.path, tiny_spec(), device, Tuning(threads=2)))

    def pick(self, hardware: Hardware, *candidates: Candidate, cpu: Opener | None = None) -> Pick:
        return hardware.pick(SHA256, cpu or self.cpu, candidates, CancelToken())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def never(cancel: CancelToken) -> NoReturn:
    raise AssertionError("this must not be opened")


def untouched(device: Device) -> Candidate:
    """A candidate that must not be opened."""
    return Candidate(device, never)


def outcomes(hardware: Hardware) -> list[tuple[str, Outcome]]:
    return [(trial.key.device, trial.outcome) for trial in hardware.ledger.trials()]


def test_a_device_that_agrees_and_is_faster_is_used(bench: Bench, ledger: Path) -> None:
    hardware = hardware_of(ledger, SECOND, timer=timer_of(1.0, 0.5))
    assert bench.pick(hardware, bench.same()) == Pick(SECOND)
    (trial,) = hardware.ledger.trials()
    assert trial.outcome is Outcome.faster
    assert (trial.seconds, trial.cpu_seconds) == (0.5, 1.0)
    assert trial.largest_difference is not None
    assert trial.largest_difference < 0.001


@pytest.mark.parametrize("seconds", [0.95, 1.0, 7.0])
def test_a_device_that_is_not_clearly_faster_is_not_used(
    bench: Bench, ledger: Path, seconds: float
) -> None:
    hardware = hardware_of(ledger, SECOND, timer=timer_of(1.0, seconds))
    assert bench.pick(hardware, bench.same()) == Pick(CPU)
    assert outcomes(hardware) == [("second", Outcome.slower)]


def test_a_single_slow_run_does_not_decide(bench: Bench, ledger: Path) -> None:
    looks = [0, 1, 0, 1, 0, 9, 0, 0.5, 0, 0.5, 0, 30]
    hardware = hardware_of(ledger, SECOND, timer=iter(map(float, looks)).__next__)
    assert bench.pick(hardware, bench.same()).device == SECOND


def test_the_built_in_network_on_two_devices(bench: Bench, ledger: Path) -> None:
    """The whole trial, with the times that it really takes."""
    hardware = hardware_of(ledger, SECOND, timer=time.perf_counter)
    candidate = Candidate(SECOND, opener(U2NETP_FILE, U2NETP, SECOND, Tuning(threads=2)))
    picked = bench.pick(hardware, candidate, cpu=opener(U2NETP_FILE, U2NETP))
    (trial,) = hardware.ledger.trials()
    assert trial.outcome in (Outcome.faster, Outcome.slower)
    assert (picked.device is CPU) == (trial.outcome is Outcome.slower)
    assert (trial.largest_difference or 0.0) < 0.001
    assert (trial.seconds or 0.0) > 0.0


def with_other_weights(source: Path, target: Path) -> Path:
    """A copy of a model whose largest tensor is half as large: it runs, and is wrong."""
    data = source.read_bytes()
    graphs = [part for part in fields(data, 0, len(data)) if part.number == 7]
    tensors = [part for part in fields(data, graphs[0].start, graphs[0].end) if part.number == 5]
    raw = [
        part
        for tensor in tensors
        for part in fields(data, tensor.start, tensor.end)
        if part.number == 9
    ]
    largest = max(raw, key=lambda part: part.end - part.start)
    weights = np.frombuffer(data[largest.start : largest.end], np.float32) * np.float32(0.5)
    target.write_bytes(data[: largest.start] + weights.tobytes() + data[largest.end :])
    return target


def test_a_device_with_other_results_is_refused(bench: Bench, ledger: Path, tmp_path: Path) -> None:
    wrong = with_other_weights(U2NETP_FILE, tmp_path / "wrong.onnx")
    hardware = hardware_of(ledger, SECOND, timer=timer_of(1.0, 0.1))
    candidate = Candidate(SECOND, opener(wrong, U2NETP, SECOND))
    picked = bench.pick(hardware, candidate, cpu=opener(U2NETP_FILE, U2NETP))
    assert picked.device is CPU
    (trial,) = hardware.ledger.trials()
    assert trial.outcome is Outcome.disagrees, trial.reason
    (notice,) = picked.notices
    assert notice.code == "device-not-used"
    assert trial.reason in notice.message


@pytest.mark.parametrize("difference", [0.002, 0.004, 0.04])
def test_the_tolerance(bench: Bench, ledger: Path, tmp_path: Path, difference: float) -> None:
    path = bench.path
    shifted = replace(TINY, mean=(difference, difference, difference))
    spec, other = tiny_spec(), tiny_spec(contract=shifted)
    hardware = hardware_of(ledger, SECOND, timer=timer_of(1.0, 0.1))
    picked = bench.pick(
        hardware, Candidate(SECOND, opener(path, other, SECOND)), cpu=opener(path, spec)
    )
    agrees = difference < MEAN_DIFFERENCE
    assert picked.device is (SECOND if agrees else CPU)
    (trial,) = hardware.ledger.trials()
    assert trial.outcome is (Outcome.faster if agrees else Outcome.disagrees)
    assert trial.mean_difference == pytest.approx(difference, rel=1e-3)


@pytest.mark.parametrize("broken", [fragile_model, nan_model])
def test_a_device_that_fails_is_recorded_with_its_reason(
    bench: Bench, ledger: Path, tmp_path: Path, broken: Callable[[Path], Path]
) -> None:
    sound = mean_model(tmp_path / "mean.onnx")
    bad = Candidate(SECOND, opener(broken(tmp_path / "bad.onnx"), tiny_spec(), SECOND))
    hardware = hardware_of(ledger, SECOND, timer=timer_of(1.0))
    picked = bench.pick(hardware, bad, cpu=opener(sound, tiny_spec()))
    assert picked.device is CPU
    (trial,) = hardware.ledger.trials()
    assert trial.outcome is Outcome.failed
    assert trial.cpu_seconds == 1.0
    assert trial.reason in picked.notices[0].message


def test_a_device_that_is_not_there_fails_its_trial(bench: Bench, ledger: Path) -> None:
    hardware = hardware_of(ledger, ABSENT, timer=timer_of(1.0))
    picked = bench.pick(hardware, Candidate(ABSENT, opener(U2NETP_FILE, U2NETP, ABSENT)))
    assert picked.device is CPU
    assert outcomes(hardware) == [("absent", Outcome.failed)]


def test_the_fastest_of_several_is_used(bench: Bench, ledger: Path) -> None:
    hardware = hardware_of(ledger, SECOND, THIRD, timer=timer_of(1.0, 0.5, 0.3))
    assert bench.pick(hardware, bench.same(SECOND), bench.same(THIRD)) == Pick(THIRD)
    assert outcomes(hardware) == [("second", Outcome.faster), ("third", Outcome.faster)]


def test_what_a_trial_found_is_remembered(bench: Bench, ledger: Path) -> None:
    bench.pick(hardware_of(ledger, SECOND, timer=timer_of(1.0, 0.5)), bench.same())
    again = hardware_of(ledger, SECOND)
    assert bench.pick(again, untouched(SECOND), cpu=never) == Pick(SECOND)


@pytest.mark.parametrize(
    "changes",
    [{"version": "1.33.0"}, {"driver": "driver 2"}, {"clock": Clock(1_000_000 + 31 * DAY)}],
)
def test_another_version_driver_or_month_is_another_trial(
    bench: Bench, ledger: Path, changes: dict[str, object]
) -> None:
    bench.pick(hardware_of(ledger, SECOND, timer=timer_of(1.0, 0.5)), bench.same())
    again = hardware_of(ledger, SECOND, timer=timer_of(1.0, 2.0), **changes)  # type: ignore[arg-type]
    assert bench.pick(again, bench.same()) == Pick(CPU)


def test_another_model_is_another_trial(bench: Bench, ledger: Path) -> None:
    bench.pick(hardware_of(ledger, SECOND, timer=timer_of(1.0, 0.5)), bench.same())
    hardware = hardware_of(ledger, SECOND, timer=timer_of(1.0, 2.0))
    assert hardware.pick("f" * 64, bench.cpu, [bench.same()], CancelToken()) == Pick(CPU)
    assert len(hardware.ledger.trials()) == 2


def test_a_trial_that_takes_the_process_down_is_not_repeated_that_day(
    bench: Bench, ledger: Path
) -> None:
    hardware = hardware_of(ledger, SECOND, timer=timer_of(1.0))
    seen = []

    def die(cancel: CancelToken) -> NoReturn:
        seen.append(json.loads(ledger.read_text())["trials"])
        raise Cancelled

    with pytest.raises(Cancelled):
        bench.pick(hardware, Candidate(SECOND, die))
    assert hardware.ledger.trials() == ()  # a cancel proves nothing
    ((pending,),) = seen
    assert pending["outcome"] == "unfinished"  # and this is what a crash would have left
    ledger.write_text(json.dumps({"schema": 1, "trials": [pending]}))
    picked = bench.pick(hardware_of(ledger, SECOND), untouched(SECOND), cpu=never)
    assert picked.device is CPU
    assert "did not come back" in picked.notices[0].message
    tomorrow = hardware_of(
        ledger, SECOND, timer=timer_of(1.0, 0.5), clock=Clock(1_000_000 + 1.1 * DAY)
    )
    assert bench.pick(tomorrow, bench.same()) == Pick(SECOND)


def test_a_demanded_device_is_used_even_if_slower(bench: Bench, ledger: Path) -> None:
    hardware = hardware_of(ledger, SECOND, wanted=DeviceKind.openvino, timer=timer_of(1.0, 3.0))
    assert hardware.contenders() == (SECOND,)
    assert bench.pick(hardware, bench.same()) == Pick(SECOND)


def test_a_demanded_device_that_fails_is_an_error(bench: Bench, ledger: Path) -> None:
    hardware = hardware_of(ledger, ABSENT, wanted=DeviceKind.cuda, timer=timer_of(1.0))
    with pytest.raises(ModelError) as caught:
        bench.pick(hardware, Candidate(ABSENT, opener(U2NETP_FILE, U2NETP, ABSENT)))
    assert caught.value.code == "device-refused"


def test_a_demanded_device_that_is_not_offered_is_an_error(ledger: Path) -> None:
    hardware = hardware_of(ledger, SECOND, wanted=DeviceKind.directml)
    with pytest.raises(ModelError) as caught:
        hardware.contenders()
    assert caught.value.code == "device-missing"
    assert "cpu, openvino" in str(caught.value)


def test_the_processor_can_be_demanded(bench: Bench, ledger: Path) -> None:
    hardware = hardware_of(ledger, SECOND, THIRD, wanted=DeviceKind.cpu)
    assert hardware.contenders() == ()
    assert bench.pick(hardware) == Pick(CPU)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", None), ("auto", None), ("CPU", DeviceKind.cpu), (" cuda ", DeviceKind.cuda)],
)
def test_the_environment_names_a_device(text: str, expected: DeviceKind | None) -> None:
    assert wanted_device({"MASKWRIGHT_DEVICE": text}) is expected
    assert wanted_device({}) is None


def test_an_unknown_device_is_bad_input() -> None:
    with pytest.raises(InputError) as caught:
        wanted_device({"MASKWRIGHT_DEVICE": "toaster"})
    assert caught.value.code == "bad-device"
    assert "cuda" in str(caught.value)


def test_this_machine(home: Path) -> None:
    hardware = open_hardware({"MASKWRIGHT_DEVICE": "cpu"})
    assert hardware.wanted is DeviceKind.cpu
    assert hardware.version == onnxruntime_version()
    assert hardware.driver
    assert hardware.ledger.path.is_relative_to(home)
    assert all(device.kind is not DeviceKind.cpu for device in hardware.devices)


def test_the_drivers_own_version_counts_where_there_is_one(tmp_path: Path) -> None:
    without = driver_version(tmp_path)
    path = tmp_path / "proc/driver/nvidia/version"
    path.parent.mkdir(parents=True)
    path.write_text("NVRM version: NVIDIA UNIX 570.1\nGCC version: 12\n")
    assert driver_version(tmp_path) == "NVRM version: NVIDIA UNIX 570.1" != without


def test_the_trials_picture_is_what_a_network_takes() -> None:
    assert trial_size(U2NETP.contract) == (320, 320)
    short = replace(TINY, size_rule=SizeRule.short_side, size=512, multiple=32)
    assert trial_size(short) == (512, 384)
    scene = trial_scene(512, 384)
    assert scene.shape == (512, 384, 3)
    assert scene.dtype == np.uint8


TRIAL = Trial(TrialKey("a", "b", "c", "d"), Outcome.slower, "Why.", 0.1, 0.2, None, 1.0)


def test_a_ledger_gives_back_what_it_was_told(ledger: Path) -> None:
    clock = Clock(50.0)
    Ledger(ledger, clock).note(TRIAL)
    assert Ledger(ledger, clock).trials() == (replace(TRIAL, at=50.0),)
    assert Ledger(ledger, clock).find(TrialKey("a", "b", "c", "other")) is None
    Ledger(ledger, clock).forget(TRIAL.key)
    assert Ledger(ledger, clock).trials() == ()


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"schema": 1, "trials": [1]}', '{"schema": 2, "trials": []}']
)
def test_a_damaged_ledger_is_an_empty_one(ledger: Path, content: str) -> None:
    ledger.parent.mkdir()
    ledger.write_text(content)
    book = Ledger(ledger, Clock())
    assert book.trials() == ()
    book.note(TRIAL)
    assert len(book.trials()) == 1


def test_a_ledger_that_cannot_be_written_stops_nothing(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    hardware = hardware_of(tmp_path / "file" / "x.json", SECOND, timer=timer_of(1.0, 0.5))
    assert bench.pick(hardware, bench.same()) == Pick(SECOND)


def test_errors_of_the_processor_are_nobody_elses(
    bench: Bench, ledger: Path, tmp_path: Path
) -> None:
    bad = opener(nan_model(tmp_path / "nan.onnx"), tiny_spec())
    hardware = hardware_of(ledger, SECOND)
    with pytest.raises(MaskwrightError) as caught:
        bench.pick(hardware, untouched(SECOND), cpu=bad)
    assert caught.value.code == "bad-output"
    assert hardware.ledger.trials() == ()
