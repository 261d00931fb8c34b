"""How far a slider is for a value: small values of a long range get as much room as large ones."""

from __future__ import annotations

import math

STEPS = 1000

_LONG = 1000.0


def position(value: float, low: float, high: float) -> int:
    """0 to STEPS for a value from low to high."""
    share = (min(max(value, low), high) - low) / (high - low)
    return round(STEPS * math.pow(share, 1 / _power(low, high)))


def value(position: int, low: float, high: float) -> float:
    """The value of a position, with as many digits as matter."""
    share = math.pow(position / STEPS, _power(low, high))
    return round(low + share * (high - low), digits(low, high))


def digits(low: float, high: float) -> int:
    """How many digits after the point a value is shown with."""
    return 0 if high - low > _LONG else 2 if high - low <= 1 else 1


def step(low: float, high: float) -> float:
    """What a key press adds."""
    return 10.0 if high - low > _LONG else 0.05 if high - low <= 1 else 0.5


def _power(low: float, high: float) -> int:
    return 3 if high - low > _LONG else 1
