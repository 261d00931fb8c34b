"""The end of a batch: a JSON report and a table, the most doubtful result first."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

SCHEMA = 1


class Status(Enum):
    """How it went with one photo."""

    done = "done"
    unchanged = "unchanged"  # made by an earlier run
    failed = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One photo of a batch.

    photo:   relative to the batch's folder.
    record:  the report's JSON object about a result (see `results.Cut.as_json`), None if it failed.
    error:   code and sentence, None unless it failed.
    exit_code: what the failure alone would end a command with, 0 otherwise.
    """

    photo: str
    status: Status
    record: dict[str, Any] | None = None
    error: tuple[str, str] | None = None
    exit_code: int = 0

    @property
    def doubt(self) -> float:
        """0..1, of a result."""
        return float(self.record["doubt"]) if self.record else 0.0

    @property
    def needs_review(self) -> bool:
        """Whether a person should look at the result."""
        return bool(self.record and self.record["needs_review"])


def by_doubt(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Results without the failures: those that need review first, the most doubtful on top."""
    results = [outcome for outcome in outcomes if outcome.status is not Status.failed]
    return sorted(results, key=lambda one: (not one.needs_review, -one.doubt, one.photo))


def failures(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The photos without a result, by name."""
    failed = [outcome for outcome in outcomes if outcome.status is Status.failed]
    return sorted(failed, key=lambda one: one.photo)


def report(outcomes: Sequence[Outcome], head: dict[str, Any]) -> dict[str, Any]:
    """Compose the report; `head` says what was run with which settings."""
    results = by_doubt(outcomes)
    failed = failures(outcomes)
    return {
        "maskwright_report": SCHEMA,
        **head,
        "counts": {
            "needs_review": sum(outcome.needs_review for outcome in results),
            **{status.value: _count(outcomes, status) for status in Status},
        },
        "failed": [_failure(outcome) for outcome in failed],
        "results": [{"status": one.status.value, **(one.record or {})} for one in results],
    }


def is_report(path: Path) -> bool:
    """Whether the file at `path` is a report of an earlier batch, which a new one may replace."""
    try:
        return "maskwright_report" in json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def table(outcomes: Sequence[Outcome], rows: int) -> list[str]:
    """Lines for people: failures, then results by doubt, at most `rows` of them, then the sums."""
    failed, results = failures(outcomes), by_doubt(outcomes)
    cells = [("failed", "", one.photo, (one.error or ("", ""))[1]) for one in failed]
    cells += [
        ("review" if one.needs_review else "", f"{one.doubt:.2f}", one.photo, _remarks(one))
        for one in results
    ]
    shown = cells[:rows]
    width = max([len("photo"), *(len(cell[2]) for cell in shown)])
    lines = [_line("", "doubt", "photo", width, "")]
    lines += [_line(mark, doubt, photo, width, said) for mark, doubt, photo, said in shown]
    if len(cells) > rows:
        lines.append(f"... and {len(cells) - rows} more, see the report.")
    return [*lines, "", _sums(outcomes)]


def _sums(outcomes: Sequence[Outcome]) -> str:
    review = sum(outcome.needs_review for outcome in outcomes)
    return (
        f"{_count(outcomes, Status.done)} done, {_count(outcomes, Status.unchanged)} unchanged, "
        f"{_count(outcomes, Status.failed)} failed; {review} to be looked at."
    )


def _line(mark: str, doubt: str, photo: str, width: int, said: str) -> str:
    return f"{mark:<7} {doubt:>5}  {photo:<{width}}  {said}".rstrip()


def _remarks(outcome: Outcome) -> str:
    return " ".join(warning["message"] for warning in (outcome.record or {}).get("warnings", []))


def _failure(outcome: Outcome) -> dict[str, Any]:
    code, message = outcome.error or ("", "")
    return {"photo": outcome.photo, "error": {"code": code, "message": message}}


def _count(outcomes: Sequence[Outcome], status: Status) -> int:
    return sum(outcome.status is status for outcome in outcomes)
