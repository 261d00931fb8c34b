"""Two servers and a store for every test here, and no settings of this machine."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from download_server import Bench, Server, serve


@pytest.fixture
def server() -> Iterator[Server]:
    yield from serve()


@pytest.fixture
def other_server() -> Iterator[Server]:
    yield from serve()


@pytest.fixture(autouse=True)
def no_proxy_or_password_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "models", [], [], [])
