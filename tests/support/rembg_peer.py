"""rembg, the peer that benchmarks measure against, in an environment of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from network_bench import U2NETP_FILE

VERSION = "2.0.86"


class Rembg:
    """An installed rembg that uses the same u2netp file as the product."""

    def __init__(self, folder: Path, models: Path) -> None:
        self.command = str(folder / "bin" / "rembg")
        # It compiles its numba functions once; a home of its own would throw them away each time.
        self.environ = {**os.environ, "U2NET_HOME": str(models), "NUMBA_CACHE_DIR": str(models)}

    def arguments(self, *arguments: str) -> list[str]:
        """The command line for u2netp."""
        verb, *rest = arguments
        return [self.command, verb, "-m", "u2netp", *rest]


def provide_rembg(cache: Path) -> Rembg:
    """Install rembg into `cache` unless it is there, give it the network, start it once."""
    folder, models = cache / f"rembg-{VERSION}", cache / f"rembg-{VERSION}-models"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, f"rembg[cpu,cli]=={VERSION}"], check=True)
        models.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(U2NETP_FILE, models / "u2netp.onnx")
        (folder / "ready").touch()
    return Rembg(folder, models)
