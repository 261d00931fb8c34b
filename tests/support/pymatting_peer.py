"""PyMatting, the peer for clean colours, in an environment of its own."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from peer_environment import provide_environment

VERSION = "1.1.16"
SCRIPT = Path(__file__).with_name("pymatting_foregrounds.py")

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Foregrounds:
    """The subjects' colours by name, H x W x 3, 0..1; seconds of each run; the process's MiB."""

    colours: dict[str, Plane]
    seconds: list[float]
    mebibytes: float


class PyMatting:
    """An installed PyMatting."""

    def __init__(self, commands: Path) -> None:
        self.python = str(commands / "python")

    def foregrounds(
        self,
        method: str,
        scenes: Mapping[str, tuple[NDArray[np.uint8], Plane]],
        folder: Path,
        repeats: int = 1,
    ) -> Foregrounds:
        """Find the subjects' colours: `closed-form` or `multi-level`; photos and alphas by name."""
        paths = {name: folder / f"{name}.npz" for name in scenes}
        for name, (image, alpha) in scenes.items():
            np.savez(paths[name], image=image, alpha=alpha)
        command = [self.python, str(SCRIPT), method, str(repeats), *map(str, paths.values())]
        said = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        colours = {name: np.load(path.with_suffix(".npy")) for name, path in paths.items()}
        return Foregrounds(colours, said["seconds"], said["mebibytes"])


def provide_pymatting(cache: Path) -> PyMatting:
    """Install PyMatting into `cache` unless it is there."""
    folder = cache / f"pymatting-{VERSION}"
    return PyMatting(provide_environment(folder, f"pymatting=={VERSION}"))
