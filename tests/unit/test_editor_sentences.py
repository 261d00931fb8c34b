"""What the dialog says."""

from dataclasses import replace

import pytest
from maskwright_client.protocol import (
    DownloadEvent,
    DownloadState,
    MatteEvent,
    MatteInfo,
    MatteState,
    ModelInfo,
    Notice,
)
from maskwright_editor.sentences import (
    download_sentence,
    finished_sentence,
    model_label,
    model_sentence,
    notes,
    state_sentence,
)

MODEL = ModelInfo(
    id="best",
    title="Best all-round",
    use="Hair and fur",
    licence="MIT",
    licence_url="https://example.org",
    commercial=True,
    bytes=181_400_000,
    installed=True,
    seconds=4.25,
)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (MatteEvent(MatteState.queued), "Waiting for another job"),
        (MatteEvent(MatteState.loading, 0.1, 3.4), "Loading the network, 3 s left"),
        (MatteEvent(MatteState.predicting, 0.5, 0.2), "Finding the subject, 1 s left"),
        (MatteEvent(MatteState.refining, 0.9, None), "Fitting the edge"),
        (MatteEvent(MatteState.done, 1.0), ""),
    ],
)
def test_how_a_job_stands(event: MatteEvent, said: str):
    assert state_sentence(event) == said


def test_a_network_is_named_by_what_it_is_for():
    assert model_label(MODEL) == "Best all-round"
    assert model_label(replace(MODEL, installed=False)) == "Best all-round (download, 181 MB)"


def test_use_licence_and_time_are_told():
    assert model_sentence(MODEL) == "Hair and fur \u00b7 MIT \u00b7 about 4.2 s"
    closed = replace(MODEL, commercial=False, seconds=None)
    assert model_sentence(closed) == "Hair and fur \u00b7 MIT \u00b7 not for commercial use"


def test_how_a_download_stands():
    event = DownloadEvent(DownloadState.downloading, 50_000_000, 181_400_000)
    assert download_sentence(event) == "Downloading, 50 of 181 MB"


INFO = MatteInfo(
    width=60,
    height=40,
    bits=8,
    model="u2netp",
    provider="CPUExecutionProvider",
    device="cpu",
    network_runs=1,
    from_cache=False,
    seconds={"predict": 0.26},
    doubt=0.1,
)
THERE = replace(INFO, network_runs=0, from_cache=True, seconds={})
WARNED = replace(INFO, warnings=(Notice("empty", "Nothing found."), Notice("low", "Too small.")))


def test_what_ran_is_said():
    assert finished_sentence(INFO) == "Engine ready; u2netp ran on cpu, 0.3 s"
    assert finished_sentence(THERE) == "Engine ready; it still had what u2netp found"


def test_warnings_are_said():
    assert notes(INFO, refining=False) == ""
    assert notes(WARNED, refining=False) == "Nothing found. Too small."


def test_a_network_that_runs_again_for_refining_is_said():
    assert notes(THERE, refining=True) == ""
    assert notes(INFO, refining=True).endswith("the network ran again.")
