"""What pymatting_peer.py starts with PyMatting's own Python: METHOD REPEATS FILE... -> JSON.

Each file holds a photo and its alpha; the subject's colours go into a file beside it. The JSON has
the seconds of every repeat and the peak of the process's memory in MiB.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
from pymatting import (  # type: ignore[import-not-found]
    estimate_foreground_cf,
    estimate_foreground_ml,
)

METHODS = {"closed-form": estimate_foreground_cf, "multi-level": estimate_foreground_ml}


def main() -> None:
    method, repeats, *paths = sys.argv[1:]
    seconds = []
    for path in map(Path, paths):
        with np.load(path) as scene:
            image, alpha = scene["image"] / 255, scene["alpha"].astype(np.float64)
        for _ in range(int(repeats)):
            began = time.perf_counter()
            found = METHODS[method](image, alpha)
            seconds.append(time.perf_counter() - began)
        np.save(path.with_suffix(".npy"), np.asarray(found, np.float32))
    mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    json.dump({"seconds": seconds, "mebibytes": mebibytes}, sys.stdout)


if __name__ == "__main__":
    main()
