"""Debian's package format: an `ar` archive of two tar archives, deb(5)."""

import io
import lzma
import tarfile
from collections.abc import Iterable
from pathlib import Path

_MAGIC = b"!<arch>\n"
_VERSION = b"2.0\n"


def write(
    target: Path, control: Path, data: Path, shared: Iterable[str], when: int, level: int
) -> None:
    """Write a package, whole or not at all.

    control, data: folders with dpkg's files, and with those to install. shared: folders in `data`
    that belong to the system and get no entry. when: the time of everything, in seconds. level:
    xz's, 0..9.
    """
    members = {
        "debian-binary": _VERSION,
        "control.tar.xz": _packed(control, (), when, level),
        "data.tar.xz": _packed(data, shared, when, level),
    }
    unfinished = target.with_name(f"{target.name}.new")
    with unfinished.open("wb") as file:
        file.write(_MAGIC)
        for name, content in members.items():
            head = f"{name:<16}{when:<12}{0:<6}{0:<6}{0o100644:<8o}{len(content):<10}`\n"
            file.write(head.encode("ascii") + content + b"\n" * (len(content) % 2))
    unfinished.replace(target)


def _packed(folder: Path, left_out: Iterable[str], when: int, level: int) -> bytes:
    """A folder as tar.xz: sorted, everything root's; dpkg does not know pax's format."""

    def settled(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        info.uid = info.gid = 0
        info.uname = info.gname = "root"
        info.mtime = when
        return info

    buffer = io.BytesIO()
    with (
        lzma.open(buffer, "w", preset=level) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for path in (folder, *sorted(folder.rglob("*"))):
            name = path.relative_to(folder).as_posix()
            if name not in left_out:
                inside = "./" if name == "." else f"./{name}"
                archive.add(path, inside, recursive=False, filter=settled)
    return buffer.getvalue()
