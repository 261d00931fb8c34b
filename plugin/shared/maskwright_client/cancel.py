"""Stopping work with the engine that another thread no longer wants."""

from __future__ import annotations

import contextlib
import socket
import threading

from maskwright_client.errors import Cancelled


class CancelSwitch:
    """Handed to every call that may take long; good for one piece of work.

    `cancel` may be called from any thread, any number of times, and never waits for the work. It
    shuts the sockets down on which the work waits, so that the work wakes up, tells the engine in
    its own thread and raises Cancelled.
    """

    def __init__(self) -> None:
        # Re-entrant, as a signal handler may cancel in the thread that is just attaching a socket.
        self._lock = threading.RLock()
        self._flag = threading.Event()
        self._sockets: list[socket.socket] = []

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to stop."""
        return self._flag.is_set()

    def cancel(self) -> None:
        """Ask the work to stop, and wake it."""
        with self._lock:
            self._flag.set()
            for sock in self._sockets:
                _shut(sock)

    def check(self) -> None:
        """Raise Cancelled if somebody asked to stop."""
        if self._flag.is_set():
            raise Cancelled

    def pause(self, seconds: float) -> None:
        """Wait, or raise Cancelled as soon as somebody asks to stop."""
        if self._flag.wait(seconds):
            raise Cancelled

    def attach(self, sock: socket.socket) -> None:
        """Wake whoever waits on this socket when the work is cancelled."""
        with self._lock:
            self.check()
            self._sockets.append(sock)

    def detach(self, sock: socket.socket) -> None:
        """Forget a socket, before it is closed: its number may soon be somebody else's."""
        with self._lock, contextlib.suppress(ValueError):
            self._sockets.remove(sock)


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # not connected yet, or not any more
        sock.shutdown(socket.SHUT_RDWR)
