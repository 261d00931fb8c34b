"""Downloads, by the real code, from a real server on the loopback that does everything wrong."""

import gzip
import threading
import time

import pytest
from download_server import (
    CONTENT,
    FLIPPED,
    LONGER,
    OTHER,
    Bench,
    Reply,
    Server,
    Sleeper,
    chunked,
    drop,
    piece,
    spec_of,
    stall,
    status,
    whole,
)
from maskwright.cancel import CancelToken
from maskwright.errors import Cancelled
from maskwright.models import download
from maskwright.models.download import Step


def test_a_good_server(bench: Bench, server: Server) -> None:
    assert bench.get(spec_of(server.url())) == "fine"
    assert bench.steps == [Step.connected, Step.received, Step.verified, Step.named]
    assert bench.progress[0] == (0, len(CONTENT))
    assert bench.progress[-1] == (len(CONTENT), len(CONTENT))
    assert bench.progress == sorted(bench.progress)
    assert bench.slept == []
    ((_, headers),) = server.seen
    assert headers["Accept-Encoding"] == "identity"
    assert headers["User-Agent"].startswith("maskwright/")
    assert not {"Authorization", "Cookie", "Range"} & headers.keys()
    assert bench.get(spec_of(server.url())) == "fine"
    assert len(server.seen) == 1


def test_a_dropped_connection_is_gone_on_with(bench: Bench, server: Server) -> None:
    server.script = [drop(100_000), drop(100_000), whole()]
    assert bench.get(spec_of(server.url())) == "fine"
    ranges = [headers.get("Range") for _, headers in server.seen]
    assert ranges == [None, "bytes=100000-", "bytes=200000-"]
    assert {headers.get("If-Range") for _, headers in server.seen[1:]} == {'"v1"'}
    assert bench.progress == sorted(bench.progress)
    assert sum(bench.slept) == pytest.approx(0.5 + 1.0)


def test_a_connection_that_always_drops_is_given_up_and_later_gone_on_with(
    bench: Bench, server: Server
) -> None:
    server.script = [drop(10_000)]
    assert bench.get(spec_of(server.url())) == "download-failed"
    assert len(server.seen) == 4
    assert bench.part.stat().st_size == 40_000
    server.script = [whole()]
    assert bench.get(spec_of(server.url())) == "fine"
    assert server.seen[-1][1]["Range"] == "bytes=40000-"


