"""The report's order, the table and the exit code."""

import json

from maskwright.batch.report import Outcome, Status, is_report, report, table


def _result(photo, doubt, *, review=False, status=Status.done, warnings=()):
    record = {
        "photo": photo,
        "doubt": doubt,
        "needs_review": review,
        "warnings": [{"code": "w", "message": text, "value": 1.0} for text in warnings],
    }
    return Outcome(photo, status, record)


def _failure(photo, code=2):
    return Outcome(photo, Status.failed, error=("bad-photo", "It is broken."), exit_code=code)


OUTCOMES = [
    _result("calm.jpg", 0.1),
    _result("empty.jpg", 0.0, review=True, warnings=["Nothing was found."]),
    _failure("z.jpg"),
    _result("torn.jpg", 0.9, review=True),
    _result("old.jpg", 0.2, status=Status.unchanged),
    _failure("b.jpg"),
]


def test_the_report_lists_failures_apart_and_results_by_doubt():
    document = report(OUTCOMES, {"folder": "photos"})
    assert [one["photo"] for one in document["failed"]] == ["b.jpg", "z.jpg"]
    assert document["failed"][0]["error"] == {"code": "bad-photo", "message": "It is broken."}
    order = [one["photo"] for one in document["results"]]
    assert order == ["torn.jpg", "empty.jpg", "old.jpg", "calm.jpg"]
    assert document["counts"] == {"needs_review": 2, "done": 3, "unchanged": 1, "failed": 2}
    assert document["folder"] == "photos"
    assert [one["status"] for one in document["results"]].count("unchanged") == 1


def test_the_table_has_failures_on_top_then_doubt_then_the_sums():
    lines = table(OUTCOMES, rows=20)
    photos = [line.split()[1 if line.startswith("failed") else -1] for line in lines[1:3]]
    assert photos == ["b.jpg", "z.jpg"]
    assert lines[3].split() == ["review", "0.90", "torn.jpg"]
    assert lines[4].endswith("Nothing was found.")
    assert lines[5].split() == ["0.20", "old.jpg"]
    assert lines[-1] == "3 done, 1 unchanged, 2 failed; 2 to be looked at."


def test_a_long_table_is_cut_and_says_so():
    lines = table([_result(f"{n:03}.jpg", 0.0) for n in range(50)], rows=20)
    assert len(lines) == 1 + 20 + 1 + 2
    assert "30 more" in lines[21]


def test_only_a_report_is_taken_for_a_report(tmp_path):
    path = tmp_path / "report.json"
    assert not is_report(path)
    for text in ("", "[1]", "3", '{"other": 1}'):
        path.write_text(text)
        assert not is_report(path)
    path.write_text(json.dumps(report([], {})))
    assert is_report(path)
