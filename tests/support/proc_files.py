"""What Linux says of a process: whether it lives, its children, its memory, files and threads."""

import contextlib
import os
from pathlib import Path

_ESTABLISHED, _CLOSE_WAIT = "01", "08"
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def is_alive(pid: int) -> bool:
    """Whether it still runs; one that has ended and was not waited for does not."""
    fields = _stat(pid)
    return bool(fields) and fields[0] not in ("Z", "X")


def descendants(pid: int) -> list[int]:
    """Its children, and theirs."""
    found = []
    for task in _entries(pid, "task"):
        for child in _read(pid, f"task/{task}/children").split():
            found += [int(child), *descendants(int(child))]
    return found


def network_process(engine: int) -> int | None:
    """The process in which an engine runs networks, once there is one."""
    children = [pid for pid in descendants(engine) if "spawn_main" in _read(pid, "cmdline")]
    return next((pid for pid in children if is_alive(pid)), None)


def resident_kib(pid: int) -> int:
    """The memory that it has now."""
    return _status_kib(pid, "VmRSS")


def peak_kib(pid: int) -> int:
    """The most memory that it ever had, or since `forget_peak`."""
    return _status_kib(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Begin anew with `peak_kib`."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def open_files(pid: int) -> list[str]:
    """What its file descriptors stand for."""
    found = []
    for handle in _entries(pid, "fd"):
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(f"/proc/{pid}/fd/{handle}"))
    return found


def threads(pid: int) -> int:
    """How many it has."""
    return len(_entries(pid, "task"))


def cpu_s(pid: int) -> float:
    """The processor time that it has used."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND if fields else 0.0


def connections(port: int) -> int:
    """How many this machine's process has open that listens on that port of 127.0.0.1."""
    lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines())
    return sum(
        words[1] == f"0100007F:{port:04X}" and words[3] in (_ESTABLISHED, _CLOSE_WAIT)
        for words in lines
    )


def _stat(pid: int) -> list[str]:
    """The fields after the name, which may have anything in it."""
    return _read(pid, "stat").rpartition(")")[2].split()


def _status_kib(pid: int, name: str) -> int:
    lines = (line.split() for line in _read(pid, "status").splitlines())
    return next((int(words[1]) for words in lines if words[0] == f"{name}:"), 0)


def _read(pid: int, name: str) -> str:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    return ""


def _entries(pid: int, name: str) -> list[str]:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return os.listdir(f"/proc/{pid}/{name}")
    return []
