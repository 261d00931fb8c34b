"""Loading, keeping and letting go; every network here is real and small."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from maskwright.cancel import CancelToken
from maskwright.errors import Cancelled, InputError, MaskwrightError, ModelError
from maskwright.models.access import Access
from maskwright.models.catalogue import load_catalogue
from maskwright.models.hardware import Hardware
from maskwright.models.runtime import DeviceKind
from maskwright.models.sessions import (
    IDLE_S,
    Sessions,
    check_version,
    memory_estimate,
    open_sessions,
)
from maskwright.models.store import Store, open_store
from maskwright.models.trial import trial_scene
from network_bench import (
    SECOND,
    TINY,
    U2NETP,
    U2NETP_FILE,
    Clock,
    Files,
    hardware_of,
    sessions_of,
    timer_of,
    tiny_spec,
)
from tiny_onnx import fragile_model, mean_model

MIB = 1 << 20
PIXELS = np.full((8, 8, 3), 51, np.uint8)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    path = mean_model(tmp_path / "mean.onnx")
    models = {name: (tiny_spec(name), path) for name in ("a", "b", "c")}
    return Files(models | {"u2netp": (U2NETP, U2NETP_FILE)})


@pytest.fixture
def hardware(tmp_path: Path) -> Hardware:
    return hardware_of(tmp_path / "hardware.json")


def code(sessions: Sessions, model_id: str) -> str:
    with pytest.raises(MaskwrightError) as caught:
        sessions.open(model_id)
    return caught.value.code


def test_a_model_is_loaded_once(files: Files, hardware: Hardware) -> None:
    sessions = sessions_of(files, hardware)
    session = sessions.open("a")
    assert sessions.open("a") is session
    assert files.asked == ["a"]
    assert (session.predict(PIXELS, CancelToken()) == np.float32(0.2)).all()


def test_many_threads_load_it_once(files: Files, hardware: Hardware) -> None:
    sessions = sessions_of(files, hardware)
    barrier = threading.Barrier(4)

    def work(_: int) -> object:
        barrier.wait()
        return sessions.open("u2netp")

    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(work, range(4)))
    assert len(set(map(id, opened))) == 1
    assert files.asked == ["u2netp"]


def test_one_models_loading_does_not_hold_up_another(files: Files, hardware: Hardware) -> None:
    sessions = sessions_of(files, hardware)
    entered, leave = threading.Event(), threading.Event()
    real = files.path

    def slow(model_id: str) -> Path:
        if model_id == "a":
            entered.set()
            assert leave.wait(20)
        return real(model_id)

    files.path = slow  # type: ignore[method-assign]
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(sessions.open, "a")
        assert entered.wait(20)
        assert sessions.open("b").model_id == "b"
        assert not first.done()
        leave.set()
        assert first.result().model_id == "a"


def test_idle_models_are_let_go(files: Files, hardware: Hardware) -> None:
    clock = Clock(0.0)
    sessions = sessions_of(files, hardware, clock=clock)
    sessions.open("a")
    clock.now = 200.0
    sessions.open("b").predict(PIXELS, CancelToken())
    assert sessions.unload_idle(IDLE_S - 1) == ()
    assert sessions.unload_idle(IDLE_S) == ("a",)
    assert sessions.loaded == ("b",)
    assert sessions.unload_idle(200.0 + IDLE_S) == ("b",)


def test_a_model_at_work_is_not_idle(files: Files, hardware: Hardware) -> None:
    clock = Clock(0.0)
    sessions = sessions_of(files, hardware, clock=clock)
    session = sessions.open("u2netp")
    seen: list[tuple[str, ...]] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            if session.idle_since() is None:
                seen.append(sessions.unload_idle(1e9))
                seen.append(sessions.make_room(1 << 60))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        session.predict(trial_scene(320, 320), CancelToken())
    finally:
        done.set()
        watcher.join()
    assert seen
    assert not any(seen[:-2])  # the last look may have been just after the end


def test_a_session_outlives_being_let_go(files: Files, hardware: Hardware) -> None:
    sessions = sessions_of(files, hardware)
    session = sessions.open("a")
    assert sessions.free() == ("a",)
    assert (session.predict(PIXELS, CancelToken()) == np.float32(0.2)).all()
    assert sessions.open("a") is not session


def test_the_longest_unused_leaves_when_memory_is_short(files: Files, hardware: Hardware) -> None:
    clock = Clock(0.0, step=1.0)
    need = memory_estimate(tiny_spec())
    loaded: list[Sessions] = []

    def free() -> int:
        return int((3.5 - len(loaded[0].loaded)) * need) if loaded else 1 << 40

    sessions = sessions_of(files, hardware, clock=clock, free_memory=free)
    loaded.append(sessions)
    for name in ("a", "b"):
        sessions.open(name)
    sessions.open("a").predict(PIXELS, CancelToken())
    sessions.open("c")
    assert set(sessions.loaded) == {"a", "b", "c"}
    files.models["large"] = (tiny_spec("large", memory_mb=600), files.models["a"][1])
    sessions.open("large")  # b leaves, which was used first, and that is not enough yet
    assert sessions.loaded == ("c", "large")


def test_where_memory_is_unknown_two_models_stay(files: Files, hardware: Hardware) -> None:
    clock = Clock(0.0, step=1.0)
    sessions = sessions_of(files, hardware, clock=clock, free_memory=lambda: None)
    for name in ("a", "b", "c"):
        sessions.open(name)
    assert sessions.loaded == ("b", "c")


def test_a_model_that_cannot_fit_is_refused_before_it_is_loaded(
    files: Files, hardware: Hardware
) -> None:
    sessions = sessions_of(files, hardware, free_memory=lambda: 8 * MIB)
    assert code(sessions, "u2netp") == "not-enough-memory"
    assert sessions.loaded == ()


def test_a_tight_fit_is_tried(files: Files, hardware: Hardware) -> None:
    sessions = sessions_of(files, hardware, free_memory=lambda: 64 * MIB)
    assert sessions.open("u2netp").model_id == "u2netp"


def test_memory_is_as_measured_or_guessed_from_the_file() -> None:
    assert memory_estimate(U2NETP) == (U2NETP.memory_mb or 0) * MIB
    assert memory_estimate(tiny_spec(bytes=100 * MIB)) == 656 * MIB


def test_a_later_onnxruntime_is_asked_for_before_anything_is_loaded(
    files: Files, hardware: Hardware, tmp_path: Path
) -> None:
    junk = tmp_path / "junk.onnx"
    junk.write_bytes(b"junk")
    files.models["new"] = (tiny_spec("new", min_onnxruntime="1.99"), junk)
    sessions = sessions_of(files, hardware)
    with pytest.raises(ModelError, match=r"needs onnxruntime >= 1\.99") as caught:
        sessions.open("new")
    assert caught.value.code == "onnxruntime-too-old"


@pytest.mark.parametrize(
    ("installed", "fits"),
    [("1.25", True), ("1.25.0", True), ("1.24.4", False), ("1.100.0", True), ("2.0", True)],
)
def test_versions_are_compared_as_numbers(installed: str, fits: bool) -> None:
    spec = tiny_spec(min_onnxruntime="1.25")
    if fits:
        check_version(spec, installed)
    else:
        with pytest.raises(ModelError):
            check_version(spec, installed)


def test_a_failed_load_can_be_tried_again(files: Files, hardware: Hardware, tmp_path: Path) -> None:
    path = tmp_path / "late.onnx"
    path.write_bytes(b"junk")
    files.models["late"] = (tiny_spec("late"), path)
    sessions = sessions_of(files, hardware)
    assert code(sessions, "late") == "model-load-failed"
    mean_model(path)
    assert sessions.open("late").model_id == "late"


def test_a_cancelled_load_loads_nothing(files: Files, hardware: Hardware) -> None:
    cancel = CancelToken()
    cancel.cancel()
    sessions = sessions_of(files, hardware)
    with pytest.raises(Cancelled):
        sessions.open("u2netp", cancel)
    assert sessions.loaded == ()
    assert sessions.open("u2netp").model_id == "u2netp"


def test_a_proven_device_is_used_and_named(files: Files, tmp_path: Path) -> None:
    hardware = hardware_of(tmp_path / "h.json", SECOND, timer=timer_of(1.0, 0.5))
    session = sessions_of(files, hardware).open("a")
    assert (session.device, session.notices) == ("second", ())


def test_a_device_that_stops_starting_is_replaced_and_remembered(
    files: Files, tmp_path: Path
) -> None:
    ledger = tmp_path / "h.json"
    sessions_of(files, hardware_of(ledger, SECOND, timer=timer_of(1.0, 0.5))).open("a")
    gone = replace(SECOND, provider="OpenVINOExecutionProvider")  # proven, and now not there
    session = sessions_of(files, hardware_of(ledger, gone)).open("a")
    assert session.device == "cpu"
    assert [notice.code for notice in session.notices] == ["fell-back"]
    again = sessions_of(files, hardware_of(ledger, gone)).open("a")
    assert [notice.code for notice in again.notices] == ["device-not-used"]


def test_a_device_that_fails_at_work_is_replaced_and_remembered(
    files: Files, tmp_path: Path
) -> None:
    """The trial's picture is 7 x 7 for this network, and nothing else works."""
    spec = tiny_spec("frail", contract=replace(TINY, size=7))
    files.models["frail"] = (spec, fragile_model(tmp_path / "frail.onnx"))
    ledger = tmp_path / "h.json"
    sessions = sessions_of(files, hardware_of(ledger, SECOND, timer=timer_of(1.0, 0.5)))
    session = sessions.open("frail")
    assert session.device == "second"
    files.models["frail"][1].write_bytes(files.models["a"][1].read_bytes())  # repaired meanwhile
    assert (session.predict(PIXELS, CancelToken()) == np.float32(0.2)).all()
    assert session.device == "cpu"
    assert [notice.code for notice in session.notices] == ["fell-back"]
    assert sessions_of(files, hardware_of(ledger, SECOND)).open("frail").device == "cpu"


