"""rembg, the peer that benchmarks measure against, in an environment of its own."""

import os
import shutil
from pathlib import Path

from network_bench import U2NETP_FILE
from peer_environment import provide_environment

VERSION = "2.0.86"


class Rembg:
    """An installed rembg that uses the same u2netp file as the product."""

    def __init__(self, commands: Path, models: Path) -> None:
        self.command = str(commands / "rembg")
        # It compiles its numba functions once; a home of its own would throw them away each time.
        self.environ = {**os.environ, "U2NET_HOME": str(models), "NUMBA_CACHE_DIR": str(models)}

    def arguments(self, *arguments: str) -> list[str]:
        """The command line for u2netp."""
        verb, *rest = arguments
        return [self.command, verb, "-m", "u2netp", *rest]


def provide_rembg(cache: Path) -> Rembg:
    """Install rembg into `cache` unless it is there, and give it the network."""
    commands = provide_environment(cache / f"rembg-{VERSION}", f"rembg[cpu,cli]=={VERSION}")
    models = cache / f"rembg-{VERSION}-models"
    models.mkdir(exist_ok=True)
    shutil.copyfile(U2NETP_FILE, models / "u2netp.onnx")
    return Rembg(commands, models)
