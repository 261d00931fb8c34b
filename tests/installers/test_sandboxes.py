"""The installed engine and real editors in sandboxes like Flatpak's.

`tests/contract/service/test_sandbox.py` shows what all engines and sandboxes have in common.
"""

import base64
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import bubblewrap
import pytest
from debian_computer import REMOVE_IN_GIMP
from engine_process import wait_for
from flatpak_editors import GIMP, KRITA, Flatpak
from host_gimp import gimp_in
from host_krita import krita_in
from host_root import Root
from host_stay import stay_in
from maskwright.service.instance import is_running
from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.discovery import find
from maskwright_client.errors import ClientError
from maskwright_client.places import Places, locate
from sample_mask import SAMPLE_INSIDE, gimp_shows_it, is_the_cups

pytestmark = [pytest.mark.installers, pytest.mark.timeout(900)]

PRESS = "from host_inside.krita_docker import *; docker().button.click()"
HAS_MASK = "answer(not docker().desk.panel.is_busy and len(masks()) == 1)"
MASK = "import base64; answer(base64.b64encode(bytes_of(masks()[0])).decode())"
REQUIRED = os.environ.get("MASKWRIGHT_HOSTS") == "required"
CANNOT_START = (
    "Maskwright's engine cannot be started from inside this sandbox: open a terminal, run "
    "`maskwright serve`, and try again."
)


@pytest.fixture(scope="module", autouse=True)
def _sandboxes(tmp_path_factory: pytest.TempPathFactory) -> None:
    if why := bubblewrap.provide(tmp_path_factory.mktemp("apt") / "log.txt"):
        if REQUIRED:
            pytest.fail(why)
        pytest.skip(why)


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    """Those of a user whose home has no easy name; an engine that runs there ends with the test."""
    home = tmp_path / "Zoë 山田"
    home.mkdir()
    found = locate("linux", {}, home)
    yield found
    if is_running(found):
        with suppress(ClientError):  # it may be dying with its sandbox just now
            outside(found).shutdown()
        wait_for(lambda: not is_running(found))


@pytest.fixture
def flatpak(debian: Root, places: Places, tmp_path: Path) -> Flatpak:
    """GIMP, which has been started before; its settings are inside its own folder."""
    made = Flatpak(debian, places.home, GIMP)
    settled = gimp_in(stay_in(debian, tmp_path / "stay")).profile
    shutil.copytree(settled, made.own / "config/GIMP" / settled.name)
    return made


def outside(places: Places) -> Engine:
    """The engine as everybody else finds it."""
    return Engine(find(places, {}, CancelSwitch()))


def maskwright(frozen: Path, places: Places, *words: str) -> str:
    """Run the frozen program as the user, outside."""
    environ = {"HOME": str(places.home), "PATH": "/usr/bin:/bin"}
    command = [str(frozen / "maskwright"), *words]
    done = subprocess.run(command, env=environ, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def serving(frozen: Path, places: Places) -> Iterator[None]:
    """The frozen engine outside, until the end of the block."""
    environ = {"HOME": str(places.home), "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen([frozen / "maskwright", "serve", "--quiet"], env=environ)
    try:
        wait_for(places.runtime_file.exists)
        yield
    finally:
        process.terminate()
        process.wait(20)


def test_gimp_starts_the_engine_in_the_home(flatpak: Flatpak, frozen: Path, places: Places) -> None:
    said = maskwright(frozen, places, "setup", "install", "--no-sample")
    assert "Filters > Remove Background" in said
    assert gimp_shows_it(flatpak.gimp(REMOVE_IN_GIMP, photo=SAMPLE_INSIDE))
    engine = outside(places)
    assert engine.hello().network_runs
    assert gimp_shows_it(flatpak.gimp(REMOVE_IN_GIMP, photo=SAMPLE_INSIDE))
    assert outside(places).instance_id == engine.instance_id
    assert maskwright(frozen, places, "stop") == "The engine has stopped.\n"


def test_krita_starts_the_engine_in_the_home_and_gimp_uses_it(
    flatpak: Flatpak, frozen: Path, debian: Root, places: Places, tmp_path: Path
) -> None:
    krita = Flatpak(debian, places.home, KRITA)
    settled = krita_in(stay_in(debian, tmp_path / "krita"))
    (krita.own / "data").mkdir(parents=True)
    settled.resources.rename(krita.own / "data/krita")
    (settled.stay.home / ".config").rename(krita.own / "config")
    shutil.rmtree(settled.stay.home)
    said = maskwright(frozen, places, "setup", "install", "--no-sample")
    assert "Krita 5.2.9: Tools > Scripts > Remove Background" in said
    with krita.krita(SAMPLE_INSIDE) as line:
        line.do(PRESS)
        wait_for(lambda: line.do(HAS_MASK), 60)
        mask = base64.b64decode(line.do(MASK))
        assert is_the_cups(mask)
        engine = outside(places)
        assert engine.hello().network_runs
        assert gimp_shows_it(flatpak.gimp(REMOVE_IN_GIMP, photo=SAMPLE_INSIDE))
        assert outside(places).instance_id == engine.instance_id
    shutil.rmtree(krita.own / "data")


def test_gimp_uses_the_engine_outside_and_else_says_what_to_do(
    flatpak: Flatpak, frozen: Path, places: Places
) -> None:
    maskwright(frozen, places, "plugins", "install")
    said = flatpak.gimp(REMOVE_IN_GIMP, photo=SAMPLE_INSIDE)
    assert (said["said"], said["mask"]) == (CANNOT_START, "")
    with serving(frozen, places):
        assert gimp_shows_it(flatpak.gimp(REMOVE_IN_GIMP, photo=SAMPLE_INSIDE))
        assert outside(places).hello().network_runs


def test_gimp_starts_the_engine_of_the_package(
    flatpak: Flatpak, frozen: Path, places: Places, tmp_path: Path
) -> None:
    """It is in /opt, which a Flatpak sees; /usr, and a plug-in there, it does not."""
    maskwright(frozen, places, "plugins", "install")
    opt = tmp_path / "opt"
    shutil.copytree(frozen, opt / "maskwright", symlinks=True)
    packaged = Flatpak(flatpak.runtime, flatpak.home, flatpak.app, opt)
    said = packaged.gimp(REMOVE_IN_GIMP, photo=SAMPLE_INSIDE)
    assert gimp_shows_it(said)
    assert said["engine"] == "/opt/maskwright/maskwright"
    assert outside(places).hello().network_runs
