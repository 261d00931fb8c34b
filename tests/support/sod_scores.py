"""What sod_peer.py starts with pysodmetrics' own Python: MATTES TRUTHS -> scores as JSON."""

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from py_sod_metrics import MAE, Smeasure


def grey(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.asarray(picture)


def main() -> None:
    mattes, truths = map(Path, sys.argv[1:])
    s_measure, error = Smeasure(), MAE()
    for path in sorted(truths.iterdir()):
        matte, truth = grey(mattes / path.name), grey(path)
        s_measure.step(matte, truth)
        error.step(matte, truth)
    scores = {"s_measure": s_measure.get_results()["sm"], "error": error.get_results()["mae"]}
    json.dump({name: float(score) for name, score in scores.items()}, sys.stdout)


if __name__ == "__main__":
    main()
