"""A plot of ratios: a line for each method, its pictures from the best to the worst."""

from collections.abc import Mapping
from math import log2
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

_SIZE = (900, 560)
_MARGIN = 50
_LOW, _HIGH = 0.25, 4.0  # of the axis; what lies beyond is drawn at its end
_COLOURS = ((30, 110, 220), (220, 60, 40), (40, 150, 70), (150, 90, 190), (200, 140, 20))


def save_ratio_plot(path: Path, title: str, ratios: Mapping[str, NDArray[np.floating]]) -> None:
    """Draw them on a logarithmic axis; below the line at 1 is better."""
    picture = Image.new("RGB", _SIZE, (255, 255, 255))
    draw = ImageDraw.Draw(picture)
    draw.text((_MARGIN, 10), title, fill=(0, 0, 0))
    for value in (0.25, 0.5, 0.71, 1.0, 1.41, 2.0, 4.0):
        y = _height(value)
        shade = (60, 60, 60) if value == 1 else (220, 220, 220)
        draw.line([(_MARGIN, y), (_SIZE[0] - 20, y)], fill=shade)
        draw.text((8, y - 6), f"{value:g}", fill=(90, 90, 90))
    for number, (name, values) in enumerate(ratios.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        places = np.linspace(_MARGIN, _SIZE[0] - 20, len(values)).tolist()
        ordered = np.sort(values).tolist()
        points = [(x, _height(value)) for x, value in zip(places, ordered, strict=True)]
        draw.line(points, fill=colour, width=2)
        draw.text((_MARGIN + 10, 30 + 14 * number), name, fill=colour)
    picture.save(path)


def _height(ratio: float) -> float:
    share = (log2(min(max(ratio, _LOW), _HIGH)) - log2(_LOW)) / (log2(_HIGH) - log2(_LOW))
    return _SIZE[1] - _MARGIN - share * (_SIZE[1] - 2 * _MARGIN)
