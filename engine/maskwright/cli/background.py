"""Work that Ctrl+C and SIGTERM stop in the middle of a network run."""

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from maskwright.cancel import CancelToken

T = TypeVar("T")

# A wait without a limit cannot be interrupted on Windows; elsewhere the length does not matter.
_POLL_S = 0.1


def run_stoppable(work: Callable[[CancelToken], T]) -> T:
    """Run `work` in a thread of its own, and cancel its token on SIGINT or SIGTERM.

    Python runs signal handlers in the main thread, between two byte codes: were the main thread
    inside a network run or an encoder, a Ctrl+C would wait for its end. The second signal ends the
    process the hard way. Returns what `work` returns and raises what it raises.
    """
    token = CancelToken()
    with _cancelling(token):
        future = _start(lambda: work(token))
        while not future.done():
            wait([future], timeout=_POLL_S)
        return future.result()


def _start(work: Callable[[], T]) -> Future[T]:
    """Start `work` in a thread that never keeps a dying process alive."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # raised again where the result is asked for
            future.set_exception(error)

    threading.Thread(target=run, name="maskwright-work", daemon=True).start()
    return future


@contextmanager
def _cancelling(token: CancelToken) -> Iterator[None]:
    """Route SIGINT and SIGTERM to `token` while the body runs; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(signum: int, _frame: FrameType | None) -> None:
        if token.cancelled:
            signal.signal(signum, signal.SIG_DFL)
            signal.raise_signal(signum)
        token.cancel()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
