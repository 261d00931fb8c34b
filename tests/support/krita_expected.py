"""What must have come of a case inside Krita, asked of the engine from outside."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from engine_client import matted
from maskwright_client.client import Engine
from maskwright_client.protocol import AlphaRequest, Combine, Edges


def what_the_engine_says(
    client: Engine, case: dict[str, Any], layer: dict[str, Any], files: Path
) -> tuple[bytes, bool]:
    """The mask that the engine gives for the pixels of a layer and the case's settings."""
    _, _, width, height = layer["place"]
    stem = files / layer["stem"]
    pixels = np.fromfile(f"{stem}.pixels", np.uint8).reshape(height, width, 4)
    if (pixels[..., 3] == 255).all():
        pixels = np.ascontiguousarray(pixels[..., :3])
    matte_id, info = matted(client, pixels)
    settings = dict(case["settings"])
    combine = Combine(settings.pop("existing", "replace"))
    names = {field.name for field in fields(Edges)}
    edges = Edges(**{name: value for name, value in settings.items() if name in names})
    old = (stem.parent / f"{stem.name}.old").read_bytes()
    combine = combine if old else Combine.replace
    mask = None if combine is Combine.replace else old
    alpha = client.alpha(matte_id, info, AlphaRequest(edges, combine=combine), mask)
    return bytes(alpha.samples), info.from_cache
