"""A photo goes in, its matte comes out: with a real engine, a real network and the real client."""

import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from engine_client import BUILTIN, Listener, client_of, matted, request_for
from engine_process import EngineProcess, engine_in, frame, wait_for
from maskwright.cancel import CancelToken
from maskwright.matting.photo import Photo
from maskwright.matting.pipeline import matte_photo
from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.errors import Cancelled, EngineBusy, JobFailed
from maskwright_client.protocol import (
    PIXELS_TYPE,
    AlphaRequest,
    Combine,
    Edges,
    MatteState,
    Region,
)
from network_bench import U2NETP, U2NETP_FILE, open_session
from subject_photos import ball

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client(engine: EngineProcess) -> Engine:
    return client_of(engine)


def in_process(pixels: np.ndarray, alpha: np.ndarray | None = None) -> np.ndarray:
    """The same photo through the same pipeline without any service."""
    network = open_session(U2NETP_FILE, U2NETP)
    return matte_photo(Photo(pixels, alpha), network, cancel=CancelToken()).matte


def large(width: int, height: int, seed: int) -> np.ndarray:
    """A ball whose pixels are ten times as large, which is quicker than to draw it."""
    return ball(width // 10, height // 10, seed=seed).repeat(10, axis=0).repeat(10, axis=1)


def full(client: Engine, matte_id: str, info, request: AlphaRequest | None = None) -> np.ndarray:
    alpha = client.alpha(matte_id, info, request or AlphaRequest())
    dtype = np.uint8 if alpha.bits == 8 else np.dtype("<u2")
    return np.frombuffer(alpha.samples, dtype).reshape(alpha.height, alpha.width)


def deep(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype("<u2") * np.uint16(257)


def with_alpha(pixels: np.ndarray, depth: type = np.uint8) -> np.ndarray:
    """Its left third is transparent."""
    alpha = np.full(pixels.shape[:2], np.iinfo(depth).max, pixels.dtype)
    alpha[:, : pixels.shape[1] // 3] = 0
    return np.dstack((pixels, alpha))


def opaque(pixels: np.ndarray) -> np.ndarray:
    return np.dstack((pixels, np.full(pixels.shape[:2], 255, np.uint8)))


def test_a_job_goes_through_its_states(client: Engine):
    listener = Listener()
    before = client.hello()
    _, info = matted(client, ball(640, 480, seed=1), listener=listener)
    after = client.hello()
    order = [MatteState.queued, MatteState.loading, MatteState.predicting, MatteState.refining]
    assert listener.states == [state for state in order if state in listener.states] + [
        MatteState.done
    ]
    assert MatteState.predicting in listener.states
    fractions = [event.fraction for event in listener.events]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert (info.width, info.height, info.bits, info.model) == (640, 480, 8, BUILTIN)
    assert (info.provider, info.device) == ("CPUExecutionProvider", "cpu")
    assert info.network_runs >= 1
    assert after.network_runs == before.network_runs + info.network_runs
    assert {"receive", "queue", "load", "predict", "refine"} <= info.seconds.keys()
    assert after.jobs == 0
    assert BUILTIN in after.loaded_models


@pytest.mark.parametrize("kind", ["rgb", "rgba", "opaque", "deep", "deep-rgba"])
def test_the_matte_is_what_the_pipeline_makes_of_the_photo(client: Engine, kind: str):
    pixels = ball(500, 400, seed=2)
    sent = {
        "rgb": pixels,
        "rgba": with_alpha(pixels),
        "opaque": opaque(pixels),
        "deep": deep(pixels),
        "deep-rgba": with_alpha(deep(pixels), np.uint16),
    }[kind]
    matte_id, info = matted(client, sent)
    matte = full(client, matte_id, info, AlphaRequest(bits=8 * sent.itemsize))
    alpha = sent[..., 3] if kind in ("rgba", "deep-rgba") else None
    expected = in_process(np.ascontiguousarray(sent[..., :3]), alpha)
    assert matte.max() == expected.max() > 0
    # Two sessions of the same network may differ in the last bits of a float.
    assert np.abs(matte.astype(int) - expected).max() <= np.iinfo(expected.dtype).max // 255
    if kind == "opaque":
        assert np.array_equal(expected, in_process(pixels))


def test_other_settings_need_no_network(client: Engine):
    matte_id, info = matted(client, ball(400, 300, seed=3))
    runs = client.hello().network_runs
    whole = full(client, matte_id, info)
    grown = full(client, matte_id, info, AlphaRequest(Edges(shift=4)))
    assert grown.sum() > whole.sum()
    part = AlphaRequest(Edges(shift=4), region=Region(100, 80, 120, 90))
    assert np.array_equal(full(client, matte_id, info, part), grown[80:170, 100:220])
    preview = full(client, matte_id, info, AlphaRequest(Edges(shift=4), preview=100))
    assert preview.shape == (75, 100)
    inverted = full(client, matte_id, info, AlphaRequest(Edges(invert=True)))
    assert np.array_equal(inverted, 255 - whole)
    old = np.random.default_rng(0).integers(0, 256, whole.shape, np.uint8)
    both = client.alpha(matte_id, info, AlphaRequest(combine=Combine.subtract), old.data)
    assert both.samples == np.minimum(old, 255 - whole).tobytes()
    assert client.hello().network_runs == runs


def test_the_same_pixels_are_not_looked_at_twice(client: Engine):
    pixels = ball(300, 200, seed=4)
    first, info = matted(client, pixels)
    runs = client.hello().network_runs
    second, again = matted(client, pixels, client="krita")
    assert client.hello().network_runs == runs
    assert first != second
    assert (again.from_cache, again.network_runs) == (True, 0)
    assert np.array_equal(full(client, first, info), full(client, second, again))
    client.forget(first)
    assert np.array_equal(full(client, second, again), full(client, second, info))
    # One sample that differs, another way of looking or another layout is another photo.
    changed = pixels.copy()
    changed[10, 10, 0] ^= 1
    assert not matted(client, changed)[1].from_cache
    request = replace(request_for(pixels), focus=False)
    _, unfocused = client.matte(request, pixels.data, Listener(), CancelSwitch())
    assert not unfocused.from_cache
    turned = np.ascontiguousarray(pixels.reshape(300, 200, 3))
    assert not matted(client, turned)[1].from_cache


def test_a_forgotten_matte_is_gone(client: Engine):
    matte_id, info = matted(client, ball(200, 150, seed=5))
    client.forget(matte_id)
    for ask in (
        lambda: client.alpha(matte_id, info, AlphaRequest()),
        lambda: client.review(matte_id),
        lambda: client.forget(matte_id),
    ):
        with pytest.raises(JobFailed) as caught:
            ask()
        assert caught.value.code == "unknown-matte"
        assert "again" in caught.value.message


def test_a_finished_job_can_still_be_asked_how_it_went(client: Engine):
    matte_id, info = matted(client, ball(200, 150, seed=6))
    (event,) = client.events(matte_id, CancelSwitch())
    assert (event.state, event.info) == (MatteState.done, info)
    review = client.review(matte_id)
    assert review.doubt == info.doubt
    for spot in review.spots:
        assert 0 <= spot.x < spot.x + spot.width <= 200


def test_nothing_found_is_said(client: Engine):
    grey = np.full((300, 400, 3), 128, np.uint8)
    matte_id, info = matted(client, grey)
    assert "nothing-found" in {warning.code for warning in info.warnings}
    assert not full(client, matte_id, info).any()


def test_what_does_not_exist_yet_says_so(client: Engine, engine: EngineProcess):
    matte_id, _ = matted(client, ball(200, 150, seed=7))
    reply = engine.ask("POST", f"/v1/mattes/{matte_id}/hints", b"", PIXELS_TYPE)
    assert reply.status == 501
    assert json.loads(reply.body)["error"]["code"] == "unsupported"


@pytest.mark.parametrize(
    ("model", "code"), [("no-such-model", "unknown-model"), ("modnet", "model-missing")]
)
def test_a_model_that_is_not_there_is_an_error_with_a_sentence(
    client: Engine, model: str, code: str
):
    with pytest.raises(JobFailed) as caught:
        matted(client, ball(), model=model)
    assert caught.value.code == code
    assert matted(client, ball(200, 150, seed=8), model=BUILTIN)[1].width == 200


def test_a_cancel_takes_effect_within_half_a_second(client: Engine, engine: EngineProcess):
    pixels = large(4000, 3000, seed=9)
    for state in (MatteState.predicting, MatteState.refining):
        cancel, asked_at = CancelSwitch(), [0.0]

        def stop(event, state=state, cancel=cancel, asked_at=asked_at):
            if event.state is state:
                asked_at[0] = time.perf_counter()
                cancel.cancel()

        pixels[0, 0] ^= 1
        with pytest.raises(Cancelled):
            matted(client, pixels, listener=Listener(stop), cancel=cancel)
        assert time.perf_counter() - asked_at[0] < 0.5
        wait_for(lambda: client.hello().jobs == 0, 1.0)
    assert matted(client, pixels)[1].network_runs > 0


def test_a_job_that_nobody_listens_to_is_dropped(engine: EngineProcess, client: Engine):
    pixels = large(3000, 2000, seed=10)
    body = frame(request_for(pixels), pixels.tobytes())
    reply = engine.ask("POST", "/v1/mattes", body, PIXELS_TYPE)
    assert reply.status == 202
    matte_id = json.loads(reply.body)["id"]
    started = time.perf_counter()
    wait_for(lambda: client.hello().jobs == 0, 3.0)
    (event,) = client.events(matte_id, CancelSwitch())
    # It may have been quicker than the engine's patience; then it is a matte like any other.
    if event.state is MatteState.cancelled:
        assert time.perf_counter() - started < 2.0


def test_a_stream_that_breaks_off_drops_its_job(engine: EngineProcess, client: Engine):
    pixels = large(6000, 4000, seed=11)
    body = frame(request_for(pixels), pixels.tobytes())
    matte_id = json.loads(engine.ask("POST", "/v1/mattes", body, PIXELS_TYPE).body)["id"]
    connection = http.client.HTTPConnection("127.0.0.1", engine.port, timeout=10)
    connection.request("GET", f"/v1/mattes/{matte_id}/events", headers=engine.bearer)
    reply = connection.getresponse()
    assert b"state" in reply.readline()
    reply.close()
    connection.close()
    broke_at = time.perf_counter()
    wait_for(lambda: client.hello().jobs == 0, 1.5)
    assert time.perf_counter() - broke_at < 1.5


def test_clients_take_turns_and_the_second_loads_nothing(
    tmp_path_factory: pytest.TempPathFactory,
):
    finished: list[str] = []
    infos = {}

    def work(client: Engine, name: str, number: int) -> None:
        seed = number + (100 if name == "krita" else 0)
        _, infos[name, number] = matted(client, ball(900, 700, seed=seed), client=name)
        finished.append(name)

    with engine_in(tmp_path_factory.mktemp("two")) as engine:
        gimp, krita = client_of(engine), client_of(engine)
        threads = [Thread(target=work, args=(gimp, "gimp", number)) for number in range(4)]
        for thread in threads:
            thread.start()
        wait_for(lambda: gimp.hello().jobs == 4)
        late = Thread(target=work, args=(krita, "krita", 0))
        late.start()
        for thread in (*threads, late):
            thread.join()
        loads = [info.seconds["load"] for info in infos.values() if info.seconds["load"] > 0.02]
        assert len(loads) == 1
        assert infos["krita", 0].seconds["load"] < 0.02
        # Of five jobs it came last and is not last: those of the other client do not go first.
        assert finished.index("krita") <= 2


def test_more_than_the_queue_holds_is_told_to_come_again(
    tmp_path_factory: pytest.TempPathFactory,
):
    outcomes: list[object] = []

    def work(client: Engine, number: int) -> None:
        try:
            outcomes.append(matted(client, ball(1200, 900, seed=number))[1])
        except EngineBusy as error:
            outcomes.append(error)

    with engine_in(tmp_path_factory.mktemp("full")) as engine:
        client = client_of(engine)
        threads = [Thread(target=work, args=(client, number)) for number in range(9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        busy = [outcome for outcome in outcomes if isinstance(outcome, EngineBusy)]
        assert 0 < len(busy) < 9
        assert all(error.retry_after_s > 0 for error in busy)
        assert matted(client, ball(200, 150, seed=77))[1].network_runs > 0


@pytest.fixture
def tight(tmp_path: Path) -> Iterator[EngineProcess]:
    """An engine with room for a few small mattes."""
    settings = tmp_path / ".config/maskwright/settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"engine": {"cache_megabytes": 1, "max_megapixels": 0.5}}')
    settings.chmod(0o600)
    with engine_in(tmp_path) as running:
        yield running


def test_the_longest_unused_matte_leaves_when_room_is_short(tight: EngineProcess):
    client = client_of(tight)
    made = [matted(client, ball(700, 600, seed=seed)) for seed in range(4)]  # 0.4 MB each
    for matte_id, info in made[:2]:
        with pytest.raises(JobFailed) as caught:
            client.alpha(matte_id, info, AlphaRequest())
        assert caught.value.code == "unknown-matte"
    assert client.alpha(*made[-1], AlphaRequest()).width == 700


def test_the_users_limit_is_kept(tight: EngineProcess):
    client = client_of(tight)
    assert client.hello().max_pixels == 500_000
    with pytest.raises(JobFailed) as caught:
        matted(client, ball(800, 700))
    assert caught.value.code == "photo-too-large"
