"""Who is next: clients take turns, each with its own jobs in order."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from maskwright.service.limits import Busy

T = TypeVar("T")


class Turns(Generic[T]):
    """A bounded queue with a lane for each client; a client that was served goes to the end."""

    def __init__(self, most: int, most_each: int) -> None:
        self._most = most
        self._most_each = most_each
        self._lanes: OrderedDict[str, deque[T]] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(lane) for lane in self._lanes.values())

    def check_room(self) -> None:
        """Raise Busy when nobody can be added."""
        if len(self) >= self._most:
            raise Busy

    def add(self, client: str, item: T) -> None:
        """Add to the client's lane; raises Busy when that or the whole queue is full."""
        self.check_room()
        if len(self._lanes.get(client, ())) >= self._most_each:
            raise Busy
        self._lanes.setdefault(client, deque()).append(item)

    def take(self) -> T | None:
        """The next item, or None."""
        if not self._lanes:
            return None
        client, lane = self._lanes.popitem(last=False)
        item = lane.popleft()
        if lane:
            self._lanes[client] = lane
        return item

    def drop(self, item: T) -> None:
        """Take an item out of the middle, if it is there."""
        for client, lane in list(self._lanes.items()):
            if item in lane:
                lane.remove(item)
                if not lane:
                    del self._lanes[client]

    def in_order(self) -> Iterator[T]:
        """Every item in the order in which `take` would give them."""
        lanes = [list(lane) for lane in self._lanes.values()]
        for row in range(max(map(len, lanes), default=0)):
            yield from (lane[row] for lane in lanes if row < len(lane))


class OneByOne:
    """Lets one in at a time; who has to wait is next in turn. For one event loop."""

    def __init__(self, most: int, most_each: int) -> None:
        self._waiting: Turns[asyncio.Future[None]] = Turns(most, most_each)
        self._inside = False

    @property
    def active(self) -> int:
        """How many wait or are inside."""
        return len(self._waiting) + self._inside

    def check_room(self) -> None:
        """Raise Busy when nobody can come."""
        self._waiting.check_room()

    @asynccontextmanager
    async def turn(self, client: str) -> AsyncIterator[None]:
        """Be inside while the body runs; raises Busy when too many wait, or of this client."""
        if self._inside:
            await self._wait(client)
        self._inside = True
        try:
            yield
        finally:
            self._next()

    async def _wait(self, client: str) -> None:
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(client, called)
        try:
            await called
        except asyncio.CancelledError:
            self._waiting.drop(called)
            if not called.cancelled():  # it was called and cancelled at the same moment
                self._next()
            raise

    def _next(self) -> None:
        while (called := self._waiting.take()) is not None:
            if not called.done():
                called.set_result(None)
                return
        self._inside = False
