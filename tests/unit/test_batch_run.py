"""How a batch spreads its work: how many photos in hand, one at the network, cancel."""

import threading
import time

import numpy as np
import pytest
from maskwright.batch.ledger import Ledger
from maskwright.batch.report import Status
from maskwright.batch.run import Batch, one_at_a_time, run_batch
from maskwright.cancel import CancelToken
from maskwright.cutout import Cutter, Recipe
from maskwright.errors import Cancelled, ModelError
from maskwright.models.contract import Contract, OutputKind, Resize, SizeRule
from maskwright.naming import Product, plan_results
from subject_photos import save_ball


class SlowNetwork:
    """Finds a subject on the left half, slowly, and counts who is inside at the same time."""

    contract = Contract(
        SizeRule.fixed, 32, 1, Resize.stretch, (0, 0, 0), (1, 1, 1), "", "", OutputKind.probability
    )
    model_id, provider, device, notices = "slow", "Test", "test", ()

    def __init__(self, on_run=lambda: None):
        self.on_run = on_run
        self.lock = threading.Lock()
        self.inside = self.most_inside = self.runs = 0

    def predict(self, pixels, cancel):
        with self.lock:
            self.inside += 1
            self.runs += 1
            self.most_inside = max(self.most_inside, self.inside)
        try:
            self.on_run()
            cancel.check()
            time.sleep(0.01)
            answer = np.zeros((32, 32), np.float32)
            answer[:, :16] = 1
            return answer
        finally:
            with self.lock:
                self.inside -= 1


class Counting(Cutter):
    """A cutter that counts how many photos are in hand."""

    in_hand = most_in_hand = 0

    def cut(self, job, progress=None):
        self.in_hand += 1
        self.most_in_hand = max(self.most_in_hand, self.in_hand)
        try:
            return super().cut(job, progress)
        finally:
            self.in_hand -= 1


@pytest.fixture
def setting(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    photos = [save_ball(folder / f"{n}.png", seed=n, size=(64, 48)) for n in range(12)]
    out.mkdir()
    plan = plan_results(
        [photo.relative_to(folder) for photo in photos], Product.mask, lambda photo: photo.parent
    )
    return Batch(folder, out, plan, "recipe", jobs=3)


def run(batch, network, cancel=None, on_outcome=lambda outcome: None):
    cancel = cancel or CancelToken()
    cutter = Counting(one_at_a_time(network), Recipe(Product.mask, focus=False), cancel)
    outcomes = run_batch(batch, cutter, Ledger(batch.out / "ledger"), cancel, on_outcome)
    return cutter, outcomes


def test_at_most_jobs_photos_are_in_hand_and_one_is_at_the_network(setting):
    network = SlowNetwork()
    cutter, outcomes = run(setting, network)
    assert [outcome.status for outcome in outcomes] == [Status.done] * 12
    assert network.most_inside == 1
    assert 1 < cutter.most_in_hand <= 3


def test_every_outcome_is_told_where_the_batch_was_called(setting):
    told = []
    _, outcomes = run(
        setting,
        SlowNetwork(),
        on_outcome=lambda outcome: told.append((outcome, threading.current_thread())),
    )
    assert [outcome for outcome, _ in told] == outcomes
    assert {thread for _, thread in told} == {threading.current_thread()}


def test_a_network_that_fails_for_one_photo_fails_for_that_one(setting):
    def fail_once():
        if network.runs == 5:
            raise ModelError("run-failed", "It failed.")

    network = SlowNetwork(fail_once)
    _, outcomes = run(setting, network)
    assert [one.error for one in outcomes if one.error] == [("run-failed", "It failed.")]
    assert [one.exit_code for one in outcomes if one.error] == [3]
    assert len(list(setting.out.glob("*.png"))) == 11


def test_what_nobody_foresaw_in_one_photo_is_its_own_failure(setting):
    def fail_once():
        if network.runs == 2:
            raise ZeroDivisionError

    network = SlowNetwork(fail_once)
    _, outcomes = run(setting, network)
    assert [one.error[0] for one in outcomes if one.error] == ["internal-error"]


def test_a_cancel_stops_the_rest_and_keeps_what_is_done(setting):
    cancel = CancelToken()

    def cancel_at_the_fourth():
        if network.runs == 4:
            cancel.cancel()

    network = SlowNetwork(cancel_at_the_fourth)
    with pytest.raises(Cancelled):
        run(setting, network, cancel)
    assert network.runs <= 4 + 2
    results = {path.name for path in setting.out.glob("*.png")}
    assert len(results) <= 3
    ledger = Ledger(setting.out / "ledger")
    assert {name for name in results if ledger.entry(name)} == results
    assert [path.name for path in setting.out.glob(".*part")] == []


def test_an_error_in_the_caller_stops_the_threads(setting):
    def fail(_outcome):
        raise ZeroDivisionError

    network = SlowNetwork()
    with pytest.raises(ZeroDivisionError):
        run(setting, network, on_outcome=fail)
    assert network.runs <= 6
