"""A plug-in's process, to be killed: it does one job and says when it comes to a point of it.

Started with JSON: home, width, height, model, seed, point, pieces. At `upload` and `alpha` it stops
after so many pieces were sent or received, at `submitted` before it listens; a state of the job is
only said.
"""

import json
import random
import signal
import socket
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugin" / "shared"))

from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.discovery import find
from maskwright_client.places import locate
from maskwright_client.protocol import AlphaRequest, MatteEvent, MatteRequest


def say(point: str) -> None:
    sys.stdout.write(f"{point}\n")
    sys.stdout.flush()


def stop_here(point: str) -> None:
    say(point)
    signal.pause()


class Stopping(CancelSwitch):
    """Stops the process after so many pieces were sent, or received."""

    sent = received = -1

    def check(self) -> None:
        super().check()
        self.sent -= 1
        if self.sent == 0:
            stop_here("upload")

    def attach(self, sock: socket.socket) -> None:
        super().attach(sock)
        receive = sock.recv_into

        def counted(*arguments: Any) -> int:
            self.received -= 1
            if self.received == 0:
                stop_here("alpha")
            return receive(*arguments)

        vars(sock)["recv_into"] = counted


def photo(request: MatteRequest, seed: int) -> bytes:
    """Something bright in the middle, with noise on it that no other photo has."""
    side = request.width // 3
    dim, bright = b"\x40" * 3, b"\xe0" * 3
    row = dim * side + bright * side + dim * (request.width - 2 * side)
    empty = dim * request.width
    third = request.height // 3
    rows = empty * third + row * third + empty * (request.height - 2 * third)
    return random.Random(seed).randbytes(3) + rows[3:]


def main() -> None:
    given = json.loads(sys.argv[1])
    point, pieces = given["point"], given["pieces"]
    engine = Engine(find(locate(sys.platform, {}, Path(given["home"])), {}, CancelSwitch()))
    request = MatteRequest(given["width"], given["height"], 3, 8, given["model"], "dying")
    pixels = photo(request, given["seed"])

    def progress(event: MatteEvent) -> None:
        say(event.state.value)

    switch = Stopping()
    if point == "submitted":
        engine.submit(request, pixels, switch)
        stop_here(point)
    if point == "upload":
        switch.sent = pieces
    matte_id, info = engine.matte(request, pixels, progress, switch)
    if point == "alpha":
        switch = Stopping()
        switch.received = pieces
    engine.alpha(matte_id, info, AlphaRequest(bits=16), cancel=switch)


if __name__ == "__main__":
    main()