def test_drops_do_not_count_while_it_gets_on(
    bench: Bench, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_WORTHWHILE", 40_000)
    server.script = [drop(45_000)]
    assert bench.get(spec_of(server.url())) == "fine"
    assert len(server.seen) == 7


def test_a_server_that_always_makes_it_start_again_is_given_up(
    bench: Bench, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_WORTHWHILE", 40_000)
    server.script = [
        lambda handler: (status(416) if "Range" in handler.headers else drop(100_000))(handler)
    ]
    assert bench.get(spec_of(server.url())) == "download-failed"
    assert len(server.seen) < 10


@pytest.mark.parametrize(
    "reply",
    [
        whole(LONGER),
        whole(CONTENT[:-1]),
        chunked(LONGER),
        lambda handler: handler.send(CONTENT, Content_Length=10**15),
        lambda handler: handler.send(CONTENT, Content_Length=0),
    ],
    ids=["longer", "shorter", "longer, no length", "huge", "nothing"],
)
def test_a_wrong_size_is_refused_at_once(bench: Bench, server: Server, reply: Reply) -> None:
    server.script = [reply]
    assert bench.get(spec_of(server.url())) == "wrong-size"
    assert len(server.seen) == 1
    assert not bench.part.exists()


def test_never_more_is_read_than_was_declared(bench: Bench, server: Server) -> None:
    server.script = [lambda handler: handler.send(LONGER, Content_Length=len(CONTENT))]
    assert bench.get(spec_of(server.url())) == "fine"


def test_a_server_that_does_not_say_how_much(bench: Bench, server: Server) -> None:
    server.script = [chunked(CONTENT)]
    assert bench.get(spec_of(server.url())) == "fine"


def test_a_compressed_answer_is_not_taken(bench: Bench, server: Server) -> None:
    server.script = [lambda handler: handler.send(gzip.compress(CONTENT), Content_Encoding="gzip")]
    assert bench.get(spec_of(server.url())) == "download-failed"


@pytest.mark.parametrize(
    ("first", "second", "requests"),
    [
        (OTHER, whole(etag='"v2"'), 2),  # the file changed: an honest server sends all of it
        (OTHER, piece(100_000, 300_000, ETag='"v2"'), 3),  # the server ignores If-Range
        (OTHER, piece(100_000, 300_001), 3),  # the total is another one
        (OTHER, piece(99_999, 300_000), 3),  # the piece is another one
        (OTHER, lambda handler: handler.head(206, Content_Length=200_000), 3),  # which piece?
        (OTHER, status(416), 3),
        (CONTENT, piece(100_000, 300_000), 2),  # no ETag in the answer, and right
    ],
    ids=["changed", "ignores If-Range", "total", "piece", "no range", "416", "right"],
)
def test_a_file_that_changes_between_two_requests_is_loaded_from_its_start(
    bench: Bench, server: Server, first: bytes, second: Reply, requests: int
) -> None:
    server.script = [drop(100_000, first), second, whole(etag='"v2"')]
    assert bench.get(spec_of(server.url())) == "fine"
    ranges = [headers.get("Range") for _, headers in server.seen]
    assert ranges == [None, "bytes=100000-", None][:requests]


def test_a_server_that_mixes_two_files_is_found_by_the_hash(bench: Bench, server: Server) -> None:
    server.script = [drop(100_000, OTHER), piece(100_000, 300_000), whole()]
    spec = spec_of(server.url())
    assert bench.get(spec) == "bad-hash"  # all in one go: the server's own fault
    server.script = [drop(100_000, OTHER), status(404), piece(100_000, 300_000), whole()]
    assert bench.get(spec) == "download-failed"
    assert bench.get(spec) == "fine"  # old bytes get a second chance, from the first byte on
    assert "Range" not in server.seen[-1][1]


@pytest.mark.parametrize("etag", ['W/"v1"', "v1", '"a\tb"'])
def test_without_a_strong_validator_it_starts_again(
    bench: Bench, server: Server, etag: str
) -> None:
    server.script = [drop(100_000, etag=etag), whole(etag=etag)]
    assert bench.get(spec_of(server.url())) == "fine"
    assert "Range" not in server.seen[1][1]


def test_a_server_that_ignores_ranges(bench: Bench, server: Server) -> None:
    server.script = [drop(100_000), lambda handler: handler.send(CONTENT, ETag='"v1"')]
    assert bench.get(spec_of(server.url())) == "fine"


def test_a_missing_file_is_not_asked_for_again_but_the_mirror_is(
    bench: Bench, server: Server, other_server: Server
) -> None:
    server.script = [status(404)]
    assert bench.get(spec_of(server.url())) == "download-failed"
    assert len(server.seen) == 1
    assert bench.get(spec_of(server.url(), other_server.url())) == "fine"
    assert len(other_server.seen) == 1


def test_servers_that_are_busy_are_asked_again(bench: Bench, server: Server) -> None:
    server.script = [status(500), status(503, Retry_After=7), whole()]
    assert bench.get(spec_of(server.url())) == "fine"
    assert sum(bench.slept) == pytest.approx(0.5 + 7)


def test_a_server_that_is_not_there(bench: Bench, server: Server) -> None:
    gone = Server()
    url = gone.url()
    gone.server_close()
    assert bench.get(spec_of(url)) == "download-failed"
    assert sum(bench.slept) == pytest.approx(0.5 + 1 + 2)
    assert bench.get(spec_of(url, server.url())) == "fine"


def test_a_flipped_byte_is_deleted_and_the_same_bytes_not_loaded_again(
    bench: Bench, server: Server, other_server: Server
) -> None:
    server.script = [whole(FLIPPED)]
    assert bench.get(spec_of(server.url())) == "bad-hash"
    assert len(server.seen) == 1
    assert not bench.part.exists()
    assert bench.get(spec_of(server.url(), other_server.url())) == "fine"
    assert len(server.seen) == 2


def test_a_bad_file_says_more_than_a_mirror_that_is_away(
    bench: Bench, server: Server, other_server: Server
) -> None:
    server.script, other_server.script = [whole(FLIPPED)], [status(404)]
    assert bench.get(spec_of(server.url(), other_server.url())) == "bad-hash"


@pytest.mark.parametrize("after", [0, 50_000])
def test_a_silent_server_is_given_up_after_the_limit(
    bench: Bench, server: Server, after: int
) -> None:
    bench.stall_s = 0.3
    server.script = [stall(after, head=after > 0), whole()]
    start = time.monotonic()
    assert bench.get(spec_of(server.url())) == "fine"
    assert 0.25 < time.monotonic() - start < 2
    assert server.seen[1][1].get("Range") == (f"bytes={after}-" if after else None)


@pytest.mark.parametrize("where", ["head", "body", "waiting"])
def test_a_cancel_takes_effect_within_half_a_second(
    bench: Bench, server: Server, where: str
) -> None:
    token = CancelToken()
    cancelled_at: list[float] = []

    def cancel() -> None:
        cancelled_at.append(time.monotonic())
        token.cancel()

    server.script = [
        {"head": stall(0, head=False), "body": stall(50_000), "waiting": status(503)}[where]
    ]
    if where == "waiting":
        bench.slept = Sleeper()
    threading.Timer(0.3, cancel).start()
    assert bench.get(spec_of(server.url()), token) == Cancelled().code
    assert time.monotonic() - cancelled_at[0] < 0.5
    server.script = [whole()]
    server.released.set()
    assert bench.get(spec_of(server.url())) == "fine"
    if where == "body":
        assert server.seen[-1][1]["Range"] == "bytes=50000-"
