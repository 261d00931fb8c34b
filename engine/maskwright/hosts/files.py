"""What the plug-ins are made of, and how one file of them is put in its place."""

import os
import tempfile
from pathlib import Path

from .host import PLUGIN

GIMP_SCRIPT = f"{PLUGIN}.py"


def gimp_parts(plugins: Path) -> dict[str, Path]:
    """The files of GIMP's plug-in: the place in its folder, `/` between names, and the source.

    `plugins` has the sources, as the folder `plugin` of the repository does. Everything in `shared`
    goes beside the script, which comes last: without it GIMP does not see the rest.
    """
    found = {
        path.relative_to(base).as_posix(): path
        for base in (plugins / "gimp" / PLUGIN, plugins / "shared")
        for path in sorted(base.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    return dict(sorted(found.items(), key=lambda item: item[0] == GIMP_SCRIPT))


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
