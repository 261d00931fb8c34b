"""Keeps a process on this machine: a test whose code tries to leave it fails."""

import sys
from typing import Any

_ASKING = frozenset({"socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind"})
_HERE = frozenset({"127.0.0.1", "localhost", "::1", ""})


class LeftTheMachine(BaseException):
    """No `except Exception` may hide it."""


def only_loopback() -> None:
    """From now on, for the whole life of this process, other addresses are an error."""
    sys.addaudithook(_check)


def _check(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _ASKING:
        return
    host = arguments[0] if event == "socket.getaddrinfo" else _host(arguments[1])
    if host is not None and host not in _HERE:
        raise LeftTheMachine(f"{event} {host}")


def _host(address: object) -> object:
    """The host of an IP address; None for the other kinds, which stay on the machine."""
    return address[0] if isinstance(address, tuple) and address else None
