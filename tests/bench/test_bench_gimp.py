"""From a click in GIMP to the mask, at 24 megapixels: beside the bare network, stage by stage."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from bench_process import large_photo
from engine_process import EngineProcess, engine_in
from figures import show
from gimp_plug_in import assembled
from host_gimp import Gimp

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

SIZE = (6000, 4000)
ROUNDS = 5
MEMORY = 3.0  # times the layer's bytes, beyond what the plug-in takes for a tiny layer
# Seconds beyond the bare network, before refinement; GIMP itself converts a profile in 1 to 2.
BOUNDS = {"no profile": 1.5, "AdobeRGB": 3.2}

SCRIPT = """
import itertools, time
from host_inside.gimp_cases import MASK, REMOVE, Gegl, adobe, call, opened
from host_inside.gimp_stages import peak_of, stages

numbers = itertools.count()

def clicked(document):
    begin = time.perf_counter()
    with peak_of("maskwright.py") as peak:
        done, said = call(REMOVE, document.image, document.drawables)
    assert done, said
    return time.perf_counter() - begin, peak.bytes

def fresh(change):
    document = opened(given["photo"])
    change(document.image)
    document.drawables = document.targets = document.image.get_layers()
    # Other pixels each time: the engine would have the matte of the same ones.
    corner = Gegl.Rectangle.new(0, 0, 1, 1)
    document.targets[0].get_buffer().set(corner, MASK, bytes([next(numbers)]))
    return document

small = opened(given["small"])
clicked(small)
answer({
    "tiny": clicked(small),
    "no profile": [clicked(fresh(lambda image: None)) for _ in range(given["rounds"])],
    "AdobeRGB": [clicked(fresh(adobe)) for _ in range(given["rounds"])],
    "stages": {
        "no profile": stages(fresh(lambda image: None).targets[0]),
        "AdobeRGB": stages(fresh(adobe).targets[0]),
    },
})
"""


@pytest.fixture
def engine(gimp: Gimp) -> Iterator[EngineProcess]:
    with engine_in(gimp.stay.home) as running:
        yield running


def test_click_to_mask(gimp: Gimp, engine: EngineProcess, tmp_path: Path):
    photo = gimp.stay.bring(large_photo(tmp_path / "large.jpg", *SIZE))
    small = gimp.stay.bring(large_photo(tmp_path / "small.jpg", 60, 40))
    found: dict[str, Any] = gimp.console(
        SCRIPT,
        plug_ins={"maskwright": assembled(tmp_path)},
        timeout=800,
        photo=photo,
        small=small,
        rounds=ROUNDS,
    )
    tiny_s, tiny_bytes = found["tiny"]
    layer_bytes = 3 * SIZE[0] * SIZE[1]
    lines = [f"GIMP {gimp.stay.root.suite.gimp}; a layer of 60 x 40: {tiny_s:.2f} s"]
    for name, bound in BOUNDS.items():
        parts = found["stages"][name]
        whole = median(seconds for seconds, _ in found[name])
        beyond = whole - parts["engine: predict"] - parts.get("engine: focus", 0.0)
        plain = beyond - parts["engine: refine"]
        memory = max(peak - tiny_bytes for _, peak in found[name]) / layer_bytes
        lines += [
            f"{name}: click to mask {whole:.2f} s, beyond the network {beyond:.2f} s, before "
            f"refinement {plain:.2f} s (bound {bound}); memory {memory:.2f} x the layer",
            "  " + ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in parts.items()),
        ]
        assert plain <= bound, lines
        assert memory <= MEMORY, lines
    show("\n".join(lines))
