"""rembg, the peer that benchmarks measure against, in an environment of its own."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from network_bench import U2NETP_FILE
from numpy.typing import NDArray
from peer_environment import provide_environment

VERSION = "2.0.86"
SCRIPT = Path(__file__).with_name("rembg_mattes.py")

Pixels = NDArray[np.uint8]


class Rembg:
    """An installed rembg that uses the same u2netp file as the product."""

    def __init__(self, commands: Path, models: Path) -> None:
        self.command = str(commands / "rembg")
        self.python = str(commands / "python")
        # It compiles its numba functions once; a home of its own would throw them away each time.
        self.environ = {**os.environ, "U2NET_HOME": str(models), "NUMBA_CACHE_DIR": str(models)}

    def arguments(self, *arguments: str) -> list[str]:
        """The command line for u2netp."""
        verb, *rest = arguments
        return [self.command, verb, "-m", "u2netp", *rest]

    def mattes(self, method: str, scenes: Sequence[Path]) -> tuple[list[Pixels], list[float]]:
        """The mattes of scenes that `save_scene` wrote, and the seconds of each.

        method: `alpha-matting` (its option -a) or `closed-form` (PyMatting, on the scene's trimap).
        """
        command, files = [self.python, str(SCRIPT), method], "\n".join(map(str, scenes))
        said = subprocess.run(
            command, input=files, env=self.environ, check=True, stdout=subprocess.PIPE, text=True
        ).stdout
        mattes = [np.load(scene.with_suffix(f".{method}.npy")) for scene in scenes]
        return mattes, json.loads(said.splitlines()[-1])


def save_scene(path: Path, image: Pixels, mask: Pixels, trimap: Pixels) -> Path:
    """Write what `Rembg.mattes` starts from."""
    np.savez(path, image=image, mask=mask, trimap=trimap)
    return path


def provide_rembg(cache: Path) -> Rembg:
    """Install rembg into `cache` unless it is there, and give it the network."""
    commands = provide_environment(cache / f"rembg-{VERSION}", f"rembg[cpu,cli]=={VERSION}")
    models = cache / f"rembg-{VERSION}-models"
    models.mkdir(exist_ok=True)
    shutil.copyfile(U2NETP_FILE, models / "u2netp.onnx")
    return Rembg(commands, models)
