"""Real networks that need no download: one that answers at once, and one that takes its time.

They are in an engine's models folder as a user's own models are.
"""

from dataclasses import dataclass
from pathlib import Path

from maskwright.models.store import open_store
from tiny_onnx import SOURCE, ints, mean_model, node, value, write_model


@dataclass(frozen=True)
class Networks:
    """environ: what an engine needs to have the models; the others are their ids."""

    environ: dict[str, str]
    quick: str
    slow: str


def tiny_networks(folder: Path, *, steps: int = 600) -> Networks:
    """Put them into a models folder in `folder`; each step of the slow one takes 2 to 6 ms."""
    folder.mkdir(parents=True, exist_ok=True)
    environ = {"MASKWRIGHT_MODELS": str(folder / "models")}
    store = open_store(environ)
    quick = store.add(mean_model(folder / "quick.onnx"), "u2netp")
    slow = store.add(slow_model(folder / "slow.onnx", steps), "u2netp")
    return Networks(environ, quick.id, slow.id)


def slow_model(path: Path, steps: int) -> Path:
    """The mean of the three channels, after a walk there and back; it can stop at every step."""
    names = ["src", *(f"step{number}" for number in range(steps))]
    walk = [
        node("Asinh" if number % 2 else "Sinh", names[number], names[number + 1])
        for number in range(steps)
    ]
    mean = node("ReduceMean", names[-1], "mean", ints("axes", [1]))
    return write_model(path, [*walk, mean], [SOURCE], [value("mean", (1, 1, "h", "w"))])
