"""A plug-in as a program: it has a photo matted, and prints what became of that as JSON.

Started with a model's id. It knows of the engine what any plug-in knows: nothing.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugin" / "shared"))

from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.connection import Connection
from maskwright_client.errors import ClientError
from maskwright_client.places import current_places
from maskwright_client.protocol import AlphaRequest, MatteRequest

WIDTH, HEIGHT = 64, 48


def job(engine: Engine) -> dict[str, Any]:
    request = MatteRequest(WIDTH, HEIGHT, 3, 8, sys.argv[1], "sandbox")
    pixels = os.urandom(request.pixels_bytes)
    matte_id, info = engine.matte(request, pixels, lambda event: None, CancelSwitch())
    alpha = engine.alpha(matte_id, info, AlphaRequest())
    return {"instance": engine.instance_id, "alpha_bytes": len(alpha.samples)}


def main() -> None:
    connection = Connection(current_places(os.environ), os.environ)
    said: dict[str, Any]
    try:
        said = connection.run(job, lambda seconds: None, CancelSwitch())
    except ClientError as error:
        said = {"error": type(error).__name__, "code": error.code, "sentence": error.message}
    around = {"state": connection.state.value, "processes": os.readlink("/proc/self/ns/pid")}
    sys.stdout.write(json.dumps({**said, **around}))


if __name__ == "__main__":
    main()
