"""A job hears from the pipeline how far it has come."""

import numpy as np
import pytest
from maskwright.service.jobs import Job
from maskwright.service.mattes import MatteKey
from maskwright.service.pace import Pace
from maskwright_client.protocol import MatteRequest, MatteState

MEGAPIXELS = 1_000_000
REQUEST = MatteRequest(width=1, height=1, channels=3, bits=8, model="net", client="test")
KEY = MatteKey(b"", 1, 1, 3, 8, "", focus=True)


def job_of(runs: int) -> Job:
    """A job of whose runs each takes 1 s, and what comes after them 2 s."""
    plan = Pace().plan("net", 0, 1.0, 100 * MEGAPIXELS, loaded=True, runs=runs)
    return Job(REQUEST, KEY, np.zeros(3, np.uint8), plan, 0.0, 0.0)


def test_further_looks_are_waited_for():
    job = job_of(3)
    job.enter("predict", 0.0, 0.0)
    assert job.event(0.0).seconds_left == pytest.approx(5.0)
    job.enter("focus", 0.27, 1.0)
    job.enter("focus", 0.53, 2.0)
    assert job.state is MatteState.predicting
    assert job.event(2.0).seconds_left == pytest.approx(3.0)


def test_tiles_move_the_bar_and_wake_nobody():
    job = job_of(1)
    job.enter("predict", 0.0, 0.0)
    job.enter("refine", 0.8, 1.0)
    job.changed.clear()
    before = job.event(1.0)
    job.enter("refine", 0.9, 1.1)
    assert not job.changed.is_set()
    assert job.event(1.1).seconds_left == pytest.approx(1.0)
    assert job.event(1.1).fraction > before.fraction
    job.enter("review", 0.96, 1.2)
    assert job.state is MatteState.refining
    assert job.event(1.2).seconds_left == pytest.approx(0.4)
