"""A home without an engine, servers on the loopback that are anything but one, and processes."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_engine import HostileEngine, hostile_engine
from maskwright_client.places import Places, locate
from spawned import Spawned


@pytest.fixture
def hostile() -> Iterator[HostileEngine]:
    with hostile_engine() as server:
        yield server


@pytest.fixture
def another() -> Iterator[HostileEngine]:
    with hostile_engine() as server:
        yield server


@pytest.fixture
def places(home: Path) -> Places:
    return locate(sys.platform, {}, home)


@pytest.fixture
def spawned() -> Iterator[Spawned]:
    """What starts a process as the client does; ended with the test."""
    keeper = Spawned()
    yield keeper
    keeper.end()
