"""Fixtures for real editors: a root for each Debian release, and GIMP and Krita in it.

Where roots cannot be made the tests are skipped with the reason; with MASKWRIGHT_HOSTS=required,
as in CI, they fail. What is ahead of every release may be gone any day: its tests are skipped then.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType

import pytest
from host_gimp import Gimp, gimp_in
from host_krita import Krita, krita_in
from host_root import Root, Suite
from host_roots import EXPERIMENTAL, SUITES, NoRoots, cache_folder, provide
from host_stay import Stay, stay_in

_EDITORS = MappingProxyType({"gimp": gimp_in, "krita": krita_in})
_Provided = dict[Suite, Callable[..., Root]]
_PROVIDED = pytest.StashKey[_Provided]()

ahead_too = pytest.mark.parametrize(
    "root", [*SUITES, EXPERIMENTAL], ids=lambda suite: str(suite.name), indirect=True
)
"""Runs a test of Krita also in the one that is ahead of every release."""


def pytest_collection_finish(session: pytest.Session) -> None:
    """Make the roots that are needed, side by side, before any test's time runs."""
    if session.config.option.collectonly or _PROVIDED in session.config.stash:
        return
    wanted: dict[Suite, set[str]] = {}
    for item in session.items:
        if isinstance(item, pytest.Function) and (suite := _suite(item)):
            wanted.setdefault(suite, set()).update(item.fixturenames)
    with ThreadPoolExecutor() as pool:
        jobs = {suite: pool.submit(_provide, suite, names) for suite, names in wanted.items()}
    session.config.stash[_PROVIDED] = {suite: job.result for suite, job in jobs.items()}


def _suite(item: pytest.Function) -> Suite | None:
    """The release that a test runs in, if it is one that does."""
    given = item.callspec.params.get("root") if hasattr(item, "callspec") else None
    return given if isinstance(given, Suite) else None


def _provide(suite: Suite, fixtures: set[str]) -> Root:
    """A root, with the first start of the editors that will be used behind it."""
    root = provide(suite, cache_folder(os.environ), _say)
    for name in sorted(fixtures & _EDITORS.keys()):
        with tempfile.TemporaryDirectory() as folder:
            _EDITORS[name](stay_in(root, Path(folder) / "stay"))
    return root


def _say(line: str) -> None:
    """Tell how it goes: this takes minutes."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@pytest.fixture(scope="session", params=SUITES, ids=lambda suite: str(suite.name))
def root(request: pytest.FixtureRequest) -> Root:
    """A Debian with the editors, each release in its turn."""
    return provided(request.param, request.config.stash[_PROVIDED][request.param])


def provided(suite: Suite, root: Callable[[], Root]) -> Root:
    """A root, if it can be had; otherwise the test is skipped, or fails where it is required."""
    try:
        return root()
    except NoRoots as error:
        if os.environ.get("MASKWRIGHT_HOSTS") == "required" and suite in SUITES:
            raise
        pytest.skip(f"there is no real editor here: {error}")


@pytest.fixture
def stay(root: Root, tmp_path: Path) -> Stay:
    """Folders in which editors and an engine outside live together for one test."""
    return stay_in(root, tmp_path / "stay")


@pytest.fixture
def gimp(stay: Stay) -> Gimp:
    """A GIMP that has been started before."""
    return gimp_in(stay)


@pytest.fixture
def krita(stay: Stay) -> Iterator[Krita]:
    """A Krita that has been started before."""
    editor = krita_in(stay)
    yield editor
    editor.move_out()
