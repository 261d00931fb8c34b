"""Krita's plug-in: what Krita would make of it, and why it would not.

In `pykrita` in its resource folder Krita looks for files whose names end in `desktop`, imports the
package that one of them names if it lies beside it, and does that only for plug-ins that kritarc
has switched on (plugins/extensions/pykrita/plugin/PythonPluginManager.cpp); whatever fails there is
passed over without a word. `tests/hosts/test_krita_doctor.py` shows this with real Kritas.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from . import kritarc
from .copies import Mark, beginning
from .files import plain
from .host import PLUGIN, Host, HostKind
from .parts import KRITA_DESKTOP, krita_parts
from .state import Finding, PluginState

OLDEST_KRITA = "5.2"  # the first that makes transparency masks for plug-ins

_MARK = Mark("__init__.py", b"maskwright_krita")  # what Krita imports
_INSIDE = f"pykrita/{PLUGIN}/"
_NEEDED = (f"{_INSIDE}{_MARK.name}", f"pykrita/{KRITA_DESKTOP}")
_ENTRIES = re.compile(rb"^[ \t]*\[Desktop Entry\][ \t]*\r?\n((?:[^\[].*\n|\n)*)", re.MULTILINE)
_ENTRY = re.compile(rb"^[ \t]*([\w-]+)[ \t]*=(.*)$", re.MULTILINE)


def krita_finding(host: Host, hosts: Sequence[Host], plugins: Path) -> Finding:
    """How the plug-in stands in one of `hosts`; `plugins` as in `krita_parts`."""
    if host.plugin_folder is None or host.settings_file is None:
        return Finding(PluginState.missing)
    if is_too_old(host):
        return Finding(PluginState.too_old)
    folder, parts = host.plugin_folder, krita_parts(plugins)
    if host.shared is not None and not _start_in(folder).is_file() and _is_in(host.shared):
        return (
            _damage(host.shared, parts)
            or _not_run(host, host.settings_file)
            or Finding(PluginState.in_place, host.shared / PLUGIN)
        )
    if foreign := _foreign(folder, parts):
        return Finding(PluginState.foreign, foreign)
    if not any((folder.parent / name).is_file() for name in (*_NEEDED, *parts) if is_inside(name)):
        seen = _misplaced(folder) or _elsewhere(host, hosts)
        missing = missing_parts(folder.parent, parts)
        incomplete = Finding(PluginState.incomplete, folder.parent, _tops(missing))
        is_begun = len(missing) < len({*_NEEDED, *parts})
        return seen or (incomplete if is_begun else Finding(PluginState.missing))
    return (
        _damage(folder, parts)
        or _not_run(host, host.settings_file)
        or _closed(host, folder.parent)
        or Finding(PluginState.in_place)
    )


def system_krita_plug_in(host: Host, plugins: Path) -> Path | None:
    """The folder of a plug-in for all users that this Krita can run, if it is of this version."""
    parts = krita_parts(plugins)
    if host.shared is None or not parts or not _is_in(host.shared):
        return None
    return None if _damage(host.shared, parts) else host.shared / PLUGIN


def _start_in(folder: Path) -> Path:
    """What Krita imports; where two folders have it, the user's comes first."""
    return folder / PLUGIN / _MARK.name


def _is_in(folder: Path) -> bool:
    """Whether a folder for plug-ins has ours, whole or not."""
    return _MARK.is_on(_start_in(folder))


def _damage(folder: Path, parts: Mapping[str, Path]) -> Finding | None:
    """What is wrong with the files of a plug-in in a folder for plug-ins."""
    if missing := missing_parts(folder.parent, parts):
        return Finding(PluginState.incomplete, folder.parent, _tops(missing))
    if _library(folder / KRITA_DESKTOP) != PLUGIN:
        return Finding(PluginState.bad_desktop, folder / KRITA_DESKTOP)
    if others := other_parts(folder.parent, parts):
        return Finding(PluginState.other_version, folder.parent, _tops(others))
    return None


def is_too_old(host: Host) -> bool:
    """Whether it is known to be a Krita that the plug-in does not work in."""
    if host.kind is not HostKind.krita or host.version is None:
        return False
    return _numbers(host.version) < _numbers(OLDEST_KRITA)


