"""Which files the editors' plug-ins are made of, and where they go in each editor."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from engine_hosts import hosts as editors
from manifest import Manifest, Placement

SOURCES = Path(__file__).resolve().parent.parent / "plugin"
Hosts = list[editors.Host]


def files_for(host: editors.Host, sources: Path = SOURCES) -> dict[Path, Path]:
    """What goes into a host's plug-in folder: the place there, and the file in `sources`.

    Nothing before GIMP's first start: see `Host.has_settings`.
    """
    folder = host.plugin_folder
    if host.kind is not editors.HostKind.gimp or folder is None or not host.has_settings:
        return {}  # Krita's plug-in does not exist yet
    parts = editors.gimp_parts(sources)
    return {folder / editors.PLUGIN / name: source for name, source in parts.items()}


def placements(hosts: Hosts, known: Manifest) -> Iterator[Placement]:
    """Every file of the plug-ins; a host where something else is in their place is left out.

    Flatpak's own settings get one even if they are hidden: the user may take the permission away.
    """
    for host in hosts:
        files = files_for(host)
        if _is_taken(files, known):
            continue
        for path, source in files.items():
            executable = path.name == editors.GIMP_SCRIPT
            yield Placement(path, source.read_bytes(), executable=executable)


def describe(hosts: Hosts, known: Manifest) -> Iterator[str]:
    """A sentence for each host: what became of its plug-in."""
    for host in hosts:
        if host.kind is not editors.HostKind.gimp or not host.in_use:
            continue
        name = f"GIMP {host.version or 3}"
        files = files_for(host)
        if not files:
            yield f"{name}: start it once, then run the installer again for its plug-in."
        elif not _is_taken(files, known):
            yield f"{name}: Filters > Remove Background, after its next start."
        elif editors.examine(host, hosts, SOURCES).state is editors.PluginState.foreign:
            yield f"{name}: {host.plugin_folder} has another plug-in of that name; left alone."
        else:
            yield (
                f"{name}: {host.plugin_folder} has files of this plug-in that the installer did "
                "not place; left alone, run `maskwright doctor --repair` to mend it."
            )


def adopted(known: Manifest, hosts: Hosts, sources: Path) -> Manifest:
    """The record with plug-ins that somebody else has put there exactly as we would.

    The doctor does so, and GIMP when it takes over the settings of an older one. `sources` are
    those of the installation that is there.
    """
    for host in hosts:
        files = files_for(host, sources)
        new = [path for path in files if not known.owns(path)]
        if new and all(_is_copy(path, source) for path, source in files.items()):
            placed = {**known.placed, **{str(path): _sha256(path) for path in new}}
            folders = dict.fromkeys((*known.made_folders, *(str(path.parent) for path in files)))
            known = replace(known, placed=placed, made_folders=tuple(folders))
    return known


def obsolete(known: Manifest, wanted: Mapping[str, Placement]) -> list[Path]:
    """Files of earlier plug-ins that this one, where it is placed, does not have."""
    placed = _plugin_folders(map(Path, wanted))
    return [
        path
        for path in _plugin_files(known)
        if str(path) not in wanted and placed.intersection(path.parents) and known.owns(path)
    ]


def caches(known: Manifest) -> set[Path]:
    """Where an editor's Python keeps what it compiled of our files."""
    return {path.parent / "__pycache__" for path in _plugin_files(known)}


def find(home: Path, environ: Mapping[str, str]) -> Hosts:
    """The editors of this user."""
    return editors.find_hosts(home, environ)


def _plugin_files(known: Manifest) -> list[Path]:
    folders = _plugin_folders(map(Path, known.placed))
    return [path for path in map(Path, known.placed) if folders.intersection(path.parents)]


def _plugin_folders(paths: Iterable[Path]) -> set[Path]:
    return {path.parent for path in paths if path.name == editors.GIMP_SCRIPT}


def _is_taken(files: Mapping[Path, Path], known: Manifest) -> bool:
    return any(path.exists() and not known.owns(path) for path in files)


def _is_copy(path: Path, source: Path) -> bool:
    is_file = path.is_file() and not path.is_symlink()
    return is_file and path.read_bytes() == source.read_bytes()


def _sha256(path: Path) -> tuple[str]:
    return (hashlib.sha256(path.read_bytes()).hexdigest(),)
