"""Getting a network in Krita's docker: the list, the licence, the way there and back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from download_server import CONTENT, Server, serve, stall, whole
from engine_process import EngineProcess, engine_in
from host_krita import Krita
from krita_plug_in import CHECKOUT, assembled
from krita_screens import wait

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(300)]

SAMPLE = CHECKOUT / "installers/sample/coffee.jpg"
LAUNCHER = CHECKOUT / "tests/support/download_launcher.py"

CHOOSE = """
models = docker().models
models.list.setCurrentIndex(models.list.findData("tiny"))
models.list.activated.emit(models.list.currentIndex())
"""
LINE = "answer(docker().models.line.text())"


@pytest.fixture
def server() -> Iterator[Server]:
    yield from serve()


@pytest.fixture
def engine(krita: Krita, server: Server) -> Iterator[EngineProcess]:
    """An engine that knows one more model, not free for commercial use, which that server has."""
    environ = {"TEST_MODEL_URL": server.url(), "TEST_MODEL_IS_CLOSED": "1"}
    with engine_in(krita.stay.home, launcher=LAUNCHER, environ=environ) as running:
        yield running


def test_a_network_is_chosen_and_loaded_in_place(
    krita: Krita, engine: EngineProcess, server: Server, tmp_path: Path
):
    file = engine.places.data / "models/tiny/tiny.onnx"
    server.script = [stall(100_000), whole()]
    with krita.gui(SAMPLE, plug_ins={"maskwright": assembled(tmp_path)}) as window:
        window.do("from host_inside.krita_docker import *")
        assert window.do("answer(docker().models.list.count())") == 1, "nobody was asked so far"
        window.do("docker().models.list.showPopup()")
        wait(window, "answer(docker().models.list.count() > 10)")
        window.do("docker().models.list.hidePopup()")
        window.do(CHOOSE)
        assert "not for commercial use" in window.do(LINE)
        assert window.do("answer(docker().models.get.isVisible())")
        assert window.do("answer(docker().desk.wish.model)") == "u2netp", "it is not here yet"

        # A licence that forbids commercial use must be accepted.
        window.do("QtCore.QTimer.singleShot(0, docker().models.get.click)")
        wait(window, "answer(any('licence' in one for one in questions()))")
        window.display.key("Escape")
        wait(window, "answer(questions() == [])")
        assert server.seen == []

        # It can be stopped half-way, and goes on from there.
        window.do("QtCore.QTimer.singleShot(0, docker().models.get.click)")
        wait(window, "answer(questions() != [])")
        window.display.key("alt+y")
        wait(window, "answer('Downloading' in docker().models.line.text())")
        assert window.do("answer(docker().models.get.text())") == "Stop"
        window.do("docker().models.get.click()")
        wait(window, "answer(docker().models.line.text() == 'Stopped.')")
        assert not file.exists()
        server.released.set()
        window.do("QtCore.QTimer.singleShot(0, docker().models.get.click)")
        wait(window, "answer(questions() != [])")
        window.display.key("alt+y")
        wait(window, "answer(docker().desk.wish.model == 'tiny')")
        assert file.read_bytes() == CONTENT
        assert window.do("answer(docker().models.get.isVisible())") is False
        window.do("Krita.instance().activeDocument().setModified(False)")
        assert window.quit() == 0

    # It is remembered.
    with krita.gui(SAMPLE) as window:
        window.do("from host_inside.krita_docker import *")
        assert window.do("answer(docker().desk.wish.model)") == "tiny"
        assert window.do("answer(docker().isVisible())")
