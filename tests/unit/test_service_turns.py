"""Clients take turns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maskwright.service.limits import Busy
from maskwright.service.turns import Turns


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
