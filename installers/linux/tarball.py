"""The download for one user: the frozen engine with a script that installs it."""

import io
import lzma
import platform
import tarfile
from collections.abc import Mapping
from pathlib import Path

from frozen.freeze import INTERNAL, PAPERS
from linux.glibc import oldest_glibc
from plan import Plan

_HERE = Path(__file__).resolve().parent
_LONG_AGO = 315532800  # the start of 1980, as in the ZIPs
_BEST = 6  # higher levels take twice as long and more memory to unpack, and win 1 %


def build(plan: Plan, preset: int = _BEST) -> Path:
    """Make `maskwright-VERSION-linux-MACHINE.tar.xz`, whole or not at all.

    One folder, sorted entries, no owner and no times; links stay links. `preset` is xz's.
    """
    machine = platform.machine()
    name = f"maskwright-{plan.version}-linux-{machine}"
    target = plan.out / f"{name}.tar.xz"
    unfinished = plan.out / f"{target.name}.new"
    with (
        lzma.open(unfinished, "wb", preset=preset) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        _add_folder(archive, name)
        facts = {
            "@VERSION@": plan.version,
            "@MACHINE@": machine,
            "@GLIBC@": oldest_glibc(plan.engine, plan.shell),
        }
        _add_text(archive, name, "README.txt", facts)
        _add_text(archive, name, "install.sh", facts)
        _add(archive, plan.engine / INTERNAL / PAPERS, name)
        _add_folder(archive, f"{name}/engine")
        _add(archive, plan.engine, f"{name}/engine")
    return unfinished.replace(target)


def _add_text(archive: tarfile.TarFile, inside: str, name: str, facts: Mapping[str, str]) -> None:
    """Add a file that is beside this one, with facts in the place of their names."""
    text = (_HERE / name).read_text(encoding="utf-8")
    for placeholder, fact in facts.items():
        text = text.replace(placeholder, fact)
    content = text.encode()
    info = tarfile.TarInfo(f"{inside}/{name}")
    info.mtime, info.size = _LONG_AGO, len(content)
    info.mode = 0o755 if name.endswith(".sh") else 0o644
    archive.addfile(info, io.BytesIO(content))


def _add(archive: tarfile.TarFile, folder: Path, inside: str) -> None:
    """Add everything in a folder, a folder before what is in it."""
    for path in sorted(folder.rglob("*")):
        archive.add(path, f"{inside}/{path.relative_to(folder)}", recursive=False, filter=_nobodys)


def _add_folder(archive: tarfile.TarFile, name: str) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o755, _LONG_AGO
    archive.addfile(info)


def _nobodys(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = _LONG_AGO
    return info
