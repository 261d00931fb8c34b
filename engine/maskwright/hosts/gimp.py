"""GIMP's plug-in: what GIMP would make of it, and why it would not.

In each folder of its plug-in-path GIMP looks one level deep for an executable file with the name
of its folder (app/plug-in/gimppluginmanager-restore.c), starts what its first line names
(gimpinterpreterdb.c), and asks for the procedures; whatever fails there is passed over without a
word. Of two scripts of one name it takes the first, of two procedures of one name only one.
`tests/hosts/test_gimp_doctor.py` shows this with real GIMPs.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path

from .copies import Mark, beginning
from .files import entries, plain
from .host import PLUGIN, Flavour, Host
from .parts import GIMP_SCRIPT, gimp_parts
from .state import Finding, PluginState

_MARK = Mark(GIMP_SCRIPT, b"maskwright_gimp")  # what the script imports
_FIRST_LINE = re.compile(rb"#![ \t]*(?P<program>\S+)(?P<arguments>[^\n]*)\n")


def gimp_finding(host: Host, hosts: Sequence[Host], plugins: Path) -> Finding:
    """How the plug-in stands in one of `hosts`; `plugins` as in `gimp_parts`."""
    parts = gimp_parts(plugins)
    of_the_system = [] if host.shared is None else _scripts([host.shared])
    if host.plugin_folder is None or host.settings_file is None:
        return _judged(of_the_system, host, parts) or Finding(PluginState.missing)
    if not host.in_use:
        return Finding(PluginState.unused, host.plugin_folder)
    own = host.plugin_folder / PLUGIN / GIMP_SCRIPT
    if _MARK.is_foreign(own.parent, _tops(parts)):
        return Finding(PluginState.foreign, own.parent)
    scripts = [*_scripts(host.searched), *of_the_system]
    scripts.sort(key=lambda script: (script != own, script.name != GIMP_SCRIPT))
    if found := _judged(scripts, host, parts):
        return found
    return _unseen(own, host, parts) or _elsewhere(host.settings_file.parent, host, hosts)


def system_gimp_plug_in(host: Host, plugins: Path) -> Path | None:
    """The folder of a plug-in for all users that this GIMP can run, if it is of this version."""
    parts = gimp_parts(plugins)
    scripts = _scripts([host.shared]) if host.shared and parts else []
    return next((each.parent for each in scripts if not _defect(each, host, parts)), None)


def _judged(scripts: Sequence[Path], host: Host, parts: Mapping[str, Path]) -> Finding | None:
    """How it stands where these are the scripts in sight, in the order that GIMP takes them in."""
    if not scripts:
        return None
    runnable = [script for script in scripts if _may_run(script, host)]
    of_each_name = {script.name: script for script in reversed([*runnable, *scripts])}
    first = of_each_name[scripts[0].name]
    if defect := _defect(first, host, parts):
        return defect
    for other in runnable:
        if other.name != first.name:
            return Finding(PluginState.twice, other.parent)
    is_shared = first.parent.parent == host.shared
    return Finding(PluginState.in_place, first.parent if is_shared else None)


def _may_run(script: Path, host: Host) -> bool:
    return host.flavour is Flavour.windows or os.access(script, os.X_OK)


def missing_parts(folder: Path, parts: Iterable[str]) -> list[str]:
    """Those of `parts` that are not in the plug-in's folder; the script may have another name."""
    script = _script_in(folder)
    return [
        name for name in parts if not (script if name == GIMP_SCRIPT else folder / name).is_file()
    ]


def _script_in(folder: Path) -> Path:
    return folder / f"{folder.name}.py"


def _defect(script: Path, host: Host, parts: Mapping[str, Path]) -> Finding | None:
    """What is wrong with a plug-in whose script GIMP would find."""
    if host.flavour is not Flavour.windows:
        if not _may_run(script, host):
            return Finding(PluginState.not_executable, script)
        if not _starts_python(script):
            return Finding(PluginState.bad_first_line, script)
    folder = script.parent
    if missing := missing_parts(folder, parts):
        return Finding(PluginState.incomplete, folder, _tops(missing))
    # The first line may be the distribution's, line ends may be another system's.
    others = [
        name
        for name, source in parts.items()
        if name != GIMP_SCRIPT and plain(folder / name) != plain(source)
    ]
    if GIMP_SCRIPT in parts and _body(script) != _body(parts[GIMP_SCRIPT]):
        others.append(GIMP_SCRIPT)
    return Finding(PluginState.other_version, folder, _tops(others)) if others else None


def _unseen(own: Path, host: Host, parts: Mapping[str, Path]) -> Finding | None:
    """A plug-in in the folders where GIMP looks, whose script it passes over."""
    missing = missing_parts(own.parent, parts)
    if host.plugin_folder in host.searched and len(missing) < len(parts):
        return Finding(PluginState.incomplete, own.parent, _tops(missing))
    copies = chain.from_iterable(map(_MARK.copies, host.searched))
    return next((Finding(PluginState.misnamed, copy) for copy in copies), None)


def _elsewhere(profile: Path, host: Host, hosts: Sequence[Host]) -> Finding:
    """A plug-in where this GIMP, whose settings are in `profile`, does not look."""
    usual = profile / "plug-ins"
    others = [folder for other in hosts for folder in other.searched]
    older = sorted(profile.parent.glob("[23].*/plug-ins"))
    for folder in dict.fromkeys((usual, *others, *older)):
        if folder not in host.searched and (copy := next(_MARK.copies(folder), None)):
            is_own = folder == usual
            return Finding(PluginState.not_searched if is_own else PluginState.other_profile, copy)
    return Finding(PluginState.missing)


def _scripts(folders: Iterable[Path]) -> list[Path]:
    """Our scripts under names that GIMP reads."""
    found = [entry for folder in folders for entry in entries(folder)]
    scripts = [_script_in(entry) for entry in found if not entry.name.startswith(".")]
    return [script for script in scripts if _MARK.is_on(script)]


def _starts_python(script: Path) -> bool:
    """Whether the first line names Python 3; GIMP takes spaces, options and a CR there."""
    line = _FIRST_LINE.match(beginning(script))
    if line is None:
        return False
    program = Path(os.fsdecode(line["program"]))
    if program.name == "env":
        words = [word for word in line["arguments"].split() if not word.startswith(b"-")]
        return words[:1] == [b"python3"]
    usual = program == Path("/usr/bin/python3")  # inside a sandbox, maybe
    return program.name.startswith("python3") and (usual or os.access(program, os.X_OK))


def _body(script: Path) -> bytes:
    return plain(script).partition(b"\n")[2]


def _tops(parts: Iterable[str]) -> tuple[str, ...]:
    """The packages and files beside the script that `parts` belong to."""
    return tuple(dict.fromkeys(name.partition("/")[0] for name in parts))
