"""What comes of one photo: a result with everything there is to say about it, or a problem."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from maskwright.errors import Cancelled, InputError, MaskwrightError

T = TypeVar("T")

# From this doubt on a person should look at a result.
REVIEW_DOUBT = 0.5

# A result with one of these is doubtful whatever its score.
REVIEW_WARNINGS = frozenset({"nothing-found", "all-subject"})


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning about a result; `value` is the measurement behind it, where there is one."""

    code: str
    message: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """What there is to say about a result.

    seconds: wall time by stage: read, the pipeline's own stages, edges, write, total.
    doubt:   0 (sure) to 1, for the whole matte.
    spots:   (x, y, width, height, doubt) in pixels, where the matte is least sure.
    """

    width: int
    height: int
    bits: int
    model: str
    provider: str
    device: str
    network_runs: int
    seconds: dict[str, float]
    warnings: tuple[Notice, ...]
    doubt: float
    spots: tuple[dict[str, float], ...]

    @property
    def needs_review(self) -> bool:
        """Whether a person should look at the result."""
        codes = {warning.code for warning in self.warnings}
        return self.doubt >= REVIEW_DOUBT or bool(codes & REVIEW_WARNINGS)

    def as_json(self, photo: str, result: str) -> dict[str, Any]:
        """The JSON object about this result, as `cut --json` and the batch report show it."""
        return {
            "photo": photo,
            "result": result,
            **asdict(self),
            "seconds": {stage: round(spent, 3) for stage, spent in self.seconds.items()},
            "doubt": round(self.doubt, 4),
            "spots": [{**spot, "doubt": round(spot["doubt"], 4)} for spot in self.spots],
            "needs_review": self.needs_review,
        }


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no result: code and sentence, the exit code it stands for, the exception."""

    code: str
    message: str
    exit_code: int
    error: Exception


def attempt(step: Callable[[], T]) -> T | Problem:
    """Return what `step` returns, or the problem that one photo has; Cancelled passes through."""
    try:
        return step()
    except Cancelled:
        raise
    except Exception as error:  # the boundary of one photo: the others go on
        return problem_of(error)


def problem_of(error: Exception) -> Problem:
    """Put an exception into a code and a sentence."""
    if isinstance(error, MaskwrightError):
        return Problem(error.code, str(error), error.exit_code, error)
    if isinstance(error, MemoryError):
        sentence = "There is not enough memory for this photo; make it smaller first."
        return Problem("out-of-memory", sentence, InputError.exit_code, error)
    sentence = f"Internal error: {type(error).__name__}; run with --debug to see where."
    return Problem("internal-error", sentence, MaskwrightError.exit_code, error)
