"""What trials of devices have shown, remembered from one start to the next.

One small JSON file in the user's cache folder; losing it costs a trial.
"""

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Final

from maskwright.models.seal import replace_text

_DAY_S: Final = 24 * 3600.0
KEPT_S: Final = 30 * _DAY_S
_SCHEMA: Final = 1


class Outcome(Enum):
    """How a trial ended."""

    faster = "faster"  # agrees with the processor and is faster: it is used
    slower = "slower"
    disagrees = "disagrees"
    failed = "failed"
    unfinished = "unfinished"  # still running, or it took the process down; kept for a day only


@dataclass(frozen=True, slots=True)
class TrialKey:
    """What a trial was about: when any of these changes, its result means nothing."""

    model: str  # the file's sha256
    device: str
    onnxruntime: str
    driver: str


@dataclass(frozen=True, slots=True)
class Trial:
    """One device tried with one model.

    reason: a sentence for people. Differences of the matte from the processor's, 0..1. Seconds for
    one run on the device and on the processor. at: seconds since 1970.
    """

    key: TrialKey
    outcome: Outcome
    reason: str
    largest_difference: float | None = None
    mean_difference: float | None = None
    seconds: float | None = None
    cpu_seconds: float | None = None
    at: float = 0.0


class Ledger:
    """Reads and writes the file; a folder that cannot be written only means trying again."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock

    def trials(self) -> tuple[Trial, ...]:
        """Every trial of the last 30 days; after that a driver may have changed unseen."""
        now = self._clock()
        return tuple(trial for trial in self._read() if 0.0 <= now - trial.at < _kept_s(trial))

    def find(self, key: TrialKey) -> Trial | None:
        """The trial of exactly that key, if it is remembered."""
        return next((trial for trial in self.trials() if trial.key == key), None)

    def note(self, trial: Trial) -> None:
        """Remember a trial, in place of an earlier one of the same key."""
        self._write([*self._others(trial.key), replace(trial, at=self._clock())])

    def forget(self, key: TrialKey) -> None:
        """Drop the trial of that key."""
        self._write(self._others(key))

    def _others(self, key: TrialKey) -> list[Trial]:
        return [trial for trial in self.trials() if trial.key != key]

    def _write(self, trials: list[Trial]) -> None:
        document = {"schema": _SCHEMA, "trials": [_plain(trial) for trial in trials]}
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_text(self.path, json.dumps(document, indent=1) + "\n")

    def _read(self) -> list[Trial]:
        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
            if document["schema"] != _SCHEMA:
                return []
            return [_trial(entry) for entry in document["trials"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []


def default_ledger_path() -> Path:
    """`hardware.json` in the user's cache folder for Maskwright."""
    import platformdirs  # here, so that what never asks does not pay for it

    return platformdirs.user_cache_path("maskwright", appauthor=False) / "hardware.json"


def _kept_s(trial: Trial) -> float:
    return _DAY_S if trial.outcome is Outcome.unfinished else KEPT_S


def _plain(trial: Trial) -> dict[str, object]:
    return {**asdict(trial), "outcome": trial.outcome.value}


def _trial(entry: dict[str, object]) -> Trial:
    """Read one entry; ValueError, KeyError or TypeError when it is not one."""
    key, at = entry["key"], entry["at"]
    if not isinstance(key, dict) or not isinstance(at, int | float):
        raise TypeError("not a trial")
    return Trial(
        TrialKey(*(str(key[name]) for name in TrialKey.__slots__)),
        Outcome(entry["outcome"]),
        str(entry["reason"]),
        _measure(entry["largest_difference"]),
        _measure(entry["mean_difference"]),
        _measure(entry["seconds"]),
        _measure(entry["cpu_seconds"]),
        float(at),
    )


def _measure(value: object) -> float | None:
    if value is not None and not isinstance(value, int | float):
        raise TypeError("not a number")
    return None if value is None else float(value)
