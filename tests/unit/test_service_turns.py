"""Clients take turns."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maskwright.service.limits import Busy
from maskwright.service.turns import OneByOne, Turns


def taken(turns: Turns[str]) -> list[str]:
    found = []
    while (item := turns.take()) is not None:
        found.append(item)
    return found


def filled(*names: str) -> Turns[str]:
    turns: Turns[str] = Turns(100, 100)
    for name in names:
        turns.add(name[0], name)
    return turns


def test_a_client_with_many_does_not_keep_another_waiting():
    assert taken(filled("g1", "g2", "g3", "k1", "k2")) == ["g1", "k1", "g2", "k2", "g3"]


def test_whoever_was_served_goes_to_the_end():
    turns = filled("g1", "g2", "k1")
    assert turns.take() == "g1"
    turns.add("x", "x1")
    assert taken(turns) == ["k1", "g2", "x1"]


@pytest.mark.parametrize("names", [[], ["g1"], ["g1", "g2", "k1"], ["k1", "g1", "g2", "x1"]])
def test_in_order_tells_what_take_will_give(names: list[str]):
    assert list(filled(*names).in_order()) == taken(filled(*names))


def test_one_can_leave_the_middle():
    turns = filled("g1", "g2", "k1")
    turns.drop("g1")
    turns.drop("k1")
    turns.drop("nobody")
    assert len(turns) == 1
    assert taken(turns) == ["g2"]


def test_a_full_queue_says_so_and_stays_as_it_is():
    turns: Turns[str] = Turns(3, 2)
    turns.add("g", "g1")
    turns.add("g", "g2")
    with pytest.raises(Busy):
        turns.add("g", "g3")
    turns.add("k", "k1")
    with pytest.raises(Busy):
        turns.check_room()
    with pytest.raises(Busy):
        turns.add("x", "x1")
    assert taken(turns) == ["g1", "k1", "g2"]
    turns.check_room()


@given(st.lists(st.sampled_from("gkx"), max_size=30))
def test_nothing_is_lost_and_each_client_keeps_its_order(clients: list[str]):
    turns: Turns[tuple[str, int]] = Turns(100, 100)
    for number, client in enumerate(clients):
        turns.add(client, (client, number))
    order = list(turns.in_order())
    assert len(turns) == len(order) == len(clients)
    for client in "gkx":
        own = [number for name, number in order if name == client]
        assert own == sorted(own)
    # However many others wait, a client is served within one round.
    for start in range(len(order)):
        waiting = {name for name, _ in order[start:]}
        assert waiting == {name for name, _ in order[start : start + len(waiting)]}


class Visits:
    """Who came in, in order; each stays until it is let out."""

    def __init__(self, most: int = 8, most_each: int = 4) -> None:
        self.order = OneByOne(most, most_each)
        self.seen: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._out: dict[str, asyncio.Event] = {}

    async def come(self, *names: str) -> None:
        """Names begin with their client's letter."""
        for name in names:
            self._out[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._visit(name))
        await settled()

    async def _visit(self, name: str) -> None:
        async with self.order.turn(name[0]):
            self.seen.append(name)
            await self._out[name].wait()

    async def leave(self, name: str) -> None:
        self._out[name].set()
        await settled()

    async def all_leave(self) -> None:
        for name in list(self._out):
            await self.leave(name)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_one_at_a_time_and_others_first():
    async def work() -> None:
        visits = Visits()
        await visits.come("g1", "g2", "g3", "k1")
        assert visits.seen == ["g1"]
        assert visits.order.active == 4
        await visits.leave("g1")
        assert visits.seen == ["g1", "g2"]
        for _ in range(4):
            await visits.all_leave()
        assert visits.seen == ["g1", "g2", "k1", "g3"]
        assert visits.order.active == 0
        await visits.come("x1")
        assert visits.seen[-1] == "x1"
        await visits.all_leave()

    run(work())


def test_too_many_are_told_so_and_nobody_else_is_harmed():
    async def work() -> None:
        visits = Visits(most=3, most_each=2)
        await visits.come("g1", "g2", "g3", "g4", "k1", "k2")
        assert isinstance(visits.tasks["g4"].exception(), Busy)  # two of it wait
        assert isinstance(visits.tasks["k2"].exception(), Busy)  # three wait
        with pytest.raises(Busy):
            visits.order.check_room()
        for _ in range(6):
            await visits.all_leave()
        assert sorted(visits.seen) == ["g1", "g2", "g3", "k1"]

    run(work())


@pytest.mark.parametrize("who", ["g1", "g2", "k1"])
def test_who_gives_up_is_passed_over(who: str):
    async def work() -> None:
        visits = Visits()
        await visits.come("g1", "g2", "k1")
        visits.tasks[who].cancel()
        await settled()
        for _ in range(3):
            await visits.all_leave()
        assert [name for name in visits.seen if name != who] == [
            name for name in ("g1", "g2", "k1") if name != who
        ]
        assert visits.order.active == 0

    run(work())


def test_who_gives_up_at_the_very_moment_of_its_turn_passes_it_on():
    async def work() -> None:
        visits = Visits()
        await visits.come("g1", "g2", "k1")
        visits._out["g1"].set()
        await asyncio.sleep(0)  # g1 wakes up, calls g2 and leaves
        visits.tasks["g2"].cancel()
        await settled()
        assert visits.seen == ["g1", "k1"]
        await visits.all_leave()
        assert visits.order.active == 0

    run(work())


def test_a_visit_that_fails_ends_like_any_other():
    async def work() -> None:
        order = OneByOne(2, 2)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                async with order.turn("g"):
                    raise ZeroDivisionError
        assert order.active == 0

    run(work())
