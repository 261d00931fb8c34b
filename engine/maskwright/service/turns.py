"""Who is next: clients take turns, each with its own jobs in order."""

from collections import OrderedDict, deque
from collections.abc import Iterator
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
