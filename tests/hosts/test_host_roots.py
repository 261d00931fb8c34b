"""The real editors do what every other test of this level builds on."""

import contextlib
import os
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
from engine_process import engine_in, wait_for
from host_gimp import Gimp
from host_krita import Krita
from host_root import CHECKOUT_INSIDE, HostFailed, Root
from host_stay import Stay
from PIL import Image
from proc_files import is_alive

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(300)]

GREEN = (30, 190, 60)
"""A colour that neither editor has in its windows."""


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "phöto.png"
    Image.new("RGB", (300, 200), GREEN).save(path)
    return path


def green_pixels(screenshot: Path) -> int:
    with Image.open(screenshot) as picture:
        return int((np.asarray(picture.convert("RGB")) == GREEN).all(axis=2).sum())


def version(text: str) -> tuple[int, int]:
    major, minor = text.split(".")[:2]
    return int(major), int(minor)


def test_a_program_inside_sees_what_it_is_given_and_changes_nothing_else(stay: Stay):
    (stay.files / "in").write_bytes(b"from outside")
    done = stay.run("sh", "-c", "cat in -; echo out > out; id -u", stdin=b", typed ")
    assert done.stdout == b"from outside, typed 0\n"
    assert (stay.files / "out").read_text() == "out\n"
    for path in ("/usr/bin/x", "/etc/x", f"{CHECKOUT_INSIDE}/x"):
        done = stay.run("touch", path)
        assert b"Read-only file system" in done.stderr
    assert stay.run("sh", "-c", "exit 7").returncode == 7


def processes(argument: str) -> list[int]:
    """The machine's processes with such a word in their command lines."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if argument.encode() in entry.read_bytes().split(b"\0"):
                found.append(int(entry.parent.name))
    return found


def test_no_process_and_no_mount_outlive_a_program(stay: Stay):
    before = Path("/proc/mounts").read_text()
    script = "sleep 600 & setsid sleep 600 & echo started; wait"
    with stay.start("sh", "-c", script, name="sleeping") as running:
        running.wait_until(lambda: running.said == "started\n" and len(running.pids()) == 3, 10)
        pids = running.pids()
        assert Path("/proc/mounts").read_text() == before
    assert not [pid for pid in pids if is_alive(pid)]


def test_no_process_outlives_a_program_that_takes_too_long(stay: Stay):
    seconds = f"600.{os.getpid()}1"
    with pytest.raises(subprocess.TimeoutExpired):
        stay.run("sh", "-c", f"sleep {seconds} & sleep {seconds}", timeout=0.5)
    assert processes(seconds) == []


def test_no_process_outlives_a_test_that_is_killed(root: Root):
    seconds = f"600.{os.getpid()}2"
    command = shlex.join(root.command(["sleep", seconds]))
    with subprocess.Popen(["sh", "-c", f"{command} & wait"]) as test:
        wait_for(lambda: len(processes(seconds)) > 2)
        test.kill()
    wait_for(lambda: processes(seconds) == [])


def test_german_can_be_spoken(stay: Stay):
    done = stay.run("sh", "-c", "locale decimal_point", env={"LANG": "de_DE.UTF-8"})
    assert (done.stdout, done.stderr) == (b",\n", b"")


WRITE_A_MASK = """
image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(given["photo"]))
layer, = image.get_layers()
size = layer.get_width(), layer.get_height()
area = Gegl.Rectangle.new(0, 0, *size)
mask = layer.create_mask(Gimp.AddMaskType.WHITE)
alpha = bytes(i % 256 for i in range(size[0] * size[1]))
buffer = mask.get_buffer()
buffer.set(area, "Y u8", alpha)
buffer.flush()
assert layer.add_mask(mask)
target = Gio.File.new_for_path(given["saved"])
assert Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, target, None)
answer([Gimp.version(), size])
"""
READ_THE_MASK = """
image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(given["saved"]))
layer, = image.get_layers()
area = Gegl.Rectangle.new(0, 0, layer.get_width(), layer.get_height())
alpha = layer.get_mask().get_buffer().get(area, 1.0, "Y u8", Gegl.AbyssPolicy.NONE)
answer(alpha == bytes(i % 256 for i in range(len(alpha))) and len(alpha))
"""


def test_gimp_saves_a_mask_byte_by_byte(gimp: Gimp, photo: Path):
    saved = "/srv/files/saved.xcf"
    said, size = gimp.console(WRITE_A_MASK, photo=gimp.stay.bring(photo), saved=saved)
    assert gimp.stay.root.suite.gimp is not None
    assert version(said) >= gimp.stay.root.suite.gimp
    assert size == [300, 200]
    assert (gimp.stay.files / "saved.xcf").read_bytes().startswith(b"gimp xcf")
    assert gimp.console(READ_THE_MASK, saved=saved) == 300 * 200


def test_a_script_that_fails_in_gimp_fails_the_test(gimp: Gimp):
    with pytest.raises(HostFailed, match="assert 1 == 2"):
        gimp.console("print('so far so good')\nassert 1 == 2")
    with pytest.raises(HostFailed, match="It did not answer"):
        gimp.console("import os; os._exit(1)")


PLUG_IN = """#!/usr/bin/env python3
import sys
import gi
gi.require_version("Gimp", "3.0")
from gi.repository import Gimp

