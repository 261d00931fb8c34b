"""Real networks through onnxruntime: the built-in one, and files of a few nodes."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from maskwright.cancel import CancelToken
from maskwright.errors import Cancelled, MaskwrightError, ModelError
from maskwright.models.contract import OutputKind
from maskwright.models.runtime import Tuning, open_runtime
from maskwright.models.session import Session
from maskwright.models.trial import trial_scene
from network_bench import ABSENT, SECOND, TINY, TUNING, U2NETP, U2NETP_FILE, open_session, tiny_spec
from numpy.typing import NDArray
from tiny_onnx import (
    MEAN,
    fragile_model,
    half_model,
    mean_model,
    nan_model,
    recurrent_model,
    value,
    write_model,
)

SCENE = trial_scene(320, 320)


@pytest.fixture(scope="module")
def u2netp() -> Session:
    return open_session(U2NETP_FILE, U2NETP)


def predict(session: Session, pixels: NDArray[np.uint8] = SCENE) -> NDArray[np.float32]:
    return session.predict(pixels, CancelToken())


def pixels_of(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)


def run_for_ever(session: Session, cancel: CancelToken) -> None:
    while True:
        session.predict(SCENE, cancel)


def code(session: Session, pixels: NDArray[np.uint8]) -> str:
    with pytest.raises(MaskwrightError) as caught:
        predict(session, pixels)
    return caught.value.code


def test_the_built_in_network_sees_the_picture_normalised(u2netp: Session) -> None:
    """Against the authors' definition, computed here and run by onnxruntime as it comes."""
    dark = SCENE // 2  # dividing by the picture's own maximum would show
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    tensor = ((dark / 255.0 - mean) / std).transpose(2, 0, 1)[None].astype(np.float32)
    plain = onnxruntime.InferenceSession(str(U2NETP_FILE), providers=["CPUExecutionProvider"])
    expected = plain.run(["1959"], {"input.1": tensor})[0][0, 0]
    np.testing.assert_allclose(predict(u2netp, dark), expected, atol=1e-4)


def test_the_built_in_network_finds_the_ball(u2netp: Session) -> None:
    matte = predict(u2netp)
    assert matte.shape == (320, 320)
    assert matte.dtype == np.float32
    assert 0.0 <= matte.min() <= matte.max() <= 1.0
    assert matte[160, 160] > 0.95
    assert matte[10, 10] < 0.05
    assert 0.2 < matte.mean() < 0.35


def test_a_session_says_what_it_runs_on(u2netp: Session) -> None:
    assert (u2netp.model_id, u2netp.provider, u2netp.device, u2netp.notices) == (
        "u2netp",
        "CPUExecutionProvider",
        "cpu",
        (),
    )
    assert u2netp.contract is U2NETP.contract


def test_letting_go_of_memory_changes_no_result(u2netp: Session) -> None:
    lean = open_session(U2NETP_FILE, U2NETP, tuning=Tuning(threads=1, keep_memory=False))
    np.testing.assert_array_equal(predict(lean), predict(u2netp))


def test_two_threads_may_share_a_session(u2netp: Session) -> None:
    scenes = [SCENE, SCENE[:, ::-1].copy(), SCENE // 2, SCENE[::-1].copy()]
    alone = [predict(u2netp, scene) for scene in scenes]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda scene: predict(u2netp, scene), scenes * 2))
    for matte, expected in zip(together, alone * 2, strict=True):
        np.testing.assert_array_equal(matte, expected)


def test_a_cancel_ends_a_run_within_half_a_second_and_harms_nothing(u2netp: Session) -> None:
    expected = predict(u2netp)
    for delay in (0.0, 0.02, 0.05, 0.1):
        cancel, stopped_at = CancelToken(), [0.0]

        def stop(cancel: CancelToken = cancel, stopped_at: list[float] = stopped_at) -> None:
            stopped_at[0] = time.monotonic()
            cancel.cancel()

        timer = threading.Timer(delay, stop)
        timer.start()
        with pytest.raises(Cancelled):
            run_for_ever(u2netp, cancel)
        assert time.monotonic() - stopped_at[0] < 0.5
        timer.join()
        np.testing.assert_array_equal(predict(u2netp), expected)


def test_a_cancel_reaches_into_a_run(u2netp: Session) -> None:
    """Without an interrupt the run would end first; it takes longer than what is allowed here."""
    predict(u2netp)
    began = time.monotonic()
    predict(u2netp)
    whole = time.monotonic() - began
    spent = []
    for _ in range(5):
        cancel = CancelToken()
        threading.Timer(whole / 4, cancel.cancel).start()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            run_for_ever(u2netp, cancel)
        spent.append(time.monotonic() - began)
    assert min(spent) < 0.8 * whole


def test_a_cancelled_token_starts_nothing(u2netp: Session) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        u2netp.predict(SCENE, cancel)
    with pytest.raises(Cancelled):
        open_runtime(U2NETP_FILE, SECOND, TUNING, cancel)


def test_any_size_where_the_graph_takes_it(tmp_path: Path) -> None:
    session = open_session(mean_model(tmp_path / "m.onnx"), tiny_spec())
    pixels = pixels_of(5, 9)
    np.testing.assert_allclose(predict(session, pixels), pixels.mean(2) / 255, atol=1e-6)


def test_a_wrong_size_is_an_error(u2netp: Session) -> None:
    assert code(u2netp, pixels_of(320, 300)) == "run-failed"


def test_an_output_of_another_shape_is_an_error(tmp_path: Path) -> None:
    contract = replace(TINY, output_name="copy")
    session = open_session(mean_model(tmp_path / "m.onnx"), tiny_spec(contract=contract))
    assert code(session, pixels_of(5, 9)) == "bad-output"


