"""From the download to the first mask in GIMP's window, at a person's pace."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from debian_computer import HOME, computer_in
from engine_process import wait_for
from environment import Shell
from figures import show
from gimp_screens import HAS_MASK, LAYER, keep, open_dialog
from host_root import Root
from linux import tarball
from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.discovery import prove
from maskwright_client.runtime import parse_trace
from PIL import Image
from plan import Plan
from sample_mask import SAMPLE, is_the_cups

pytestmark = [pytest.mark.installers, pytest.mark.timeout(600)]

LARGER = 10  # the sample as one of 24 megapixels, as cameras make them
BEFORE_EACH_S = 2.0  # a person's pause before every click and key
A_LETTER_S = 0.3  # forty words a minute
CLICKS_AND_KEYS = {
    "unpacked": ("the download, right", "Extract Here"),
    "installed": ("the folder", "right", "Open in Terminal", "the line", "Return"),
    "photo open in a new GIMP": ("the photo, right", "Open with GIMP", "its welcome"),
    "dialog open": ("/", "the words", "Return"),
    "preview shown": (),
    "mask seen": ("OK",),
}
TYPED = {"installed": "./install.sh", "dialog open": "remove background"}
STORE_MASK = """
from host_inside.gimp_cases import mask_of
with open("/srv/files/mask", "wb") as file:
    file.write(mask_of(layer))
answer([layer.get_width(), layer.get_height()])
"""


def test_it_takes_a_person_less_than_two_minutes(
    frozen: Path, debian: Root, tmp_path: Path
) -> None:
    """The computer's time is measured, a person's added, as if nothing went on meanwhile."""
    shell = Shell(tmp_path / "log.txt", os.environ)
    # Weakly packed, so there is more to unpack than in the real one.
    plan = Plan("0.1.0", frozen, tmp_path, tmp_path / "work", shell, print)
    archive = tarball.build(plan, preset=0)
    photo = tmp_path / "photo.jpg"
    with Image.open(SAMPLE) as small:
        width, height = small.width * LARGER, small.height * LARGER
        small.resize((width, height)).save(photo, quality=92)
    with computer_in(debian, tmp_path) as computer:
        gimp, downloads = computer.gimp(), f"{HOME}/Downloads"
        computer.stay.bring(archive)
        times = [time.monotonic()]

        # There is no xz in this small Debian, but Python.
        done = computer.user("python3", "-m", "tarfile", "-e", archive.name, downloads)
        assert done.returncode == 0, done.stderr.decode()
        times.append(time.monotonic())

        folder = f"{downloads}/{archive.name.removesuffix('.tar.xz')}"
        in_a_terminal = ("script", "-qec", TYPED["installed"], "/dev/null")
        done = computer.user("env", f"--chdir={folder}", *in_a_terminal)
        assert done.returncode == 0, done.stdout.decode()
        assert "Filters > Remove Background, after its next start" in done.stdout.decode()
        times.append(time.monotonic())

        with gimp.gui(photo) as window:
            times.append(time.monotonic())
            open_dialog(window, TYPED["dialog open"])
            times.append(time.monotonic())
            wait_for(computer.places.runtime_file.exists)
            trace = parse_trace(computer.places.runtime_file.read_bytes())  # another user's
            engine = Engine(prove(trace, CancelSwitch()))
            wait_for(lambda: engine.hello().network_runs > 0 and engine.hello().jobs == 0, 60)
            window.display.wait_until_still()
            times.append(time.monotonic())
            keep(window, tmp_path, "first-preview")
            window.display.key("alt+o")
            window.program.wait_until(lambda: window.do(HAS_MASK), 60)
            window.display.wait_until_still()
            times.append(time.monotonic())
            keep(window, tmp_path, "first-mask")
            assert window.do(LAYER + STORE_MASK) == [width, height]
    mask = np.fromfile(computer.stay.files / "mask", np.uint8).reshape(height, width)
    assert is_the_cups(mask[LARGER // 2 :: LARGER, LARGER // 2 :: LARGER].tobytes())
    assert 0.1 < mask.mean() / 255 < 0.9
    assert told(np.diff(times).tolist()) < 120


def told(measured: list[float]) -> float:
    """Tell the parts; the whole time, in seconds."""
    lines, whole = [f"load {os.getloadavg()[0]:.1f}"], 0.0
    for computers, (part, acts) in zip(measured, CLICKS_AND_KEYS.items(), strict=True):
        persons = len(acts) * BEFORE_EACH_S + len(TYPED.get(part, "")) * A_LETTER_S
        whole += computers + persons
        lines.append(
            f"{part}: {computers:.1f} s, and {persons:.1f} s for {', '.join(acts) or 'nothing'}"
        )
    clicks, letters = sum(map(len, CLICKS_AND_KEYS.values())), sum(map(len, TYPED.values()))
    lines.append(f"{clicks} clicks and keys, {letters} letters")
    show("\n".join([*lines, f"together {sum(measured):.1f} s, with a person {whole:.1f} s"]))
    return whole
