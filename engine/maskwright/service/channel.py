"""What the engine and its network process say to each other, over a pipe.

JSON and raw samples, nothing pickled: a network that took over its process could not make the
engine run anything. A message is one JSON object, followed by one block of bytes if it says so.

    to the process      {"do": "open", "serial": N, "model": ID}
                        {"do": "predict", "serial": N, "model": ID, "shape": [h, w, 3]} + uint8
                        {"do": "cancel", "serial": N}
    from the process    {"serial": N, "loaded": [...], ...} (+ float32, h x w)
                        {"serial": N, "error": {"kind", "code", "message"}}
"""

import json
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Message:
    """One message and the bytes that belong to it."""

    fields: dict[str, Any]
    block: bytes = b""


def send(
    pipe: Connection, fields: dict[str, Any], block: NDArray[np.generic] | None = None
) -> None:
    """Send one message; the caller sees to it that nobody else sends at the same time."""
    head = json.dumps({**fields, "block": block is not None})
    pipe.send_bytes(head.encode("ascii"))
    if block is not None:
        pipe.send_bytes(np.ascontiguousarray(block).data.cast("B"))


def receive(pipe: Connection) -> Message:
    """Wait for one message; EOFError or OSError when the other end is gone."""
    fields = json.loads(pipe.recv_bytes())
    return Message(fields, pipe.recv_bytes() if fields.pop("block", False) else b"")
