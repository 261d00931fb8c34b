"""What the plug-in does after a click, stage by stage, and how much memory it takes."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(CHECKOUT / name) for name in ("plugin/shared", "plugin/gimp/maskwright")]

from maskwright_client.cancel import CancelSwitch  # noqa: E402
from maskwright_client.protocol import AlphaRequest  # noqa: E402
from maskwright_editor import asking  # noqa: E402
from maskwright_editor.matte import Matte  # noqa: E402
from maskwright_editor.record import Record, pack  # noqa: E402
from maskwright_editor.wish import Wish  # noqa: E402
from maskwright_gimp import host  # noqa: E402

_LOOK_AGAIN_S = 0.01


@dataclass
class Peak:
    """bytes: the most memory that was resident."""

    bytes: int = 0


@contextmanager
def peak_of(script: str) -> Iterator[Peak]:
    """Watch the process in which this GIMP runs a plug-in's script, until the end of the block."""
    peak, ended = Peak(), threading.Event()

    def watch() -> None:
        while not ended.wait(_LOOK_AGAIN_S):
            peak.bytes = max([peak.bytes, *_peaks(script)])

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()


def _peaks(script: str) -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            status = (process / "status").read_text()
            parent = int(status.partition("PPid:")[2].split()[0])
            if parent == os.getppid() and script in (process / "cmdline").read_text():
                yield int(status.partition("VmHWM:")[2].split()[0]) * 1024
        except (OSError, IndexError):  # it has just ended
            continue


def stages(layer: Any) -> dict[str, float]:
    """Seconds for each; the engine's own have its name before them."""
    found: dict[str, float] = {}

    @contextmanager
    def timed(name: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        found[name] = time.perf_counter() - begin

    with timed("read"):
        pixels = host.read_pixels(layer)
    matte = Matte(asking.connect(), pixels, f"gimp-{os.getpid()}")
    with timed("matte and alpha"):
        alpha, info = matte.alpha(
            Wish(focus=True), AlphaRequest(), lambda event: None, CancelSwitch()
        )
    found.update({f"engine: {name}": seconds for name, seconds in info.seconds.items()})
    with timed("record"):
        packed = pack(Record(Wish(), alpha))
    with timed("attach"):
        mask = host.NewMask(layer, alpha, packed)
        host.attach(layer.get_image(), [mask], "maskwright-mask", edit_mask=False)
    return found
