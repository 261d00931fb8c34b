"""What the docker says and offers while something goes on."""

from dataclasses import replace

import pytest
from maskwright_client.connection import State
from maskwright_client.protocol import MatteEvent, MatteInfo, MatteState, Notice
from maskwright_krita import panel
from maskwright_krita.panel import Doing, Panel

INFO = MatteInfo(6, 4, 8, "u2netp", "CPUExecutionProvider", "cpu", 1, False, {"predict": 0.25}, 0.1)
WARNED = MatteInfo(
    *(6, 4, 8, "u2netp", "CPUExecutionProvider", "cpu", 1, False, {}, 0.9),
    warnings=(Notice("empty", "Nothing stands out."),),
)
PREDICTING = MatteEvent(MatteState.predicting, 0.5, 3.2)


def at_work(total: int = 1) -> Panel:
    return panel.asked(panel.started(Panel(engine="Engine ready"), total, slow=False))


def test_at_rest_the_button_removes_the_background():
    assert not Panel().is_busy
    assert Panel().button == "Remove Background"
    assert Panel().whole_fraction == 0


def test_a_run_goes_through_its_states():
    now = panel.started(Panel(), 1, slow=False)
    assert (now.doing, now.button, now.can_stop) == (Doing.reading, "Cancel", True)
    now = panel.heard(panel.asked(now), PREDICTING)
    assert now.said == "Finding the subject, 3 s left"
    assert now.whole_fraction == 0.5
    now = panel.applying(now)
    assert (now.is_busy, now.can_stop) == (True, False)
    now = panel.finished(now, "There.", [INFO], ["Ctrl+Z."])
    assert (now.said, now.notes, now.is_busy) == ("There.", "Ctrl+Z.", False)
    assert "u2netp ran on cpu" in now.engine


def test_cleaning_can_be_stopped_and_says_what_is_slow():
    now = panel.cleaning(at_work(), slow=False)
    assert (now.doing, now.can_stop, now.button) == (Doing.cleaning, True, "Cancel")
    assert now.said == "Cleaning the edge's colours"
    assert "seconds" in panel.cleaning(at_work(), slow=True).said
    assert panel.heard(now, PREDICTING) == now, "the network is done"


@pytest.mark.parametrize("clean", [True, False])
def test_what_the_engine_can_is_known_until_another_is_met(clean: bool):
    now = panel.engine_can(at_work(), clean=clean)
    assert now == replace(at_work(), can_clean=clean)
    assert panel.finished(now, "There.").can_clean is clean
    assert panel.failed(now, "It did not work.").can_clean is clean


def test_a_slow_reading_is_announced():
    assert "seconds" in panel.started(Panel(), 1, slow=True).said
    assert "seconds" in panel.next_layer(at_work(2), slow=True).said


def test_several_layers_share_the_bar():
    now = panel.heard(at_work(2), PREDICTING)
    assert now.whole_fraction == 0.25
    assert now.said.startswith("Layer 1 of 2: ")
    now = panel.heard(panel.asked(panel.next_layer(now, slow=False)), PREDICTING)
    assert now.whole_fraction == 0.75
    assert now.said.startswith("Layer 2 of 2: ")


def test_the_bar_never_goes_back_on_one_layer():
    now = panel.heard(at_work(), PREDICTING)
    assert panel.heard(now, MatteEvent(MatteState.refining, 0.1)).fraction == 0.5


@pytest.mark.parametrize("later", [panel.stopping, panel.applying])
def test_old_news_changes_nothing(later):
    now = later(at_work())
    assert panel.heard(now, PREDICTING) == now


def test_the_end_of_a_job_says_nothing_by_itself():
    assert panel.heard(at_work(), MatteEvent(MatteState.done, 1.0)) == at_work()


def test_stopping_takes_no_second_click():
    now = panel.stopping(at_work())
    assert (now.is_busy, now.can_stop, now.said) == (True, False, "Stopping")


def test_a_failure_leaves_the_docker_at_rest():
    now = panel.failed(at_work(), "It did not work.")
    assert now == Panel(said="It did not work.", engine="Engine ready")


def test_warnings_come_before_notes_and_once():
    now = panel.finished(at_work(), "There.", [WARNED, WARNED], ["Ctrl+Z."])
    assert now.notes == "Nothing stands out. Ctrl+Z."


@pytest.mark.parametrize("state", State)
def test_every_state_of_the_engine_has_a_sentence(state: State):
    assert panel.engine_stands(at_work(), state).engine
    assert panel.engine_stands(at_work(), state).doing is Doing.asking


@pytest.mark.parametrize(
    ("event", "news"),
    [
        (PREDICTING, False),
        (replace(PREDICTING, fraction=0.55), False),
        (replace(PREDICTING, fraction=0.61), True),
        (replace(PREDICTING, fraction=0.1), True),
        (replace(PREDICTING, seconds_left=2.9), False),
        (replace(PREDICTING, seconds_left=2.1), True),
        (replace(PREDICTING, state=MatteState.refining), True),
    ],
)
def test_only_what_can_be_seen_is_news(event: MatteEvent, news: bool):
    assert panel.is_news(None, event)
    assert panel.is_news(PREDICTING, event) is news
