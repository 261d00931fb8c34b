"""pysodmetrics, the field's own measures of agreement, in an environment of its own."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from peer_environment import provide_environment

VERSION = "1.6.2"
SCRIPT = Path(__file__).with_name("sod_scores.py")


@dataclass(frozen=True, slots=True)
class Agreement:
    """Means over a folder of mattes: S-measure, 1 at best, and mean absolute error."""

    s_measure: float
    error: float

    def __str__(self) -> str:
        return f"S-measure {self.s_measure:.4f}, MAE {self.error:.4f}"


class SodMetrics:
    """An installed pysodmetrics."""

    def __init__(self, commands: Path) -> None:
        self.python = str(commands / "python")

    def agreement(self, mattes: Path, truths: Path) -> Agreement:
        """Compare two folders of grey pictures that have the same names."""
        command = [self.python, str(SCRIPT), str(mattes), str(truths)]
        scores = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        return Agreement(**json.loads(scores))


def provide_sod_metrics(cache: Path) -> SodMetrics:
    """Install pysodmetrics into `cache` unless it is there."""
    folder = cache / f"pysodmetrics-{VERSION}"
    return SodMetrics(provide_environment(folder, f"pysodmetrics=={VERSION}"))
