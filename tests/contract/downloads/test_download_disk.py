"""What is on the disk when a download is killed, runs out of space or is not alone."""

import signal
import threading
import time
from pathlib import Path

import pytest
from download_server import (
    CONTENT,
    FLIPPED,
    LONGER,
    OTHER,
    Bench,
    Handler,
    Server,
    answer,
    spec_of,
    start_child,
    whole,
)
from maskwright.models.download import Step


def test_too_little_space_is_said_before_anything_is_loaded(bench: Bench, server: Server) -> None:
    bench.free = 2 * len(CONTENT) - 1
    assert bench.get(spec_of(server.url())) == "disk-full"
    assert server.seen == []
    bench.free = 2 * len(CONTENT)
    assert bench.get(spec_of(server.url())) == "fine"


def test_a_disk_that_fills_up_midway_stops_at_once_and_is_cleared(
    bench: Bench, server: Server
) -> None:
    # A limit on the size of a file gives what a full disk gives: a write that does not fit.
    assert answer(start_child(server, root=str(bench.root), limit=100_000)) == "disk-full"
    assert len(server.seen) == 1
    assert list((bench.root / "tiny").iterdir()) == []
    assert bench.get(spec_of(server.url())) == "fine"


def test_a_kill_at_any_moment_leaves_nothing_bad_under_the_final_name(
    tmp_path: Path, server: Server
) -> None:
    moments: list[int | str] = [step.value for step in Step]
    moments += [0, 1, 70_000, 200_000, len(CONTENT)]
    plan = [[moment] for moment in moments]
    plan += [[100_000, moment] for moment in moments]  # and of a run that goes on with a part
    roots = [tmp_path / str(number) / "models" for number in range(len(plan))]
    jobs = [[str(root), kills] for root, kills in zip(roots, plan, strict=True)]
    codes = answer(start_child(server, kills=jobs))
    final_seen = 0
    for root, kills, exits in zip(roots, plan, codes, strict=True):
        assert exits == [-signal.SIGKILL] * len(kills), kills
        bench = Bench(root, [], [], [])
        if bench.final.exists():
            final_seen += 1
            assert bench.final.read_bytes() == CONTENT
            assert kills[-1] == "named"
        assert bench.get(spec_of(server.url())) == "fine", kills
    assert final_seen == 2


def test_two_downloaders_at_once_load_once(bench: Bench, server: Server) -> None:
    def slow(handler: Handler) -> None:
        handler.server.released.wait(10)
        whole()(handler)

    server.script = [slow]
    child = start_child(server, root=str(bench.root))
    while not server.seen:
        time.sleep(0.01)
    results: list[str] = []
    waiting = threading.Thread(target=lambda: results.append(bench.get(spec_of(server.url()))))
    waiting.start()
    time.sleep(0.2)
    assert results == []
    server.released.set()
    assert answer(child) == "fine"
    waiting.join(10)
    assert results == ["fine"]
    assert len(server.seen) == 1


def test_a_finished_part_is_verified_without_asking(bench: Bench, server: Server) -> None:
    bench.part.parent.mkdir(parents=True)
    bench.part.write_bytes(CONTENT)
    assert bench.get(spec_of(server.url())) == "fine"
    assert server.seen == []


@pytest.mark.parametrize("left", [FLIPPED, LONGER, OTHER[:1000]])
def test_a_part_of_unknown_origin_is_not_trusted(bench: Bench, server: Server, left: bytes) -> None:
    bench.part.parent.mkdir(parents=True)
    bench.part.write_bytes(left)
    bench.part.with_name("tiny.onnx.part.json").write_text("{}")
    assert bench.get(spec_of(server.url())) == "fine"
    assert "Range" not in server.seen[0][1]


def test_a_part_that_is_a_link_is_not_written_through(
    bench: Bench, server: Server, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    bench.part.parent.mkdir(parents=True)
    for link in (bench.part.symlink_to, bench.part.hardlink_to):
        link(precious)
        assert bench.get(spec_of(server.url())) == "fine"
        assert precious.read_bytes() == b"precious"
        bench.store(spec_of(server.url())).remove("tiny")
        bench.part.parent.mkdir()
