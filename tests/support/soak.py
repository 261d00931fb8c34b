"""Clients that do everything that clients do, and everything that they should not, by chance."""

import contextlib
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from engine_client import client_of
from engine_process import EngineProcess, frame
from maskwright.matting.photo import Samples
from maskwright_client.cancel import CancelSwitch
from maskwright_client.errors import Cancelled, EngineBusy, JobFailed
from maskwright_client.protocol import (
    PIXELS_TYPE,
    UNKNOWN_MATTE,
    AlphaRequest,
    Combine,
    Edges,
    MatteEvent,
    MatteInfo,
    MatteRequest,
    Region,
    preview_size,
)
from tiny_networks import Networks

_LONGEST = 600
_ABRUPT = struct.pack("ii", 1, 0)  # SO_LINGER: whoever closes says so by a reset


@dataclass
class Outcomes:
    """How often what happened, and whatever should not have; several threads write to it."""

    counted: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    done: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, deed: str, what: str) -> None:
        """One more job has come to an end."""
        with self._lock:
            self.done += 1
            self.counted[f"{deed}: {what}"] += 1


class Visitor:
    """One client, in a thread of its own."""

    def __init__(
        self, engine: EngineProcess, networks: Networks, number: int, outcomes: Outcomes
    ) -> None:
        self._engine = engine
        self._client = client_of(engine)
        self._networks = networks
        self._name = ("gimp", "krita", "gimp-2", "another client")[number % 4]
        self._chance = random.Random(number)
        self._numbers = np.random.default_rng(number)
        self._outcomes = outcomes
        self._last: tuple[MatteRequest, Samples] | None = None

    def come(self, jobs: int) -> None:
        """Have jobs done until all visitors together have had so many."""
        deeds = {
            self.whole: 50,
            self.switched_off: 12,
            self.deleted: 8,
            self.dropped: 10,
            self.never_heard: 4,
            self.half_sent: 8,
            self.half_fetched: 4,
            self.nonsense: 4,
        }
        while self._outcomes.done < jobs:
            deed = self._chance.choices(list(deeds), list(deeds.values()))[0]
            self._do(deed)

    def _do(self, deed: Callable[[], str]) -> None:
        name = deed.__name__
        try:
            self._outcomes.note(name, deed())
        except EngineBusy:
            self._outcomes.note(name, "busy")
            time.sleep(0.1)
        except Exception as error:
            self._outcomes.note(name, "wrong")
            self._outcomes.wrong.append(f"{name}: {error!r}")

    def whole(self) -> str:
        """A job, what a user does with its matte, and perhaps a word of farewell."""
        request, pixels = self.photo()
        matte_id, info = self._matte(request, pixels)
        for _ in range(self._chance.randrange(4)):
            asked, mask = self.alpha_request(info)
            try:
                self._client.alpha(matte_id, info, asked, mask)
            except JobFailed as error:
                if error.code != UNKNOWN_MATTE:
                    raise
                return "left the cache"
        if self._chance.random() < 0.3:
            with contextlib.suppress(JobFailed):
                self._client.review(matte_id)
        if self._chance.random() < 0.2:
            with contextlib.suppress(JobFailed):
                self._client.forget(matte_id)
                return "forgotten"
        return "from cache" if info.from_cache else "done"

    def switched_off(self) -> str:
        """The user presses Cancel."""
        switch = CancelSwitch()
        timer = threading.Timer(self._chance.random() * 0.25, switch.cancel)
        timer.start()
        try:
            self._matte(*self.photo(), switch)
        except Cancelled:
            return "cancelled"
        finally:
            timer.cancel()
            timer.join()
        return "too late"

    def deleted(self) -> str:
        """Somebody else stops the job."""
        request, pixels = self.photo()
        matte_id = self._client.submit(request, pixels.data, CancelSwitch())
        at = self._chance.randrange(3)
        for count, event in enumerate(self._client.events(matte_id, CancelSwitch())):
            if count == at and not event.state.is_final:
                self._client.forget(matte_id)
            if event.state.is_final:
                return event.state.value
        return "no end"

    def dropped(self) -> str:
        """The client loses interest in the middle."""
        request, pixels = self.photo()
        matte_id = self._client.submit(request, pixels.data, CancelSwitch())
        events = self._client.events(matte_id, CancelSwitch())
        for _ in range(self._chance.randrange(1, 4)):
            if next(events).state.is_final:
                return "too late"
        events.close()
        return "dropped"

    def never_heard(self) -> str:
        """The client is gone before it listens."""
        request, pixels = self.photo()
        self._client.submit(request, pixels.data, CancelSwitch())
        return "submitted"

    def half_sent(self) -> str:
        """The client dies while it sends."""
        request, pixels = self.photo()
        body = frame(request, pixels.tobytes())
        part = body[: self._chance.randrange(len(body))]
        self._say("/v1/mattes", len(body), part, hear=0)
        return "broken off"

    def half_fetched(self) -> str:
        """The client dies while it receives."""
        request, pixels = self.photo()
        matte_id, _ = self._matte(request, pixels)
        body = frame(AlphaRequest(bits=16))
        hear = self._chance.randrange(1, 100_000)
        self._say(f"/v1/mattes/{matte_id}/alpha", len(body), body, hear=hear)
        return "broken off"

    def nonsense(self) -> str:
        """The client has a bug."""
        request, pixels = self.photo()
        body = bytearray(frame(request, pixels.tobytes()))
        kind = self._chance.choice(["head", "length", "short", "region"])
        path = "/v1/mattes"
        if kind == "head":
            body[6] ^= 0x80
        elif kind == "length":
            body[0] = 0xFF
        elif kind == "short":
            del body[-1]
        else:
            matte_id, info = self._matte(request, pixels)
            path = f"/v1/mattes/{matte_id}/alpha"
            body[:] = frame(AlphaRequest(region=Region(0, 0, info.width + 1, 1)))
        status = self._engine.ask("POST", path, bytes(body), PIXELS_TYPE).status
        if status not in (400, 404, 503):
            self._outcomes.wrong.append(f"{kind} was answered {status}")
        return kind

    def photo(self) -> tuple[MatteRequest, Samples]:
        """Something bright on noise, of any size and layout; now and then the last one again."""
        if self._last is not None and self._chance.random() < 0.15:
            return self._last
        width, height = (self._chance.randint(1, _LONGEST) for _ in range(2))
        channels, bits = self._chance.choice([3, 4]), self._chance.choice([8, 16])
        most = 256 if bits == 8 else 65536
        depth = np.uint8 if bits == 8 else np.uint16
        pixels = self._numbers.integers(0, most // 4, (height, width, channels), depth)
        middle = pixels[height // 4 : height * 3 // 4 + 1, width // 4 : width * 3 // 4 + 1]
        middle[..., :3] |= most // 2
        if channels == 4 and self._chance.random() < 0.5:
            pixels[..., 3] = most - 1
        slow = self._chance.random() < 0.1
        model = self._networks.slow if slow else self._networks.quick
        focus = self._chance.random() < 0.8
        request = MatteRequest(width, height, channels, bits, model, self._name, focus)
        self._last = found = request, pixels
        return found

    def alpha_request(self, info: MatteInfo) -> tuple[AlphaRequest, memoryview | None]:
        """Any settings, of the whole, a region or a preview, and a mask if it needs one."""
        chance = self._chance
        edges = Edges() if chance.random() < 0.3 else self.edges()
        region, preview, size = None, None, (info.width, info.height)
        part = chance.random()
        if part < 0.3:
            left, top = chance.randrange(info.width), chance.randrange(info.height)
            size = chance.randint(1, info.width - left), chance.randint(1, info.height - top)
            region = Region(left, top, *size)
        elif part < 0.6:
            preview = chance.randint(1, 700)
            size = preview_size(info.width, info.height, preview)
        way = chance.choice(list(Combine))
        mask = None
        if way is not Combine.replace:
            mask = self._numbers.integers(0, 256, (size[1], size[0]), np.uint8).data
        return AlphaRequest(edges, chance.choice([8, 16]), region, preview, way), mask

    def edges(self) -> Edges:
        """Any that are allowed."""
        chance = self._chance

        def some(low: float, high: float) -> float:
            return chance.uniform(low, high) if chance.random() < 0.4 else max(low, 0.0)

        return Edges(
            shift=chance.uniform(-10, 10) if chance.random() < 0.4 else 0.0,
            feather=some(0, 20),
            contrast=some(0, 1),
            midpoint=chance.random(),
            solidify=some(0, 1),
            fill_holes=some(0, 5000),
            drop_specks=some(0, 5000),
            largest=chance.random() < 0.2,
            invert=chance.random() < 0.2,
        )

    def _matte(
        self, request: MatteRequest, pixels: Samples, switch: CancelSwitch | None = None
    ) -> tuple[str, MatteInfo]:
        return self._client.matte(request, pixels.data, _ignore, switch or CancelSwitch())

    def _say(self, path: str, length: int, body: bytes, *, hear: int) -> None:
        """A request that is not waited for; closed as processes close when they end, or die."""
        head = [
            f"POST {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self._engine.port}",
            f"Authorization: Bearer {self._engine.token}",
            f"Content-Type: {PIXELS_TYPE}",
            f"Content-Length: {length}",
            "Connection: close",
        ]
        with socket.create_connection(("127.0.0.1", self._engine.port), timeout=10) as line:
            if self._chance.random() < 0.5:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABRUPT)
            with contextlib.suppress(ConnectionError):  # a refusal comes before the end
                line.sendall("\r\n".join([*head, "", ""]).encode() + body)
                while hear > 0 and (heard := line.recv(hear)):
                    hear -= len(heard)


def _ignore(event: MatteEvent) -> None:
    pass
