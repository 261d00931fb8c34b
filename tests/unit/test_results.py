"""What is said about a result, and what an exception means for one photo."""

import json

import pytest
from maskwright.errors import Cancelled, InputError, ModelError
from maskwright.results import REVIEW_DOUBT, Cut, Notice, Problem, attempt


def a_cut(doubt=0.1, warnings=()):
    return Cut(
        width=4,
        height=3,
        bits=8,
        model="u2netp",
        provider="CPUExecutionProvider",
        device="cpu",
        network_runs=1,
        seconds={"read": 0.12345, "total": 1.0},
        warnings=tuple(Notice(code, f"{code}.", 1.0) for code in warnings),
        doubt=doubt,
        spots=({"x": 0, "y": 0, "width": 2, "height": 2, "doubt": 0.123456},),
    )


@pytest.mark.parametrize(
    ("doubt", "warnings", "expected"),
    [
        (0.0, (), False),
        (REVIEW_DOUBT - 0.01, ("tiny-photo", "low-contrast"), False),
        (REVIEW_DOUBT, (), True),
        (0.0, ("nothing-found",), True),
        (0.0, ("tiny-photo", "all-subject"), True),
    ],
)
def test_doubt_or_an_empty_or_a_full_matte_needs_review(doubt, warnings, expected):
    assert a_cut(doubt, warnings).needs_review is expected


def test_the_json_object_is_complete_and_round():
    document = json.loads(json.dumps(a_cut(0.123456, ["see-through"]).as_json("a.jpg", "b.png")))
    assert document == {
        "photo": "a.jpg",
        "result": "b.png",
        "width": 4,
        "height": 3,
        "bits": 8,
        "model": "u2netp",
        "provider": "CPUExecutionProvider",
        "device": "cpu",
        "network_runs": 1,
        "seconds": {"read": 0.123, "total": 1.0},
        "warnings": [{"code": "see-through", "message": "see-through.", "value": 1.0}],
        "doubt": 0.1235,
        "spots": [{"x": 0, "y": 0, "width": 2, "height": 2, "doubt": 0.1235}],
        "needs_review": False,
    }


@pytest.mark.parametrize(
    ("error", "code", "exit_code"),
    [
        (InputError("bad-photo", "Bad."), "bad-photo", 2),
        (ModelError("bad-output", "Bad."), "bad-output", 3),
        (MemoryError(), "out-of-memory", 2),
        (ZeroDivisionError("secret"), "internal-error", 3),
    ],
)
def test_an_exception_is_one_photos_problem(error, code, exit_code):
    def step():
        raise error

    problem = attempt(step)
    assert isinstance(problem, Problem)
    assert (problem.code, problem.exit_code, problem.error) == (code, exit_code, error)
    assert problem.message.endswith(".")
    assert "secret" not in problem.message


def test_a_cancel_is_nobodys_problem():
    def step():
        raise Cancelled

    with pytest.raises(Cancelled):
        attempt(step)


def test_what_goes_well_comes_back():
    assert attempt(lambda: 7) == 7
