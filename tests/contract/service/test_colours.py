"""Clean colours over the wire: what comes out, what is refused, and who is kept waiting."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Thread, Timer

import numpy as np
import pytest
from attacks import post
from engine_client import client_of, matted
from engine_process import PATIENCE_S, EngineProcess, engine_in, frame, wait_for
from figures import show
from maskwright.cancel import CancelToken
from maskwright.matting.colours import clean_colours
from maskwright.matting.photo import Samples
from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.errors import Cancelled, EngineBusy, EngineGone
from maskwright_client.protocol import (
    CLEAN_COLOURS,
    HEAD_LENGTH_BYTES,
    PIXELS_TYPE,
    STOPPING,
    ColoursRequest,
)
from numpy.typing import NDArray
from raw_reply import RawReply, parsed
from subject_photos import ball

GOOD = ColoursRequest(2, 3, 3, 8, "test")
IDLE_WITHIN_S = 1.0

Mask = NDArray[np.uint8]


@pytest.fixture(scope="module")
def client(engine: EngineProcess) -> Engine:
    return client_of(engine)


@pytest.fixture(autouse=True)
def _nothing_is_left(client: Engine) -> Iterator[None]:
    yield
    wait_for(lambda: client.hello().jobs == 0, 5)


def ring(height: int, width: int) -> Mask:
    """A disc with a wide soft edge."""
    y, x = np.mgrid[:height, :width]
    inside = min(height, width) / 3 - np.hypot(x - width / 2, y - height / 2)
    return np.asarray(np.clip(inside * 8 + 128, 0, 255), np.uint8)


def cleaned(
    client: Engine,
    pixels: Samples,
    mask: Mask,
    *,
    name: str = "gimp",
    cancel: CancelSwitch | None = None,
) -> Samples:
    height, width, channels = pixels.shape
    request = ColoursRequest(width, height, channels, 8 * pixels.itemsize, name)
    found = client.colours(request, pixels.data, mask.data, cancel or CancelSwitch())
    if pixels.itemsize == 1:
        return np.frombuffer(found, np.uint8).reshape(pixels.shape)
    return np.frombuffer(found, np.uint16).reshape(pixels.shape)


def long_work(megapixels: float = 12) -> tuple[Samples, Mask]:
    """A layer that takes a second and more: everywhere soft."""
    side = int((megapixels * 1e6) ** 0.5)
    tile = ball(200, 200)
    repeats = side // 200 + 1
    pixels = np.ascontiguousarray(np.tile(tile, (repeats, repeats, 1))[:side, :side])
    return pixels, np.full((side, side), 128, np.uint8)


def with_alpha(pixels: Samples) -> Samples:
    """Its left third is transparent."""
    alpha = np.full(pixels.shape[:2], np.iinfo(pixels.dtype).max, pixels.dtype)
    alpha[:, : pixels.shape[1] // 3] = 0
    return np.dstack((pixels, alpha))


def test_the_engine_says_that_it_can(client: Engine):
    assert client.can(CLEAN_COLOURS)
    assert CLEAN_COLOURS in client.hello().features


@pytest.mark.parametrize("kind", ["rgb", "rgba", "opaque", "deep", "deep-rgba"])
def test_the_colours_are_what_the_engine_makes_of_them_anywhere(client: Engine, kind: str):
    plain = ball(300, 220, seed=2)
    deep = plain.astype("<u2") * np.uint16(257)
    layer: Samples = {
        "rgb": plain,
        "rgba": with_alpha(plain),
        "opaque": np.dstack((plain, np.full(plain.shape[:2], 255, np.uint8))),
        "deep": deep,
        "deep-rgba": with_alpha(deep),
    }[kind]
    before, mask = layer.copy(), ring(220, 300)
    found = cleaned(client, layer, mask)
    opacity = layer[..., 3] if kind.endswith("rgba") else None
    expected = clean_colours(layer[..., :3], mask, CancelToken(), opacity)
    np.testing.assert_array_equal(found[..., :3], expected)
    np.testing.assert_array_equal(found[..., 3:], layer[..., 3:])
    np.testing.assert_array_equal(layer, before)
    assert not np.array_equal(found, layer)


@pytest.mark.parametrize("value", [0, 255])
def test_a_hard_mask_brings_the_same_layer_back(client: Engine, value: int):
    for layer in (ball(), with_alpha(ball())):
        mask = np.full(layer.shape[:2], value, np.uint8)
        np.testing.assert_array_equal(cleaned(client, layer, mask), layer)


def sent(engine: EngineProcess, body: bytes) -> RawReply:
    return parsed(
        engine.say(post("POST /v1/colours HTTP/1.1", PIXELS_TYPE, body)(engine.port, engine.token))
    )


def test_a_good_layer_is_taken(engine: EngineProcess):
    reply = sent(engine, frame(GOOD, bytes(24)))
    assert (reply.status, reply.header("content-type")) == (200, PIXELS_TYPE)
    assert reply.body.endswith(bytes(18))


WRONG: dict[str, tuple[ColoursRequest, int, int, str]] = {
    "no mask": (GOOD, 18, 400, "wrong-length"),
    "half a mask": (GOOD, 21, 400, "wrong-length"),
    "too much": (GOOD, 25, 400, "wrong-length"),
    "nothing": (GOOD, 0, 400, "wrong-length"),
    "a mask as deep as the layer": (replace(GOOD, bits=16), 48, 400, "wrong-length"),
    "no width": (replace(GOOD, width=0), 0, 400, "bad-photo"),
    "less than nothing": (replace(GOOD, width=-2, height=-3), 24, 400, "bad-photo"),
    "too wide": (replace(GOOD, width=32768, height=1), 131072, 400, "bad-photo"),
    "too many pixels": (replace(GOOD, width=30_000, height=30_000), 3, 413, "photo-too-large"),
    "grey": (replace(GOOD, channels=1), 12, 400, "bad-photo"),
    "five channels": (replace(GOOD, channels=5), 36, 400, "bad-photo"),
    "twelve bits": (replace(GOOD, bits=12), 24, 400, "bad-photo"),
    "floats": (replace(GOOD, bits=32), 78, 400, "bad-photo"),
    "nobody": (replace(GOOD, client=""), 24, 400, "bad-request"),
    "somebody with a long name": (replace(GOOD, client="c" * 65), 24, 400, "bad-request"),
    "somebody beyond ASCII": (replace(GOOD, client="caf\u00e9"), 24, 400, "bad-request"),
}


@pytest.mark.parametrize(("head", "samples", "status", "code"), WRONG.values(), ids=WRONG.keys())
def test_layers_that_cannot_be(
    engine: EngineProcess, head: ColoursRequest, samples: int, status: int, code: str
):
    reply = sent(engine, frame(head, bytes(samples)))
    assert (reply.status, reply.code) == (status, code)
    assert len(reply.body) < 300


@pytest.mark.parametrize("field", ["width", "height", "channels", "bits", "client"])
@pytest.mark.parametrize("value", [2.0, True, None, [2], {}], ids=repr)
def test_fields_of_another_kind(engine: EngineProcess, field: str, value: object):
    head = json.dumps({**vars(GOOD), field: value}).encode()
    body = len(head).to_bytes(HEAD_LENGTH_BYTES, "big") + head + bytes(24)
    reply = sent(engine, body)
    assert (reply.status, reply.code) == (400, "bad-request")


def running(client: Engine) -> bool:
    return client.hello().jobs > 0


@pytest.mark.slow
def test_everybody_else_is_answered_meanwhile(client: Engine):
    pixels, mask = long_work()
    with ThreadPoolExecutor(1) as clients:
        cleaning = clients.submit(cleaned, client, pixels, mask)
        wait_for(lambda: running(client))
        waits = []
        while not cleaning.done():
            began = time.perf_counter()
            client.hello()
            waits.append(time.perf_counter() - began)
        assert matted(client, ball(200, 150, seed=31))[1].width == 200
        assert cleaning.result().shape == pixels.shape
    show(f"{len(waits)} hellos meanwhile, the longest {max(waits) * 1000:.0f} ms")
    assert len(waits) > 3
    assert sorted(waits)[len(waits) // 2] < 0.25


@pytest.mark.slow
def test_a_cancel_takes_effect_within_half_a_second(client: Engine):
    pixels, mask = long_work(24)
    cancel, asked_at = CancelSwitch(), [0.0]

    def stop() -> None:
        asked_at[0] = time.perf_counter()
        cancel.cancel()

    def later() -> None:
        wait_for(lambda: running(client))
        Timer(0.2, stop).start()

    Thread(target=later).start()
    with pytest.raises(Cancelled):
        cleaned(client, pixels, mask, cancel=cancel)
    assert time.perf_counter() - asked_at[0] < 0.5
    wait_for(lambda: not running(client), IDLE_WITHIN_S)


@pytest.mark.slow
def test_who_hangs_up_cancels(engine: EngineProcess, client: Engine):
    pixels, mask = long_work(24)
    side = len(mask)
    body = frame(ColoursRequest(side, side, 3, 8, "test"), pixels.tobytes() + mask.tobytes())
    request = post("POST /v1/colours HTTP/1.1", PIXELS_TYPE, body)(engine.port, engine.token)
    with socket.create_connection(("127.0.0.1", engine.port), timeout=PATIENCE_S) as line:
        line.sendall(request)
        wait_for(lambda: running(client))
        time.sleep(0.2)
    began = time.perf_counter()
    wait_for(lambda: not running(client), IDLE_WITHIN_S)
    show(f"idle after {(time.perf_counter() - began) * 1000:.0f} ms")


@pytest.mark.slow
def test_clients_take_turns(client: Engine):
    pixels, mask = long_work(6)
    finished: list[str] = []

    def work(name: str) -> None:
        cleaned(client, pixels, mask, name=name)
        finished.append(name)

    greedy = [Thread(target=work, args=("gimp",)) for _ in range(4)]
    for thread in greedy:
        thread.start()
    wait_for(lambda: client.hello().jobs == 4)
    late = Thread(target=work, args=("krita",))
    late.start()
    for thread in (*greedy, late):
        thread.join()
    assert finished.index("krita") <= 2


@pytest.mark.slow
def test_more_than_a_client_may_ask_for_is_told_to_come_again(client: Engine):
    pixels, mask = long_work(3)
    outcomes: list[object] = []

    def work() -> None:
        try:
            outcomes.append(cleaned(client, pixels, mask))
        except EngineBusy as error:
            outcomes.append(error)

    threads = [Thread(target=work) for _ in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    busy = [one for one in outcomes if isinstance(one, EngineBusy)]
    assert 0 < len(busy) < 9
    assert all(error.retry_after_s > 0 for error in busy)


@pytest.mark.slow
def test_a_killed_engine_is_reported(tmp_path: Path):
    pixels, mask = long_work()
    with engine_in(tmp_path) as engine, ThreadPoolExecutor(1) as clients:
        client = client_of(engine)
        cleaning = clients.submit(cleaned, client, pixels, mask)
        wait_for(lambda: running(client))
        engine.kill()
        began = time.perf_counter()
        error = cleaning.exception()
        assert isinstance(error, EngineGone)
        assert time.perf_counter() - began < 2


@pytest.mark.slow
def test_a_stopping_engine_finishes_the_layer_in_hand_and_no_other(tmp_path: Path):
    pixels, mask = long_work()
    with engine_in(tmp_path) as engine, ThreadPoolExecutor(2) as clients:
        client = client_of(engine)
        in_hand = clients.submit(cleaned, client, pixels, mask)
        wait_for(lambda: running(client))
        waiting = clients.submit(cleaned, client, pixels, mask)
        wait_for(lambda: client.hello().jobs == 2)
        client.shutdown()
        with pytest.raises(EngineGone) as caught:
            cleaned(client, *long_work(0.1))
        assert caught.value.code == STOPPING
        assert in_hand.result().shape == pixels.shape
        error = waiting.exception()
        assert isinstance(error, EngineGone)
        assert error.code == STOPPING
        assert engine.process.wait(PATIENCE_S) == 0


@pytest.mark.slow
def test_a_second_signal_ends_it_now(tmp_path: Path):
    with engine_in(tmp_path) as engine, ThreadPoolExecutor(1) as clients:
        client = client_of(engine)
        cleaning = clients.submit(cleaned, client, *long_work(24))
        wait_for(lambda: running(client))
        engine.process.terminate()
        wait_for(lambda: not engine.places.runtime_file.exists())
        engine.process.terminate()
        began = time.perf_counter()
        assert isinstance(cleaning.exception(), EngineGone)
        assert engine.process.wait(PATIENCE_S) == 0
        assert time.perf_counter() - began < 2
