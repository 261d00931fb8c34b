"""Getting a network in the dialog: a server that fails, a licence to accept, a way back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from download_server import CONTENT, Server, serve, stall, status, whole
from engine_client import client_of
from engine_process import EngineProcess, engine_in, wait_for
from gimp_plug_in import CHECKOUT, assembled
from gimp_screens import keep, open_dialog
from host_gimp import Gimp, GimpWindow

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(300)]

SAMPLE = CHECKOUT / "installers/sample/coffee.jpg"
LAUNCHER = CHECKOUT / "tests/support/download_launcher.py"


@pytest.fixture
def server() -> Iterator[Server]:
    yield from serve()


@pytest.fixture(params=["open", "closed"])
def engine(gimp: Gimp, server: Server, request: pytest.FixtureRequest) -> Iterator[EngineProcess]:
    """An engine that knows one more network, for everybody or for non-commercial use only."""
    environ = {"TEST_MODEL_URL": server.url()}
    if request.param == "closed":
        environ["TEST_MODEL_IS_CLOSED"] = "1"
    with engine_in(gimp.stay.home, launcher=LAUNCHER, environ=environ) as running:
        yield running


@pytest.fixture
def window(gimp: Gimp, engine: EngineProcess, tmp_path: Path) -> Iterator[GimpWindow]:
    """GIMP with the dialog open and the last network in the list chosen, which is not here."""
    with gimp.gui(SAMPLE, plug_ins={"maskwright": assembled(tmp_path)}) as running:
        hello = client_of(engine).hello
        open_dialog(running)
        wait_for(lambda: hello().network_runs > 0 and hello().jobs == 0, 30)
        running.display.wait_until_still()
        running.display.key("alt+m", "End")
        running.display.wait_until_still()
        yield running


def model_file(engine: EngineProcess) -> Path:
    return engine.places.data / "models/tiny/tiny.onnx"


@pytest.mark.parametrize("engine", ["open"], indirect=True)
def test_a_download_that_fails_is_said_and_can_be_tried_again(
    window: GimpWindow, engine: EngineProcess, server: Server, tmp_path: Path
):
    display = window.display
    server.script = [status(404), whole()]
    keep(window, tmp_path, "model-offered")
    display.key("alt+o")
    display.wait_until_still()
    assert display.windows("^Remove Background"), "OK took a network that is not here"
    display.key("alt+m")
    display.key("Tab", "space")
    wait_for(lambda: len(server.seen) == 1, 30)
    display.wait_until_still()
    keep(window, tmp_path, "download-failed")
    assert not model_file(engine).exists()
    display.key("space")
    wait_for(lambda: model_file(engine).exists(), 30)
    assert model_file(engine).read_bytes() == CONTENT


@pytest.mark.parametrize("engine", ["open"], indirect=True)
def test_a_download_can_be_stopped(
    window: GimpWindow, engine: EngineProcess, server: Server, tmp_path: Path
):
    display = window.display
    server.script = [stall(100_000), whole()]
    display.key("Tab", "space")
    wait_for(lambda: len(server.seen) == 1, 30)
    display.wait_until_still()
    keep(window, tmp_path, "downloading")
    display.key("space")
    display.wait_until_still()
    keep(window, tmp_path, "download-stopped")
    assert not model_file(engine).exists()
    display.key("space")
    wait_for(lambda: model_file(engine).exists(), 30)


@pytest.mark.parametrize("engine", ["closed"], indirect=True)
def test_a_licence_is_accepted_before_anything_is_loaded(
    window: GimpWindow, engine: EngineProcess, server: Server, tmp_path: Path
):
    display = window.display
    display.key("Tab", "space")
    display.wait_until_still()
    keep(window, tmp_path, "licence")
    display.key("Escape")
    display.wait_until_still()
    assert server.seen == []
    display.key("space")
    display.wait_until_still()
    display.key("Tab", "Return")  # the first button is Cancel
    wait_for(lambda: model_file(engine).exists(), 30)
