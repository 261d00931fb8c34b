"""Which files the editors' plug-ins are made of, and where they go in each editor."""

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from maskwright import hosts as editors
from maskwright.setup import manifest as record
from maskwright.setup.manifest import Manifest, Placement

Hosts = list[editors.Host]

_LOOSE = (editors.KRITA_DESKTOP, f"{editors.PLUGIN}.action")


def sources_here() -> Path:
    """The folder with the plug-ins' sources: in the installed engine, else in the checkout."""
    engine = Path(__file__).resolve().parents[1]
    installed = engine / "plugin"
    return installed if installed.is_dir() else engine.parents[1] / "plugin"


def files_for(host: editors.Host, sources: Path) -> dict[Path, Path]:
    """What goes into an editor's folders: the place there, and the file in `sources`.

    Nothing before GIMP's first start, see `Host.has_settings`; Krita takes what is there before its
    own. Nothing for a Krita in which it does not work, or where a package of the system has put it.
    """
    folder = host.plugin_folder
    if folder is None or editors.is_too_old(host) or editors.system_plug_in(host, sources):
        return {}
    if host.kind is editors.HostKind.krita:
        parts = editors.krita_parts(sources)
        return {folder.parent / name: source for name, source in parts.items()}
    parts = editors.gimp_parts(sources) if host.has_settings else {}
    return {folder / editors.PLUGIN / name: source for name, source in parts.items()}


def placements(hosts: Hosts, known: Manifest, sources: Path) -> Iterator[Placement]:
    """Every file of the plug-ins; a host where something else is in their place is left out.

    Flatpak's own settings get one even if they are hidden: the user may take the permission away.
    """
    for host in hosts:
        files = files_for(host, sources)
        if _is_taken(files, known):
            continue
        for path, source in files.items():
            executable = path.name == editors.GIMP_SCRIPT
            yield Placement(path, source.read_bytes(), executable=executable)


def to_switch_on(hosts: Hosts, known: Manifest, sources: Path) -> list[Path]:
    """Settings of Krita where nobody has said yet whether the plug-in is to be used."""
    found = []
    for host in hosts:
        settings, files = host.settings_file, files_for(host, sources)
        if host.kind is not editors.HostKind.krita or settings is None:
            continue
        is_there = editors.system_plug_in(host, sources) or (files and not _is_taken(files, known))
        if is_there and editors.is_switched_on(settings) is None:
            found.append(settings)
    return found


def describe(hosts: Hosts, known: Manifest, sources: Path) -> Iterator[str]:
    """A sentence for each editor: what became of its plug-in."""
    for host in hosts:
        if host.in_use:
            yield f"{_name(host)}: {_said(host, hosts, known, sources)}"


def _name(host: editors.Host) -> str:
    if host.kind is editors.HostKind.gimp:
        return f"GIMP {host.version or 3}"
    return f"Krita {host.version or ''}".strip()


def _said(host: editors.Host, hosts: Hosts, known: Manifest, sources: Path) -> str:
    files, state = files_for(host, sources), editors.examine(host, hosts, sources).state
    if state is editors.PluginState.too_old:
        return f"too old for the plug-in, which needs {editors.OLDEST_KRITA} or newer."
    if not files and state not in (editors.PluginState.in_place, editors.PluginState.disabled):
        return "start it once, then run the installer again for its plug-in."
    if state is editors.PluginState.foreign:
        return f"{host.plugin_folder} has another plug-in of that name; left alone."
    if _is_taken(files, known):
        has = f"{host.plugin_folder} has files of this plug-in that the installer did not place"
        if state is editors.PluginState.in_place:
            return f"{has}; left alone, as they work."
        return f"{has}; left alone, run `maskwright doctor --repair` to mend it."
    if state is editors.PluginState.disabled:
        return (
            "the plug-in is switched off, and stays so; `maskwright doctor --repair` switches it "
            "on."
        )
    if state is editors.PluginState.in_place:
        menu = "Filters" if host.kind is editors.HostKind.gimp else "Tools > Scripts"
        return f"{menu} > Remove Background, after its next start."
    return "the plug-in is there; `maskwright doctor` says what keeps it from being shown."


