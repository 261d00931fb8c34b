"""Which files the editors' plug-ins are made of, and where they go in each editor."""

import importlib.util
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from manifest import Manifest, Placement

CHECKOUT = Path(__file__).resolve().parent.parent


def _hosts_module() -> ModuleType:
    """The engine's `hosts.py` alone: the rest of the engine is not installed yet, or broken."""
    spec = importlib.util.spec_from_file_location(
        "maskwright_hosts", CHECKOUT / "engine" / "maskwright" / "hosts.py"
    )
    if spec is None or spec.loader is None:
        raise ImportError("hosts.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    from maskwright import hosts as editors
else:
    editors = _hosts_module()

Host = editors.Host
HostKind = editors.HostKind
PLUGIN = editors.PLUGIN
Hosts = list[Host]

_GIMP = CHECKOUT / "plugin" / "gimp" / PLUGIN
_CLIENT = CHECKOUT / "plugin" / "shared"
_GIMP_FOLDER = "plug-ins"


def files_for(host: Host) -> dict[Path, Path]:
    """What goes into a host's plug-in folder: the place there, and the file in the checkout.

    Nothing before GIMP's first start: it takes a settings folder that is there for a used one, and
    would not bring the settings of an older GIMP over.
    """
    folder = host.plugin_folder
    if host.kind is not HostKind.gimp or folder is None or not folder.parent.is_dir():
        return {}  # Krita's plug-in does not exist yet
    target = folder / PLUGIN
    return {
        target / path.relative_to(base): path
        for base in (_GIMP, _CLIENT)
        for path in _sources(base)
    }


def placements(hosts: Hosts, known: Manifest) -> Iterator[Placement]:
    """Every file of the plug-ins; a host where something else is in their place is left out."""
    for host in hosts:
        files = files_for(host)
        if any(path.exists() and not known.owns(path) for path in files):
            continue
        for path, source in files.items():
            executable = source.name == f"{PLUGIN}.py"
            yield Placement(path, source.read_bytes(), executable=executable)


def describe(hosts: Hosts, known: Manifest) -> Iterator[str]:
    """A sentence for each host: what became of its plug-in."""
    for host in hosts:
        if host.kind is not HostKind.gimp:
            continue
        name = f"GIMP {host.version or 3}"
        files = files_for(host)
        if not files:
            yield f"{name}: start it once, then run the installer again for its plug-in."
        elif any(path.exists() and not known.owns(path) for path in files):
            yield f"{name}: {host.plugin_folder} has another plug-in of that name; left alone."
        else:
            yield f"{name}: Filters > Remove Background, after its next start."


def obsolete(known: Manifest, wanted: Mapping[str, Placement]) -> list[Path]:
    """Files of earlier plug-ins that this one does not have."""
    return [
        path
        for path in map(Path, known.placed)
        if str(path) not in wanted and _is_plugin_file(path) and known.owns(path)
    ]


def caches(known: Manifest) -> set[Path]:
    """Where an editor's Python keeps what it compiled of our files."""
    folders = {Path(path).parent for path in known.placed if _is_plugin_file(Path(path))}
    return {folder / "__pycache__" for folder in folders}


def find(home: Path, environ: Mapping[str, str]) -> Hosts:
    """The editors of this user."""
    return editors.find_hosts(home, environ)


def _is_plugin_file(path: Path) -> bool:
    parts = path.parts
    return any(pair == (_GIMP_FOLDER, PLUGIN) for pair in pairwise(parts))


def _sources(base: Path) -> list[Path]:
    files = (path for path in base.rglob("*") if path.is_file())
    return sorted(path for path in files if "__pycache__" not in path.parts)
