"""Environments for packages that benchmarks compare with, apart from the tests' own."""

import subprocess
import sys
from pathlib import Path


def provide_environment(folder: Path, requirement: str) -> Path:
    """Install `requirement` into an environment in `folder` unless it is there; its commands."""
    commands, ready = folder / "bin", folder / "ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(commands / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, requirement], check=True)
        ready.touch()
    return commands
