"""How long a designer waits at 24 megapixels, and how long Krita has no time meanwhile."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_process import EngineProcess, engine_in
from host_krita import Krita, KritaWindow
from krita_plug_in import CHECKOUT, assembled
from PIL import Image

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(600)]

SAMPLE = CHECKOUT / "installers/sample/coffee.jpg"
SIZE = (6000, 4000)
PATIENCE_S = 120.0

CLICK = """
from host_inside.krita_docker import *
beat, desk = Beat(), docker().desk
infos = []
finished = desk._picture
desk._picture = lambda seen: (infos.append(seen.matte), finished(seen))
beat.start()
began = time.perf_counter()
docker().button.click()
"""
IS_DONE = "answer(bool(infos) and not desk.panel.is_busy)"
FIGURES = """
_, info = infos[-1]._found
order = ["reading", "asking", "cleaning", "applying", "nothing"]
order = [one for one in order if one in beat.began]
lasted = {one: beat.began[after] - beat.began[one] for one, after in zip(order, order[1:])}
answer([beat.began["nothing"] - began, info.seconds, lasted, beat.gaps])
"""
CHANGED = """
for one in [*masks(), *document().topLevelNodes()[1:]]:
    one.remove()
layer().setVisible(True)
layer().setPixelData(bytes([given["grey"]]) * 40000, 50, 50, 100, 100)
document().refreshProjection()
document().waitForDone()
document().setActiveNode(layer())
"""
CLEAN = """
from dataclasses import replace
desk.want(replace(desk.wish, clean_colours=given["clean"]))
"""
DEEPER = """
for one in [*masks(), *document().topLevelNodes()[1:]]:
    one.remove()
layer().setVisible(True)
document().setBatchmode(True)
assert document().setColorSpace("RGBA", "U16", given["profile"])
document().waitForDone()
document().setActiveNode(layer())
"""


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "large.jpg"
    with Image.open(SAMPLE) as small:
        small.resize(SIZE, Image.Resampling.BICUBIC).save(path, quality=90)
    return path


@pytest.fixture
def engine(krita: Krita) -> Iterator[EngineProcess]:
    with engine_in(krita.stay.home) as running:
        yield running


def timed(window: KritaWindow, name: str) -> str:
    """A line of the table: from click to mask, what of it is whose, and the longest gaps."""
    window.do(CLICK)
    window.program.wait_until(lambda: window.do(IS_DONE), PATIENCE_S)
    whole, seconds, lasted, gaps = window.do(FIGURES)
    # What the engine has found already it does not look for again.
    network = seconds.get("predict", 0.0)
    bare = network + seconds.get("refine", 0.0)
    figures = [whole, network, seconds.get("refine", 0.0), whole - bare]
    figures += [lasted["reading"], lasted["asking"] - sum(seconds.values())]
    figures += [lasted.get("cleaning", 0.0), lasted["applying"]]
    figures += [gaps.get(doing, 0.0) for doing in ("reading", "asking", "cleaning", "applying")]
    return "  ".join([f"{name:<22}", *(f"{figure:8.2f}" for figure in figures)])


HEAD = ("whole", "network", "refining", "beyond", "reading", "sending", "cleaning", "applying")
GAPS = ("gap read", "gap ask", "gap clea", "gap appl")
GAMMA, LINEAR = "ClayRGB-elle-V2-g22.icc", "sRGB-elle-V2-g10.icc"


def test_24_megapixels(krita: Krita, engine: EngineProcess, photo: Path, tmp_path: Path):
    plug_ins = {"maskwright": assembled(tmp_path)}
    with krita.gui(photo, plug_ins=plug_ins) as window:
        window.do("from host_inside.krita_docker import *")
        rows = [timed(window, "U8 sRGB, cold engine")]
        window.do(CHANGED, grey=9)
        rows.append(timed(window, "U8 sRGB, warm engine"))
        window.do(CLEAN, clean=True)
        window.do(CHANGED, grey=99)
        rows.append(timed(window, "U8 sRGB, clean"))
        window.do(CLEAN, clean=False)
        window.do(DEEPER, profile=GAMMA)
        rows.append(timed(window, "U16 ClayRGB"))
        window.do(CLEAN, clean=True)
        window.do(DEEPER, profile=GAMMA)
        rows.append(timed(window, "U16 ClayRGB, clean"))
        window.do(DEEPER, profile=LINEAR)
        rows.append(timed(window, "U16 linear, clean"))
        window.do("document().setModified(False)")
    head = "  ".join([f"{'seconds':<22}", *(f"{one:>8}" for one in (*HEAD, *GAPS))])
    sys.stdout.write("\n".join(["", head, *rows, ""]))
