"""How files are looked at, put in their places, and put aside."""

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from .host import PLUGIN
from .parts import GIMP_SCRIPT


def plain(path: Path) -> bytes:
    """What is in a file; line ends may be another system's."""
    return path.read_bytes().replace(b"\r\n", b"\n")


def entries(folder: Path) -> list[Path]:
    """What is in a folder; nothing if it cannot be read."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def is_there(path: Path) -> bool:
    """Whether there is anything of that name, if only a link to nowhere."""
    return path.is_symlink() or path.exists()


def may_be_written(folder: Path) -> bool:
    """Whether files may be put into a folder, which perhaps must be made first."""
    there = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    return os.access(there, os.W_OK)


def replace_file(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write `path` under another name beside it first, so that it is never half there."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_parts(folder: Path, parts: Mapping[str, Path]) -> None:
    """Write files to their places in a folder; `parts` as in the module of that name."""
    for name, source in parts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, source.read_bytes(), 0o755 if name == GIMP_SCRIPT else 0o644)


def put_folder(own: Path, parts: Mapping[str, Path], *instead_of: Path) -> list[Path]:
    """Have a folder with just these parts; what is there, or in `instead_of`, is put aside.

    Returns what that is called now.
    """
    own.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=own.parent, prefix=f".{PLUGIN}-") as hidden:
        made = Path(hidden, PLUGIN)
        write_parts(made, parts)
        kept = put_aside(dict.fromkeys((own, *instead_of)))
        made.replace(own)
    return kept


def put_aside(paths: Iterable[Path]) -> list[Path]:
    """Give what is there, or a link to it, a name under which editors pass it over.

    Returns what it is called now.
    """
    return [_put_aside(path) for path in paths if is_there(path)]


def _put_aside(path: Path) -> Path:
    number, free = 1, path.with_name(f"{path.name}.old")
    while is_there(free):
        number += 1
        free = path.with_name(f"{path.name}.old-{number}")
    return path.rename(free)
