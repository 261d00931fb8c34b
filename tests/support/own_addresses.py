"""This machine's addresses beside 127.0.0.1, and what listens on them."""

import subprocess
import sys
from pathlib import Path

from proc_files import open_files

LOOPBACK_TOO = "127.0.0.2"

# Without the guard of the tests, which would not let a test look there.
_PROBE = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 5).close()
except OSError as error:
    sys.exit(type(error).__name__)
"""


def other_addresses() -> list[str]:
    """Those that others can reach, as far as the system tells, and another one on the loopback."""
    try:
        told = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return [LOOPBACK_TOO]
    return [*told.stdout.split(), LOOPBACK_TOO]


def attempt(address: str, port: int) -> str:
    """Try to connect; empty if that worked, else the error's name."""
    command = [sys.executable, "-I", "-c", _PROBE, address, str(port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.stderr.strip()


def listeners(pid: int) -> list[tuple[str, int]]:
    """Address, in hexadecimal, and port of each socket on which a process waits (Linux)."""
    inodes = {name.removeprefix("socket:[").removesuffix("]") for name in open_files(pid)}
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        rows = [line.split() for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
        for row in rows:
            address, _, port = row[1].partition(":")
            waits = row[3] == "0A" or table.startswith("udp")
            if row[9] in inodes and waits:
                found.append((address, int(port, 16)))
    return found
