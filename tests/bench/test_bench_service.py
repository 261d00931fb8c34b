"""What the service adds to a bare network, how soon it is there, how live its sliders are."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from bench_process import large_photo
from engine_client import Listener, client_of, request_for
from engine_process import EngineProcess, command, engine_in
from maskwright.cancel import CancelToken
from maskwright.matting.photo import Photo
from maskwright.matting.prediction import shown
from maskwright.models.runtime import CPU, Tuning, open_runtime
from maskwright.models.session import Session
from maskwright.models.store import open_store
from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.connection import Connection
from maskwright_client.places import locate
from maskwright_client.protocol import AlphaRequest, Edges, Region
from maskwright_client.starting import Starter
from numpy.typing import NDArray
from PIL import Image

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1200)]

ISNET = os.environ.get("MASKWRIGHT_BENCH_ISNET", "")
SIZES = {12: (4000, 3000), 24: (6000, 4000)}
BOUNDS = {"u2netp": {12: 1.8, 24: 2.5}, "isnet-general-use": {12: 1.2, 24: 1.35}}
ROUNDS = 9


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Session]:
    """The networks by themselves, as the engine's own process opens them."""
    folder = tmp_path_factory.mktemp("models")
    store = open_store({"MASKWRIGHT_MODELS": str(folder)})
    ids = {"u2netp": "u2netp"}
    if ISNET:
        ids["isnet-general-use"] = store.add(Path(ISNET), "isnet-general-use").id
    return {
        name: Session(
            store.spec(model_id),
            open_runtime(store.path(model_id), CPU, Tuning(threads=2), CancelToken()),
        )
        for name, model_id in ids.items()
    }


@pytest.fixture(scope="module")
def engine(
    models: dict[str, Session], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EngineProcess]:
    home = tmp_path_factory.mktemp("engine")
    folder = tmp_path_factory.getbasetemp() / "models0"
    with engine_in(home, environ={"MASKWRIGHT_MODELS": str(folder)}) as running:
        yield running


def pixels_of(megapixels: int, folder: Path) -> NDArray[np.uint8]:
    with Image.open(large_photo(folder / "photo.jpg", *SIZES[megapixels])) as picture:
        return np.array(picture.convert("RGB"))


def memory_mebibytes(engine: EngineProcess) -> dict[str, int]:
    """The most that the engine and its network process ever took."""
    pids = {"engine": engine.process.pid}
    for task in Path(f"/proc/{engine.process.pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text():
                pids["network"] = int(child)
    peaks = {}
    for name, pid in pids.items():
        status = Path(f"/proc/{pid}/status").read_text()
        peaks[name] = int(status.split("VmHWM:")[1].split()[0]) // 1024
    return peaks


@pytest.mark.parametrize("megapixels", SIZES)
@pytest.mark.parametrize("model", BOUNDS)
def test_overhead_of_a_warm_request(
    model: str,
    megapixels: int,
    models: dict[str, Session],
    engine: EngineProcess,
    tmp_path: Path,
):
    if model not in models:
        pytest.skip("MASKWRIGHT_BENCH_ISNET names no IS-Net file")
    network, client = models[model], client_of(engine)
    pixels = pixels_of(megapixels, tmp_path)
    size = network.contract.size
    seen = shown(Photo(pixels), size, size)
    bare, whole, refining, stages = [], [], [], []
    for number in range(ROUNDS):
        pixels[0, 0] = number  # or it would come from the cache
        started = time.perf_counter()
        network.predict(seen, CancelToken())
        bare.append(time.perf_counter() - started)
        started = time.perf_counter()
        seconds = ask(client, network.model_id, pixels)
        whole.append(time.perf_counter() - started)
        refining.append(seconds["refine"])
        stages.append(seconds)
    del bare[0], whole[0], refining[0], stages[0]  # the first loads and warms up
    plain = [total - refine for total, refine in zip(whole, refining, strict=True)]
    figures = [median(times) for times in (whole, plain, bare)]
    parts = ", ".join(f"{name} {median(s[name] for s in stages):.3f}" for name in stages[0])
    print(
        f"\n{model}, {megapixels} megapixels: {figures[0]:.3f} s, {figures[1]:.3f} before "
        f"refinement, bare network {figures[2]:.3f}: {figures[0] / figures[2]:.2f}x, "
        f"{figures[1] / figures[2]:.2f}x before refinement ({parts}); peak "
        f"{memory_mebibytes(engine)} MiB"
    )
    assert figures[1] <= BOUNDS[model][megapixels] * figures[2]


def ask(client: Engine, model_id: str, pixels: NDArray[np.uint8]) -> dict[str, float]:
    """From the call of the client to the alpha bytes in hand, with one look; the engine's times."""
    request = request_for(pixels, model_id)
    matte_id, info = client.matte(
        replace(request, focus=False), pixels.data, Listener(), CancelSwitch()
    )
    alpha = client.alpha(matte_id, info, AlphaRequest())
    assert len(alpha.samples) == pixels.shape[0] * pixels.shape[1]
    return info.seconds


def test_from_nothing_to_ready(tmp_path: Path):
    starts, firsts = [], []
    photo = pixels_of(12, tmp_path)
    for number in range(5):
        home = tmp_path / f"home{number}"
        home.mkdir()
        places, environ = locate("linux", {}, home), {"HOME": str(home)}
        starter = Starter(places, environ, command=command())
        started = time.perf_counter()
        engine = Connection(places, environ, starter=starter).engine(print, CancelSwitch())
        starts.append(time.perf_counter() - started)
        ask(engine, "u2netp", photo)
        firsts.append(time.perf_counter() - started)
        engine.shutdown()
        while places.runtime_file.exists() or starter.reap():
            time.sleep(0.05)
    print(
        f"\nfrom no process to ready {median(starts):.2f} s, to the first alpha of 12 megapixels "
        f"{median(firsts):.2f} s"
    )
    assert median(starts) <= 1.5


def test_sliders_are_live(engine: EngineProcess, tmp_path: Path):
    client, pixels = client_of(engine), pixels_of(24, tmp_path)
    request = request_for(pixels)
    matte_id, info = client.matte(request, pixels.data, Listener(), CancelSwitch())
    everything = Edges(contrast=0.3, solidify=0.4, fill_holes=300, drop_specks=200, largest=True)
    views = {
        "preview of 1024 px": AlphaRequest(preview=1024),
        "region of 1024 x 768": AlphaRequest(region=Region(2000, 1500, 1024, 768)),
        "all 24 megapixels": AlphaRequest(),
    }
    bounds_s = {"preview of 1024 px": 0.1, "all 24 megapixels": 0.6}
    for name, view in views.items():
        times = []
        for step in range(9):
            edges = replace(everything, shift=step / 4, feather=1 + step / 3)
            started = time.perf_counter()
            client.alpha(matte_id, info, replace(view, edges=edges))
            times.append(time.perf_counter() - started)
        print(f"\n{name}: first {times[0]:.3f} s, then {median(times[1:]):.3f} s")
        assert median(times) <= bounds_s.get(name, 1)
    whole = []
    for step in range(5):
        edges = replace(everything, shift=1, feather=2, solidify=0.4 + step / 100)
        started = time.perf_counter()
        client.alpha(matte_id, info, AlphaRequest(edges))
        whole.append(time.perf_counter() - started)
    print(f"\nall settings anew, 24 megapixels: {median(whole):.3f} s")
    assert median(whole) <= 0.6
