"""Whole processes, timed, with their peak memory; pictures for them."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

SAMPLE = Path(__file__).resolve().parents[2] / "installers" / "sample" / "coffee.jpg"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "maskwright-dev"


@dataclass(frozen=True, slots=True)
class Spent:
    """Wall seconds, and the peak of the process's resident memory in MiB."""

    seconds: float
    mebibytes: float


def run_measured(command: Sequence[str], environ: Mapping[str, str]) -> Spent:
    """Run to the end; raises CalledProcessError when the process fails."""
    started = time.perf_counter()
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return Spent(time.perf_counter() - started, usage.ru_maxrss / 1024)


def middle(runs: Sequence[Spent]) -> Spent:
    """The median of each figure."""
    return Spent(median(run.seconds for run in runs), median(run.mebibytes for run in runs))


def large_photo(path: Path, width: int, height: int, seed: int = 0) -> Path:
    """Write the sample as a JPEG of that size, with a sensor's worth of noise."""
    with Image.open(SAMPLE) as sample:
        photo = sample.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    rng = np.random.default_rng(seed)
    noise = rng.integers(-4, 5, (height, width, 1), dtype=np.int16)
    pixels = np.clip(np.asarray(photo) + noise, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, quality=92)
    return path
