"""Models by the service: what there is, getting one, with its licence and a way back."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from download_server import CONTENT, Server, serve, stall, status, whole
from engine_client import client_of
from engine_process import EngineProcess, engine_in
from maskwright.models.catalogue import load_catalogue
from maskwright_client.cancel import CancelSwitch
from maskwright_client.errors import Cancelled, JobFailed
from maskwright_client.protocol import JSON_TYPE, DownloadEvent, DownloadState

pytestmark = pytest.mark.slow

LAUNCHER = Path(__file__).parents[2] / "support" / "download_launcher.py"


@pytest.fixture
def server() -> Iterator[Server]:
    yield from serve()


@pytest.fixture
def engine(tmp_path: Path, server: Server) -> Iterator[EngineProcess]:
    """An engine that knows one more model, which that server has."""
    with engine_in(
        tmp_path, launcher=LAUNCHER, environ={"TEST_MODEL_URL": server.url()}
    ) as running:
        yield running


@pytest.fixture
def closed(tmp_path: Path, server: Server) -> Iterator[EngineProcess]:
    """The same, and the model is not free for commercial use."""
    environ = {"TEST_MODEL_URL": server.url(), "TEST_MODEL_IS_CLOSED": "1"}
    with engine_in(tmp_path, launcher=LAUNCHER, environ=environ) as running:
        yield running


def model_file(engine: EngineProcess) -> Path:
    return engine.places.data / "models/tiny/tiny.onnx"


def test_the_list_has_every_model_and_says_what_is_here(engine: EngineProcess):
    models = client_of(engine).models()
    shipped = load_catalogue().specs
    assert [model.id for model in models] == [*(spec.id for spec in shipped), "tiny"]
    assert [model.id for model in models if model.installed] == ["u2netp"]
    for model, spec in zip(models, shipped, strict=False):
        assert (model.bytes, model.licence, model.commercial) == (
            spec.bytes,
            spec.licence,
            spec.commercial,
        )


def test_a_download_reports_and_is_then_there(engine: EngineProcess, server: Server):
    client, events = client_of(engine), list[DownloadEvent]()
    client.download("tiny", False, events.append, CancelSwitch())
    assert events[-1] == DownloadEvent(DownloadState.done, len(CONTENT), len(CONTENT))
    assert all(event.bytes_total == len(CONTENT) for event in events)
    assert model_file(engine).read_bytes() == CONTENT
    assert next(model for model in client.models() if model.id == "tiny").installed
    client.download("tiny", False, events.append, CancelSwitch())
    assert len(server.seen) == 1


def test_a_cancelled_download_goes_on_where_it_was(engine: EngineProcess, server: Server):
    server.script = [stall(100_000), whole()]
    client, cancel = client_of(engine), CancelSwitch()

    def stop(event: DownloadEvent) -> None:
        if event.bytes_done >= 100_000:
            cancel.cancel()

    with pytest.raises(Cancelled):
        client.download("tiny", False, stop, cancel)
    assert not model_file(engine).exists()
    server.released.set()
    events: list[DownloadEvent] = []
    client.download("tiny", False, events.append, CancelSwitch())
    assert model_file(engine).read_bytes() == CONTENT
    assert server.seen[-1][1]["Range"] == "bytes=100000-"


def test_what_goes_wrong_is_told(engine: EngineProcess, server: Server):
    server.script = [status(404)]
    with pytest.raises(JobFailed) as caught:
        client_of(engine).download("tiny", False, lambda event: None, CancelSwitch())
    assert caught.value.code == "download-failed"
    assert not model_file(engine).exists()


def test_a_licence_must_be_accepted_once(closed: EngineProcess, server: Server):
    client = client_of(closed)
    with pytest.raises(JobFailed) as caught:
        client.download("tiny", False, lambda event: None, CancelSwitch())
    assert caught.value.code == "licence-not-accepted"
    assert server.seen == []
    client.download("tiny", True, lambda event: None, CancelSwitch())
    assert model_file(closed).read_bytes() == CONTENT
    client.download("tiny", False, lambda event: None, CancelSwitch())


def test_one_download_at_a_time(engine: EngineProcess, server: Server):
    server.script = [stall(1000)]
    assert engine.ask("POST", "/v1/models/tiny/download", b"{}", JSON_TYPE).status == 202
    reply = engine.ask("POST", "/v1/models/u2net/download", b"{}", JSON_TYPE)
    assert reply.status == 409
    assert json.loads(reply.body)["error"]["code"] == "download-running"
    assert engine.ask("DELETE", "/v1/models/tiny/download").status == 204


def test_nothing_is_told_of_a_download_that_never_was(engine: EngineProcess):
    assert engine.ask("GET", "/v1/models/modnet/download").status == 404
    assert engine.ask("DELETE", "/v1/models/modnet/download").status == 204
