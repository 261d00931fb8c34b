"""How long a job takes, told from the last ones."""

import pytest
from maskwright.service.pace import Pace, add_known

MEGAPIXELS = 1_000_000


def seen() -> Pace:
    pace = Pace()
    pace.saw("net", {"load": 2.0, "predict": 4.0, "refine": 0.1})
    return pace


def test_a_model_that_was_seen_is_expected_to_take_as_long_again():
    plan = seen().plan("net", 10**9, 99.0, 50 * MEGAPIXELS, loaded=False)
    assert plan.total == pytest.approx(2.0 + 4.0 + 1.0)


def test_what_is_loaded_is_not_loaded_again():
    plan = seen().plan("net", 10**9, 99.0, 50 * MEGAPIXELS, loaded=True)
    assert plan.total == pytest.approx(4.0 + 1.0)


def test_every_run_of_the_network_counts():
    plan = seen().plan("net", 0, 99.0, 0, loaded=True, runs=3)
    assert plan.total == pytest.approx(3 * 4.0)
    plan.enter("predict", 0.0)
    assert plan.left(1.0) == pytest.approx(11.0)
    plan.enter("predict", 2.0)
    assert plan.left(2.0) == pytest.approx(8.0)
    plan.enter("predict", 4.0)
    assert plan.left(5.0) == pytest.approx(3.0)
    plan.enter("predict", 8.0)  # one that nobody expected
    assert plan.left(8.0) == pytest.approx(4.0)
    plan.enter("finish", 9.0)
    assert plan.left(9.0) == pytest.approx(0.05)


def test_runs_that_are_not_needed_are_not_waited_for():
    plan = seen().plan("net", 0, 99.0, 50 * MEGAPIXELS, loaded=True, runs=3)
    plan.enter("predict", 0.0)
    before = plan.fraction(4.0)
    plan.enter("finish", 4.0)
    assert plan.left(4.0) == pytest.approx(1.0)
    assert before < 0.35 < 0.75 < plan.fraction(4.0)


def test_what_is_done_of_a_stage_counts_more_than_its_time():
    plan = seen().plan("net", 0, None, 100 * MEGAPIXELS, loaded=True)
    plan.enter("finish", 0.0)
    assert plan.left(0.5) == pytest.approx(1.5)
    plan.reach(0.75)
    assert plan.left(0.6) == pytest.approx(0.5)


def test_the_catalogue_serves_until_then():
    assert Pace().plan("net", 0, 3.0, 0, loaded=True).total == pytest.approx(3.0)


def test_nobody_guesses_where_nothing_is_known():
    plan = Pace().plan("net", 0, None, MEGAPIXELS, loaded=False)
    plan.enter("load", 0.0)
    assert plan.left(0.1) is None
    plan.enter("predict", 0.2)
    assert plan.left(5.0) is None
    plan.enter("finish", 6.0)
    assert plan.left(6.0) == pytest.approx(0.05)


def test_a_job_that_came_from_the_cache_loads_nothing():
    pace = Pace()
    pace.saw("net", {"load": 0.0, "predict": 0.0})
    assert pace.plan("net", 0, 3.0, 0, loaded=True).total == pytest.approx(3.0)


def test_the_rest_shrinks_with_time_and_never_to_nothing():
    plan = seen().plan("net", 0, None, 0, loaded=True)
    plan.enter("predict", 10.0)
    lefts = [plan.left(10.0 + second) for second in range(8)]
    assert lefts[:4] == pytest.approx([4.0, 3.0, 2.0, 1.0])
    assert all(left is not None and 0 < left <= 0.1 for left in lefts[4:])


def test_the_fraction_rises_even_when_a_second_look_takes_longer():
    plan = seen().plan("net", 0, None, MEGAPIXELS, loaded=False)
    assert plan.fraction(0.0) == 0
    fractions = []
    for moment, stage in enumerate(["load", "load", "predict", "predict", "predict", "finish"]):
        if stage != "predict" or moment != 3:
            plan.enter(stage, float(moment))
        fractions.append(plan.fraction(moment + 0.5))
    assert fractions == sorted(fractions)
    assert 0 < fractions[0] < fractions[-1] < 1


def test_an_unknown_model_still_moves_from_stage_to_stage():
    plan = Pace().plan("net", 0, None, MEGAPIXELS, loaded=True)
    fractions = []
    for stage in ("load", "predict", "finish"):
        plan.enter(stage, 1.0)
        fractions.append(plan.fraction(2.0))
    assert fractions[0] < fractions[1] < fractions[2]


def test_a_sum_with_an_unknown_part_is_unknown():
    assert add_known([1.0, 2.0]) == 3.0
    assert add_known([]) == 0.0
    assert add_known([1.0, None]) is None
