"""What a process asks of the network, as the system sees it: by strace, with all its children."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

STRACE = shutil.which("strace")

_INTERNET = re.compile(
    r"^\d+ +(\w+)\(.*?\bsa_family=AF_INET6?,.*?(?:inet_addr\(|inet_pton\(AF_INET6, )\"([^\"]+)\""
)
_ASKING = ("connect", "bind", "sendto", "sendmsg", "sendmmsg")


def traced(command: Sequence[str], record: Path) -> list[str]:
    """The command, whose network calls go to `record`; the process itself stays a direct child."""
    assert STRACE is not None
    return [STRACE, "-D", "-f", "-qq", "-e", "trace=%network", "-o", str(record), *command]


def destinations(record: Path) -> set[tuple[str, str]]:
    """The calls that name an internet address as where to go, and the address."""
    found = set()
    for line in record.read_text(errors="replace").splitlines():
        call = _INTERNET.match(line)
        if call and call[1] in _ASKING:
            found.add((call[1], call[2]))
    return found
