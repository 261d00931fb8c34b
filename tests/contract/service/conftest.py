"""Engines for the tests of the service: real processes, real sockets."""

from collections.abc import Iterator

import pytest
from engine_process import NAIVE, EngineProcess, engine_in


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """One for all tests of a module, which leave it as they found it."""
    with engine_in(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture(scope="module")
def naive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """The same without its gate: what an attack is worth."""
    with engine_in(tmp_path_factory.mktemp("naive"), launcher=NAIVE) as running:
        yield running
