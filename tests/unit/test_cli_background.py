"""Ctrl+C and SIGTERM reach work that is in the middle of something."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from maskwright.cli.background import run_stoppable
from maskwright.errors import Cancelled
from own_process import environment


def test_the_result_comes_back_and_so_does_what_is_raised():
    assert run_stoppable(lambda cancel: cancel.cancelled) is False
    with pytest.raises(ZeroDivisionError):
        run_stoppable(lambda cancel: 1 // int(cancel.cancelled))


def test_an_exception_that_is_a_timeout_is_no_endless_wait():
    def work(_cancel):
        raise TimeoutError

    with pytest.raises(TimeoutError):
        run_stoppable(work)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_the_token_and_interrupts_the_step(number):
    interrupted = threading.Event()

    def work(cancel):
        with cancel.interrupting(interrupted.set):
            os.kill(os.getpid(), number)
            assert interrupted.wait(5)
        cancel.check()

    before = signal.getsignal(number)
    with pytest.raises(Cancelled):
        run_stoppable(work)
    assert signal.getsignal(number) is before


def test_it_works_where_signals_cannot_be_caught():
    results = []
    thread = threading.Thread(target=lambda: results.append(run_stoppable(lambda _: 7)))
    thread.start()
    thread.join()
    assert results == [7]


def test_the_second_signal_ends_the_process():
    code = (
        "import threading, sys\n"
        "from maskwright.cli.background import run_stoppable\n"
        "def work(cancel):\n"
        "    with cancel.interrupting(lambda: print('heard', flush=True)):\n"
        "        print('ready', flush=True)\n"
        "        threading.Event().wait()\n"
        "run_stoppable(work)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment(), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == b"heard\n"
        time.sleep(0.05)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == -signal.SIGINT
