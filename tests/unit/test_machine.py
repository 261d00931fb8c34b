from pathlib import Path

import pytest
from maskwright.models.machine import available_memory, usable_cores

GIB = 1 << 30


def grow(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


def cores(root: Path, *allowed: int) -> int | None:
    return usable_cores(root, lambda: set(allowed))


def test_this_machine_has_a_core_and_memory() -> None:
    assert (usable_cores() or 1) >= 1
    free = available_memory()
    assert free is None or free > 0


def test_only_the_allowed_processors_count(tmp_path: Path) -> None:
    assert cores(tmp_path, 0, 1, 2, 3) == 4
    assert cores(tmp_path, 2) == 1


def test_two_threads_of_one_core_count_once(tmp_path: Path) -> None:
    for number in range(4):
        name = f"sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list"
        grow(tmp_path, {name: f"{number % 2},{number % 2 + 2}\n"})
    assert cores(tmp_path, 0, 1, 2, 3) == 2
    assert cores(tmp_path, 0, 2) == 1


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("max 100000", 8), ("200000 100000", 2), ("150000 100000", 2), ("10000 100000", 1)],
)
def test_the_quota_of_a_container(tmp_path: Path, limit: str, expected: int) -> None:
    grow(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": limit})
    assert cores(tmp_path, *range(8)) == expected


def test_the_tightest_group_around_counts(tmp_path: Path) -> None:
    grow(
        tmp_path,
        {
            "proc/self/cgroup": "0::/user/app\n",
            "sys/fs/cgroup/user/app/cpu.max": "max 100000",
            "sys/fs/cgroup/user/cpu.max": "300000 100000",
        },
    )
    assert cores(tmp_path, *range(8)) == 3


@pytest.mark.parametrize(("quota", "expected"), [("-1", 8), ("250000", 3)])
def test_the_older_kind_of_groups(tmp_path: Path, quota: str, expected: int) -> None:
    folder = "sys/fs/cgroup/cpu,cpuacct/docker/abc"
    grow(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/\n3:cpu,cpuacct:/docker/abc\n",
            f"{folder}/cpu.cfs_quota_us": quota,
            f"{folder}/cpu.cfs_period_us": "100000",
        },
    )
    assert cores(tmp_path, *range(8)) == expected


MEMINFO = {"proc/meminfo": f"MemTotal: 99 kB\nMemAvailable:    {8 * GIB // 1024} kB\n"}


def test_the_machines_memory(tmp_path: Path) -> None:
    assert available_memory(tmp_path) is None
    grow(tmp_path, MEMINFO)
    assert available_memory(tmp_path) == 8 * GIB


@pytest.mark.parametrize(
    ("limit", "expected"), [("max", 8 * GIB), (str(4 * GIB), 2 * GIB), (str(GIB), 0)]
)
def test_a_containers_memory_with_its_file_cache(tmp_path: Path, limit: str, expected: int) -> None:
    grow(
        tmp_path,
        MEMINFO
        | {
            "proc/self/cgroup": "0::/box\n",
            "sys/fs/cgroup/box/memory.max": limit,
            "sys/fs/cgroup/box/memory.current": str(3 * GIB),
            "sys/fs/cgroup/box/memory.stat": f"anon 1\ninactive_file {GIB}\n",
        },
    )
    assert available_memory(tmp_path) == expected


def test_memory_in_the_older_kind_of_groups(tmp_path: Path) -> None:
    grow(
        tmp_path,
        MEMINFO
        | {
            "proc/self/cgroup": "4:memory:/box\n",
            "sys/fs/cgroup/memory/box/memory.limit_in_bytes": str(2 * GIB),
            "sys/fs/cgroup/memory/box/memory.usage_in_bytes": str(GIB),
            "sys/fs/cgroup/memory/box/memory.stat": "total_inactive_file 1024\n",
        },
    )
    assert available_memory(tmp_path) == GIB + 1024
