"""What the plug-ins are made of: the place of each file, and its source.

The sources are a folder like `plugin` of the repository. Places have `/` between names.
"""

from collections.abc import Iterator
from pathlib import Path

from .host import PLUGIN

GIMP_SCRIPT = f"{PLUGIN}.py"
KRITA_DESKTOP = f"{PLUGIN}.desktop"


def gimp_parts(plugins: Path) -> dict[str, Path]:
    """The files of GIMP's plug-in, by their places in its folder.

    Everything in `shared` goes beside the script, which comes last: without it GIMP does not see
    the rest.
    """
    found = dict(_files(plugins / "gimp" / PLUGIN, plugins / "shared"))
    return dict(sorted(found.items(), key=lambda item: item[0] == GIMP_SCRIPT))


def krita_parts(plugins: Path) -> dict[str, Path]:
    """The files of Krita's plug-in, by their places in its resource folder.

    Last comes what Krita finds the rest by. Nothing where the sources are not complete.
    """
    krita = plugins / "krita"
    inside = _files(krita / PLUGIN, plugins / "shared")
    found = {f"pykrita/{PLUGIN}/{name}": path for name, path in inside}
    found[f"actions/{PLUGIN}.action"] = krita / f"{PLUGIN}.action"
    found[f"pykrita/{KRITA_DESKTOP}"] = krita / KRITA_DESKTOP
    return found if all(path.is_file() for path in found.values()) else {}


def _files(*bases: Path) -> Iterator[tuple[str, Path]]:
    for base in bases:
        for path in sorted(base.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(base).as_posix(), path