def test_nan_is_an_error_and_not_a_black_matte(tmp_path: Path) -> None:
    assert code(open_session(nan_model(tmp_path / "n.onnx"), tiny_spec()), SCENE) == "bad-output"


def test_logits_become_a_probability(tmp_path: Path) -> None:
    contract = replace(TINY, output_kind=OutputKind.logits, mean=(0.5, 0.5, 0.5))
    session = open_session(mean_model(tmp_path / "m.onnx"), tiny_spec(contract=contract))
    logits = pixels_of(4, 4).mean(2) / 255 - 0.5
    expected = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(predict(session, pixels_of(4, 4)), expected, atol=1e-6)


def test_a_graph_in_half_precision(tmp_path: Path) -> None:
    session = open_session(half_model(tmp_path / "h.onnx"), tiny_spec())
    matte = predict(session, pixels_of(6, 4))
    assert matte.dtype == np.float32
    np.testing.assert_allclose(matte, pixels_of(6, 4).mean(2) / 255, atol=2e-3)


@pytest.mark.parametrize(("ratio_side", "ratio"), [(4, 0.5), (512, 1.0)])
def test_a_recurrent_network_starts_from_nothing(
    tmp_path: Path, ratio_side: int, ratio: float
) -> None:
    contract = replace(
        TINY,
        input_name="src",
        output_name="pha",
        state_inputs=("state",),
        ratio_input="ratio",
        ratio_side=ratio_side,
    )
    session = open_session(recurrent_model(tmp_path / "r.onnx"), tiny_spec(contract=contract))
    pixels = pixels_of(8, 6)
    for _ in range(2):  # the second photo does not continue the first
        matte = predict(session, pixels)
        np.testing.assert_allclose(matte, ratio * pixels.mean(2) / 255, atol=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        {"input_name": "picture"},
        {"output_name": "matte"},
        {"state_inputs": ("r1i",)},
        {"ratio_input": "ratio"},
    ],
)
def test_names_that_the_file_does_not_have(tmp_path: Path, changes: dict[str, object]) -> None:
    spec = tiny_spec(contract=replace(TINY, **changes))  # type: ignore[arg-type]
    with pytest.raises(ModelError) as caught:
        open_session(mean_model(tmp_path / "m.onnx"), spec)
    assert caught.value.code == "wrong-contract"


def test_a_type_that_is_no_picture(tmp_path: Path) -> None:
    whole = value("src", (1, 3, "h", "w"), 7)
    path = write_model(tmp_path / "w.onnx", [MEAN], [whole], [value("mean", (1, 1, "h", "w"), 7)])
    with pytest.raises(ModelError) as caught:
        open_session(path, tiny_spec())
    assert caught.value.code == "wrong-contract"


@pytest.mark.parametrize("content", [b"", b"junk", U2NETP_FILE.read_bytes()[:100_000]])
def test_a_file_that_does_not_load(
    tmp_path: Path, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        open_session(path, tiny_spec())
    assert caught.value.code == "model-load-failed"
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_run_that_fails_says_so_in_one_sentence_and_nowhere_else(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    session = open_session(fragile_model(tmp_path / "f.onnx"), tiny_spec())
    assert predict(session, pixels_of(7, 7)).shape == (7, 7)
    with pytest.raises(ModelError) as caught:
        predict(session, pixels_of(8, 8))
    assert caught.value.code == "run-failed"
    assert "\n" not in str(caught.value)
    assert "ONNXRuntimeError" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_device_that_is_not_there_is_never_replaced_silently(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ModelError) as caught:
        open_runtime(U2NETP_FILE, ABSENT, TUNING, CancelToken())
    assert caught.value.code == "device-unavailable"
    assert capfd.readouterr() == ("", "")


def test_a_failing_device_is_replaced_with_a_notice(tmp_path: Path) -> None:
    failing = open_runtime(fragile_model(tmp_path / "f.onnx"), SECOND, TUNING, CancelToken())
    sound = mean_model(tmp_path / "m.onnx")
    seen: list[str] = []

    def spare(error: ModelError, cancel: CancelToken) -> object:
        seen.append(error.code)
        return open_runtime(sound, replace(SECOND, name="spare"), TUNING, cancel)

    session = Session(tiny_spec(), failing, spare=spare)  # type: ignore[arg-type]
    assert session.device == "second"
    pixels = pixels_of(8, 8)
    with ThreadPoolExecutor(2) as pool:
        mattes = list(pool.map(lambda _: predict(session, pixels), range(4)))
    for matte in mattes:
        np.testing.assert_allclose(matte, pixels.mean(2) / 255, atol=1e-6)
    assert seen == ["run-failed"]
    assert session.device == "spare"
    (notice,) = session.notices
    assert notice.code == "fell-back"
    assert "second" in notice.message


def test_only_the_wanted_output_is_fetched(u2netp: Session) -> None:
    runtime = open_runtime(U2NETP_FILE, SECOND, TUNING, CancelToken())
    assert len(runtime.outputs) == 7
    tensor = np.zeros((1, 3, 320, 320), np.float32)
    assert runtime.run("1959", {"input.1": tensor}, CancelToken()).shape == (1, 1, 320, 320)


def test_onnxruntime_is_imported_when_a_model_is_loaded_and_not_before() -> None:
    program = (
        "import sys, maskwright.models.sessions, maskwright.models.hardware;"
        "assert 'onnxruntime' not in sys.modules;"
        "maskwright.models.hardware.available_providers();"
        "assert 'onnxruntime' in sys.modules"
    )
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], check=True, env=environ)


def test_half_inputs_are_recognised(tmp_path: Path) -> None:
    runtime = open_runtime(half_model(tmp_path / "h.onnx"), SECOND, TUNING, CancelToken())
    assert runtime.inputs["src"].dtype == np.float16