def test_a_demanded_device_is_never_replaced(files: Files, tmp_path: Path) -> None:
    ledger = tmp_path / "h.json"
    wanted = DeviceKind.openvino
    hardware = hardware_of(ledger, SECOND, wanted=wanted, timer=timer_of(1.0, 0.5))
    sessions_of(files, hardware).open("a")
    gone = replace(SECOND, provider="OpenVINOExecutionProvider")
    sessions = sessions_of(files, hardware_of(ledger, gone, wanted=wanted))
    assert code(sessions, "a") == "device-unavailable"


def test_the_users_own_sessions(home: Path) -> None:
    sessions = open_sessions(open_store({}), {"MASKWRIGHT_DEVICE": "cpu"})
    session = sessions.open("u2netp")
    assert session.provider == "CPUExecutionProvider"
    assert session.predict(trial_scene(320, 320), CancelToken()).mean() > 0.2
    with pytest.raises(InputError):
        sessions.open("nothing-like-it")


def test_a_model_that_is_not_there(tmp_path: Path, hardware: Hardware) -> None:
    def fetch(*_: object, **__: object) -> None:
        raise AssertionError("nobody asked for a download")

    store = Store(
        tmp_path / "models",
        load_catalogue(),
        fetch=fetch,
        access=Access(tmp_path / "settings.json", {}),
    )
    with pytest.raises(ModelError) as caught:
        Sessions(store, hardware, sessions_of(Files({}), hardware).tuning).open("birefnet-lite")
    assert caught.value.code == "model-missing"