def _not_run(host: Host, settings: Path) -> Finding | None:
    """What keeps a Krita from running a plug-in that is there."""
    if not kritarc.is_switched_on(settings):
        return Finding(PluginState.disabled, settings)
    if host.lacks is not None:
        return Finding(PluginState.no_qt, parts=(host.lacks,))
    return None


def _closed(host: Host, resources: Path) -> Finding | None:
    """Whether Krita runs nothing from the user's resource folder.

    It leaves out all folders whose names begin like the usual one's, when it collects those that
    Python is to look in (cleanupDirs in libs/resources/KoResourcePaths.cpp).
    """
    usual = host.usual_folder.parent if host.usual_folder else resources
    if resources != usual and str(resources).startswith(str(usual)):
        return Finding(PluginState.closed_folder, resources)
    return None


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def is_inside(name: str) -> bool:
    """Whether a part has its place in the plug-in's folder; two lie beside other people's."""
    return name.startswith(_INSIDE)


def missing_parts(resources: Path, parts: Iterable[str]) -> list[str]:
    """Those of `parts`, and of what there always must be, that Krita does not find."""
    names = dict.fromkeys((*parts, *_NEEDED))
    return [name for name in names if not place_of(resources, name).is_file()]


def other_parts(resources: Path, parts: Mapping[str, Path]) -> list[str]:
    """Those of `parts` that Krita does not find as they should be."""
    found = {name: place_of(resources, name) for name in parts}
    return [
        name
        for name, path in found.items()
        if not path.is_file() or plain(path) != plain(parts[name])
    ]


def place_of(resources: Path, name: str) -> Path:
    """Where Krita finds a part: a file of actions may also be anywhere in `pykrita`."""
    own = resources / name
    if own.suffix == ".action" and not own.is_file():
        return next((resources / "pykrita").rglob(own.name), own)
    return own


def _foreign(folder: Path, parts: Iterable[str]) -> Path | None:
    """What of somebody else is in the plug-in's place."""
    inside = [name.removeprefix(_INSIDE) for name in (*_NEEDED, *parts) if is_inside(name)]
    own, desktop = folder / PLUGIN, folder / KRITA_DESKTOP
    if _MARK.is_foreign(own, {name.partition("/")[0] for name in inside}):
        return own
    package = _library(desktop).replace(".", "/")
    theirs = [folder / package / _MARK.name, folder / f"{package}.py"] if package else []
    leads_away = any(path.is_file() and not _MARK.is_on(path) for path in theirs)
    return desktop if leads_away else None


def _library(desktop: Path) -> str:
    """The package that a desktop file leads Krita to; empty if Krita does not heed it."""
    group = _ENTRIES.search(beginning(desktop) + b"\n")
    entries = _ENTRY.finditer(group[1]) if group else ()
    known = {entry[1]: bytes(entry[2]).strip() for entry in entries}
    if known.get(b"ServiceTypes") != b"Krita/PythonPlugin" or not known.get(b"Name"):
        return ""
    return known.get(b"X-KDE-Library", b"").decode(errors="replace")


def _misplaced(folder: Path) -> Finding | None:
    """A copy in the resource folder that Krita passes over."""
    for place in (folder, *folder.parent.glob("*[Mm]askwright*")):
        for copy in _MARK.copies(place):
            return Finding(PluginState.misnamed, copy.parent)
    return None


def _elsewhere(host: Host, hosts: Sequence[Host]) -> Finding | None:
    """A copy where this Krita does not look."""
    others = [other.plugin_folder for other in hosts if other.kind is HostKind.krita]
    for folder in dict.fromkeys((host.usual_folder, *others)):
        if folder is None or folder == host.plugin_folder:
            continue
        for copy in _MARK.copies(folder):
            is_own = folder == host.usual_folder
            state = PluginState.not_searched if is_own else PluginState.other_profile
            return Finding(state, copy.parent)
    return None


def _tops(parts: Iterable[str]) -> tuple[str, ...]:
    """The parts, of packages only their names."""
    return tuple(dict.fromkeys("/".join(name.split("/")[:3]) for name in parts))