class Test(Gimp.PlugIn):
    def do_query_procedures(self):
        return ["host-test"]

    def do_set_i18n(self, name):
        return False

    def do_create_procedure(self, name):
        return Gimp.Procedure.new(self, name, Gimp.PDBProcType.PLUGIN, self.run, None)

    def run(self, procedure, config, data):
        return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)

Gimp.main(Test.__gtype__, sys.argv)
"""


def test_a_plug_in_is_installed_for_one_test_only(gimp: Gimp, tmp_path: Path):
    there = "answer(Gimp.get_pdb().procedure_exists('host-test'))"
    assert gimp.console(there) is False
    folder = tmp_path / "plug-in"
    folder.mkdir()
    (folder / "tested.py").write_text(PLUG_IN)
    (folder / "tested.py").chmod(0o755)
    assert gimp.console(there, plug_ins={"tested": folder}) is True


def test_gimp_shows_the_photo_and_quits(gimp: Gimp, photo: Path, tmp_path: Path):
    with gimp.gui(photo) as window:
        seen = tmp_path / "gimp.png"
        window.display.screenshot(seen)
        assert green_pixels(seen) > 300 * 200 / 2
        ask = "answer([layer.get_name() for layer in Gimp.get_images()[0].get_layers()])"
        assert window.do(ask) == ["phöto.png"]
        window.do("layer = Gimp.get_images()[0].get_layers()[0]")
        with pytest.raises(HostFailed, match="ZeroDivisionError"):
            window.do("1 / 0")
        window.do("layer.set_name(given['name']); Gimp.displays_flush()", name="Subject")
        assert window.do(ask) == ["Subject"]
        window.display.key("ctrl+shift+n")  # a new layer: keys arrive
        window.display.wait_for_window("New Layer", window.program)
        window.display.screenshot(tmp_path / "gimp-new-layer.png")
        window.display.key("Return")
        window.program.wait_until(lambda: len(window.do(ask)) == 2, 10)
        window.display.key("ctrl+z")
        window.program.wait_until(lambda: len(window.do(ask)) == 1, 10)
        window.do("Gimp.get_images()[0].clean_all()")
        window.display.key("ctrl+q")
        assert window.program.wait(20) == 0
        with pytest.raises(HostFailed, match="does not answer"):
            window.do("")


SAVE_A_DOCUMENT = """
document = Krita.instance().createDocument(64, 48, "test", "RGBA", "U8", "", 72.0)
layer = document.createNode("Subject", "paintlayer")
assert document.rootNode().addChildNode(layer, None)
layer.setPixelData(bytes(i % 256 for i in range(64 * 48 * 4)), 0, 0, 64, 48)
document.refreshProjection()
assert document.saveAs(given["saved"])
answer(Krita.instance().version())
"""
REOPEN_THE_DOCUMENT = """
document = Krita.instance().openDocument(given["saved"])
layer = document.nodeByName("Subject")
answer(bytes(layer.pixelData(0, 0, 64, 48)) == bytes(i % 256 for i in range(64 * 48 * 4)))
"""


def test_krita_saves_a_document_byte_by_byte(krita: Krita):
    saved = "/srv/files/saved.kra"
    said = krita.runner(SAVE_A_DOCUMENT, saved=saved)
    assert version(said) >= krita.stay.root.suite.krita
    assert krita.runner(REOPEN_THE_DOCUMENT, saved=saved) is True


def test_a_script_that_fails_in_krita_fails_the_test(krita: Krita):
    with pytest.raises(HostFailed, match="assert 1 == 2"):
        krita.runner("assert 1 == 2")


def test_krita_shows_the_photo_and_quits(krita: Krita, photo: Path, tmp_path: Path):
    with krita.gui(photo) as window:
        seen = tmp_path / "krita.png"
        window.display.screenshot(seen)
        assert green_pixels(seen) > 300 * 200 / 2
        ask = "answer([node.type() for node in Krita.instance().activeDocument().topLevelNodes()])"
        assert window.do(ask) == ["paintlayer"]
        window.display.key("Insert")  # a new layer: keys arrive
        window.program.wait_until(lambda: len(window.do(ask)) == 2, 10)
        window.display.key("ctrl+z")
        window.program.wait_until(lambda: len(window.do(ask)) == 1, 10)
        window.do("Krita.instance().activeDocument().setModified(False)")
        assert window.quit() == 0


SAY_HELLO = """
import os, sys
from pathlib import Path
sys.path.insert(0, given["client"])
from maskwright_client.cancel import CancelSwitch
from maskwright_client.discovery import find
from maskwright_client.places import current_places
answer(find(current_places(os.environ), os.environ, CancelSwitch()).hello.engine_version)
"""
CLIENT = f"{CHECKOUT_INSIDE}/plugin/shared"


def test_both_editors_find_an_engine_outside(gimp: Gimp, krita: Krita):
    with pytest.raises(HostFailed, match="EngineAbsent"):
        gimp.console(SAY_HELLO, client=CLIENT)
    with engine_in(gimp.stay.home) as engine:
        hello = engine.runtime.engine_version
        assert gimp.console(SAY_HELLO, client=CLIENT) == hello
        assert krita.runner(SAY_HELLO, client=CLIENT) == hello
