"""One exit code for many photos."""

from collections.abc import Sequence

SOME_FAILED = 1


def combined(codes: Sequence[int]) -> int:
    """0 if all are 0, 1 if some are, else the worst: so one photo's code is its own."""
    if 0 in codes:
        return SOME_FAILED if any(codes) else 0
    return max(codes, default=0)
