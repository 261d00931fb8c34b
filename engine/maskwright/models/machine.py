"""What this process may really use: processor cores and memory, also inside a container.

Numbers that the machine as a whole has are often not for us: a container's control group (cgroup)
caps both, and a process can be bound to some cores. Kernel documentation: cgroup-v2.rst (cpu.max,
memory.max, memory.current) and cgroup-v1 (cpu.cfs_quota_us, memory.limit_in_bytes).
"""

import math
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

_MEBI = 1 << 20


def usable_cores(
    root: Path = Path("/"), allowed: Callable[[], set[int]] | None = None
) -> int | None:
    """How many cores a computation should use; None where only onnxruntime can tell (not Linux).

    Two hardware threads of one core count once: they share the arithmetic units that a network
    keeps busy.
    """
    if sys.platform != "linux" and allowed is None:
        return None
    processors = (allowed or _allowed_processors)()
    siblings = {_siblings(root, number) for number in processors}
    quota = _cpu_quota(root)
    cores = len(siblings) if quota is None else min(len(siblings), math.ceil(quota))
    return max(1, cores)


def available_memory(root: Path = Path("/")) -> int | None:
    """Bytes that can be had without pushing others out; None where the system does not say."""
    figures = [
        figure for figure in (_machine_memory(root), _group_memory(root)) if figure is not None
    ]
    return max(0, min(figures)) if figures else None


def give_back_memory() -> None:
    """Let the C library return what was freed to the system.

    glibc keeps what loading a model needed for itself: 200 MiB with a 170 MiB file.
    """
    if sys.platform != "linux":
        return
    import ctypes  # here: only this needs it

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
    if trim is not None:
        trim(0)


def _allowed_processors() -> set[int]:
    affinity = getattr(os, "sched_getaffinity", None)
    return set(affinity(0)) if affinity else set(range(os.cpu_count() or 1))


def _siblings(root: Path, processor: int) -> str:
    """The hardware threads of that processor's core, as the kernel names them."""
    topology = root / f"sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list"
    return _text(topology) or str(processor)


def _cpu_quota(root: Path) -> float | None:
    """Cores' worth of time that the groups around this process may use; None without a limit."""
    limits = []
    for folder in _groups(root, "cpu"):
        words = _text(folder / "cpu.max").split()
        if len(words) != 2:
            words = [_text(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period")]
        quota, period = (_number(word) for word in words)
        if quota is not None and period:
            limits.append(quota / period)
    return min(limits, default=None)


def _machine_memory(root: Path) -> int | None:
    for line in _text(root / "proc/meminfo").splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            kibibytes = _number(value.split()[0])
            return None if kibibytes is None else kibibytes * 1024
    return None


def _group_memory(root: Path) -> int | None:
    """What is left in the tightest group around this process; its file cache counts as free."""
    left = []
    for folder in _groups(root, "memory"):
        limit = _number(_text(folder / "memory.max"), _text(folder / "memory.limit_in_bytes"))
        used = _number(_text(folder / "memory.current"), _text(folder / "memory.usage_in_bytes"))
        if limit is not None and used is not None:
            left.append(limit - used + _file_cache(folder))
    return min(left, default=None)


def _file_cache(folder: Path) -> int:
    for line in _text(folder / "memory.stat").splitlines():
        name, _, value = line.partition(" ")
        if name in ("inactive_file", "total_inactive_file"):
            return _number(value) or 0
    return 0


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of this process's control groups, inner to outer, version 2 and version 1."""
    mount = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        base = mount / controllers if controllers else mount
        group = PurePosixPath(path.lstrip("/"))
        for inner in (group, *group.parents):
            yield base / inner


def _number(*texts: str) -> int | None:
    """The first text that is a number of zero or more; "max" and -1 mean that there is no limit."""
    return next((int(text) for text in texts if text.isdecimal()), None)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def mebibytes(count: float) -> str:
    """A number of bytes for people."""
    return f"{count / _MEBI:,.0f} MB"
