"""How long a job will take, from how long the last ones took."""

from collections.abc import Iterable
from dataclasses import dataclass, field

# Where nothing is known: reading a model from a disk and building its graph.
_LOAD_S = 0.3
_LOAD_BYTES_PER_S = 200e6
# Refining and reviewing, beyond the network.
_FINISH_S_PER_PIXEL = 2e-8
# A stage that takes longer than expected is almost done, for as long as it takes.
_LEAST_LEFT_S = 0.05


@dataclass(slots=True)
class Pace:
    """What was seen of each model since the engine started; seconds."""

    _loads: dict[str, float] = field(default_factory=dict)
    _runs: dict[str, float] = field(default_factory=dict)

    def saw(self, model: str, seconds: dict[str, float]) -> None:
        """Remember how long a finished job's stages took."""
        if seconds.get("load"):
            self._loads[model] = seconds["load"]
        if seconds.get("predict"):
            self._runs[model] = seconds["predict"]

    def plan(
        self,
        model: str,
        model_bytes: int,
        run_s: float | None,
        pixels: int,
        *,
        loaded: bool,
        runs: int = 1,
    ) -> "Plan":
        """What to expect of a job; `run_s` is the catalogue's figure for each of its runs."""
        load = 0.0 if loaded else self._loads.get(model, _LOAD_S + model_bytes / _LOAD_BYTES_PER_S)
        finish = _FINISH_S_PER_PIXEL * pixels
        stages = {"load": load, "predict": self._runs.get(model, run_s), "finish": finish}
        return Plan(stages, runs)


@dataclass(slots=True)
class Plan:
    """What is expected of a job and how far it has come.

    seconds: of each stage, of `predict` those of one network run; None where nobody knows.
    runs:    how often the network will run, as far as is known.
    """

    seconds: dict[str, float | None]
    runs: int = 1
    _stage: str = "load"
    _began: float | None = None
    _at: float = 0.0
    _share: float = 0.0
    _ran: int = 0
    _fraction: float = 0.0

    @property
    def total(self) -> float | None:
        """The whole job."""
        return add_known([*self.seconds.values(), *self._further_runs()])

    def enter(self, stage: str, now: float) -> None:
        """The job has come to `load`, to one more run of `predict`, or to `finish`."""
        if self._began is None:
            self._began = now
        self._stage, self._at, self._share = stage, now, 0.0
        self._ran += stage == "predict"

    def reach(self, share: float) -> None:
        """At least so much of the stage, 0..1, is done, however long it has taken."""
        self._share = share

    def left(self, now: float) -> float | None:
        """Seconds until it is done."""
        if self._began is None:
            return self.total
        stages = list(self.seconds)
        rest = [self.seconds[name] for name in stages[stages.index(self._stage) + 1 :]]
        if self._stage != "finish":
            rest += self._further_runs()
        current = self.seconds[self._stage]
        if current is None:
            return None
        spent = max(now - self._at, self._share * current)
        return add_known([max(current - spent, _LEAST_LEFT_S), *rest])

    def _further_runs(self) -> list[float | None]:
        """The seconds of each run that is still to come after the first or the present one."""
        return [self.seconds["predict"]] * (self.runs - max(self._ran, 1))

    def fraction(self, now: float) -> float:
        """0..1 of the work, never falling; by stages only where nobody knows the time."""
        if self._began is None:
            return 0.0
        left = self.left(now)
        if left is None:
            found = list(self.seconds).index(self._stage) / len(self.seconds)
        else:
            found = (now - self._began) / max(now - self._began + left, 1e-9)
        self._fraction = max(self._fraction, min(found, 0.99))
        return self._fraction


def add_known(parts: Iterable[float | None]) -> float | None:
    """The sum, or None if one of the parts is unknown."""
    total = 0.0
    for part in parts:
        if part is None:
            return None
        total += part
    return total