def adopted(known: Manifest, hosts: Hosts, sources: Path) -> Manifest:
    """The record with plug-ins that somebody else has put there exactly as we would.

    The doctor does so, Krita when it imports the ZIP, and GIMP when it takes over the settings of
    an older one. `sources` are those of the installation that is there.
    """
    for host in hosts:
        files = files_for(host, sources)
        if not files or not all(_is_copy(path, source) for path, source in files.items()):
            continue
        new = {str(path): _sha256(path) for path in files if not known.owns(path)}
        folders = _folders(files) if new else ()
        settings = host.settings_file if host.kind is editors.HostKind.krita else None
        switched = [str(settings)] if settings and editors.is_switched_on(settings) else ()
        known = replace(
            known,
            placed={**known.placed, **new},
            made_folders=tuple(dict.fromkeys((*known.made_folders, *folders))),
            switched_on=tuple(dict.fromkeys((*known.switched_on, *switched))),
        )
    return known


def _folders(files: Iterable[Path]) -> list[str]:
    """The folders that are the plug-in's own, as far as files are in them or below."""
    own = _plugin_folders(files)
    folders = dict.fromkeys(folder for path in files for folder in path.parents)
    return [str(folder) for folder in folders if own.intersection((folder, *folder.parents))]


def obsolete(known: Manifest, wanted: Mapping[str, Placement]) -> list[Path]:
    """Files of earlier plug-ins that this one, where it is placed, does not have."""
    placed = _plugin_folders(map(Path, wanted))
    return [
        path
        for path in _plugin_files(known)
        if str(path) not in wanted and placed.intersection(path.parents) and known.owns(path)
    ]


def are_placed(known: Manifest) -> bool:
    """Whether a plug-in, or a part of one, is on record."""
    return bool(_all_files(known))


def remove(known: Manifest) -> Manifest:
    """Remove the plug-ins as they were placed, and what the editors made of them.

    Returns the record of what is left.
    """
    files = _all_files(known)
    for cache in {path.parent / "__pycache__" for path in files if path.suffix == ".py"}:
        shutil.rmtree(cache, ignore_errors=True)
    ours = {path: hashes for path, hashes in known.placed.items() if Path(path) in files}
    for path in record.remove_placed(replace(known, placed=ours)):
        print(f"Kept, because it was changed since: {path}")
    for settings in map(Path, known.switched_on):
        if editors.is_switched_on(settings):  # the user may have switched it off since
            editors.forget_switch(settings)
    others = {path: hashes for path, hashes in known.placed.items() if path not in ours}
    left = record.remove_empty(known.made_folders)
    return replace(known, placed=others, switched_on=(), made_folders=left)


def enable(hosts: Hosts, sources: Path) -> Iterator[str]:
    """Have each Krita start the plug-in that is there; yields a sentence for each."""
    for host in hosts:
        if host.kind is not editors.HostKind.krita or host.settings_file is None:
            continue
        state = editors.examine(host, hosts, sources).state
        if state is editors.PluginState.disabled:
            editors.switch_on(host.settings_file)
            yield f"{_name(host)}: switched on; restart it, then Tools > Scripts."
        elif state is editors.PluginState.in_place:
            yield f"{_name(host)}: it is switched on already."
        else:
            yield f"{_name(host)}: nothing to switch on; `maskwright doctor` says why."


def disable(hosts: Hosts) -> Iterator[str]:
    """Have no Krita start the plug-in; yields a sentence for each that did."""
    for host in hosts:
        settings = host.settings_file
        if host.kind is editors.HostKind.krita and settings and editors.is_switched_on(settings):
            editors.forget_switch(settings)
            yield f"{_name(host)}: switched off, from its next start."


def find(home: Path, environ: Mapping[str, str]) -> Hosts:
    """The editors of this user."""
    return editors.find_hosts(home, environ)


def _all_files(known: Manifest) -> set[Path]:
    """Every file of the plug-ins, those beside other people's too."""
    loose = [path for path in map(Path, known.placed) if path.name in _LOOSE]
    return {*_plugin_files(known), *loose}


def _plugin_files(known: Manifest) -> list[Path]:
    """Every file that is in a folder of a plug-in."""
    folders = _plugin_folders(map(Path, known.placed))
    return [path for path in map(Path, known.placed) if folders.intersection(path.parents)]


def _plugin_folders(paths: Iterable[Path]) -> set[Path]:
    """The folders of the plug-ins that those files are the start of."""
    starts = {editors.GIMP_SCRIPT: ".", editors.KRITA_DESKTOP: editors.PLUGIN}
    return {path.parent / starts[path.name] for path in paths if path.name in starts}


def _is_taken(files: Mapping[Path, Path], known: Manifest) -> bool:
    return any(path.exists() and not known.owns(path) for path in files)


def _is_copy(path: Path, source: Path) -> bool:
    is_file = path.is_file() and not path.is_symlink()
    return is_file and path.read_bytes() == source.read_bytes()


def _sha256(path: Path) -> tuple[str]:
    return (hashlib.sha256(path.read_bytes()).hexdigest(),)
