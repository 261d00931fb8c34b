"""Failed starts are remembered for a minute, whatever state their file is in."""

import json
import os
from pathlib import Path

import pytest
from maskwright_client.failed_starts import FailedStarts


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def failed(path: Path, clock: Clock, ages: list[float]) -> FailedStarts:
    path.write_text(json.dumps([clock.now - age for age in ages]))
    path.chmod(0o600)
    return FailedStarts(path, clock)


def test_three_within_a_minute_are_too_many(tmp_path: Path, clock: Clock):
    path = tmp_path / "failed.json"
    for expected in (False, False, False, True):
        assert FailedStarts(path, clock).too_many is expected
        FailedStarts(path, clock).add()
        clock.now += 15.0
    clock.now += 30.1  # only the last one is younger than a minute
    assert not FailedStarts(path, clock).too_many
    assert len(json.loads(path.read_text())) == 3


def test_a_success_forgets_them(tmp_path: Path, clock: Clock):
    starts = failed(tmp_path / "failed.json", clock, [1, 2, 3])
    assert starts.too_many
    starts.clear()
    starts.clear()
    assert not starts.too_many


def test_times_in_the_future_do_not_count(tmp_path: Path, clock: Clock):
    assert not failed(tmp_path / "failed.json", clock, [1, 2, -1000]).too_many


@pytest.mark.parametrize(
    "content", ["", "{", "{}", '["now", null, [1], true]', "[NaN, NaN, NaN]", "[" * 2000, "7"]
)
def test_a_damaged_file_counts_as_none_and_is_mended(tmp_path: Path, clock: Clock, content: str):
    path = tmp_path / "failed.json"
    path.write_text(content)
    path.chmod(0o600)
    starts = FailedStarts(path, clock)
    assert not starts.too_many
    starts.add()
    assert json.loads(path.read_text()) == [clock.now]


@pytest.mark.skipif(os.name != "posix", reason="about POSIX permissions")
def test_a_file_of_others_counts_as_none(tmp_path: Path, clock: Clock):
    starts = failed(tmp_path / "failed.json", clock, [1, 2, 3])
    (tmp_path / "failed.json").chmod(0o666)
    assert not starts.too_many


def test_a_folder_that_is_not_there_stops_nobody(tmp_path: Path, clock: Clock):
    starts = FailedStarts(tmp_path / "none" / "failed.json", clock)
    starts.add()
    starts.clear()
    assert not starts.too_many
