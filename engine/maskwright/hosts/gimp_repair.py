"""Mending GIMP's plug-in, as far as that is safe; see `mending`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .files import put_aside, put_folder, replace_file, write_parts
from .gimp import gimp_finding, missing_parts, system_gimp_plug_in
from .host import PLUGIN, Host
from .mending import makes_way, mended, plug_in_is_in
from .parts import gimp_parts
from .state import Finding, PluginState

_FIRST_LINE = b"#!/usr/bin/env python3\n"
# What an installation's plug-in, which works, lies hidden under.
_SHADOWS = (PluginState.other_version, PluginState.bad_first_line, PluginState.incomplete)
_FINE = (PluginState.in_place, PluginState.twice)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def gimp_repairs(host: Host, hosts: Sequence[Host], plugins: Path) -> Iterator[str]:
    """Mend one thing after another, as far as that is safe; yields a sentence for each.

    Raises OSError where something cannot be written.
    """
    # Where nothing can be written that GIMP reads, or before its first start, nothing is for us.
    if host.plugin_folder is None or host.plugin_folder not in host.searched:
        return
    own, parts = host.plugin_folder / PLUGIN, gimp_parts(plugins)
    if not host.has_settings or not parts:
        return
    of_the_system = system_gimp_plug_in(host, plugins)

    def mend(finding: Finding) -> str:
        where = finding.where or own
        folder = where.parent if where.is_file() else where
        if folder.parent == host.shared:  # others use it, too
            return "" if finding.state in _FINE else _put(own, parts)
        if of_the_system and finding.state in _SHADOWS:
            return makes_way(folder, of_the_system)
        return _mend(own, finding, parts)

    yield from mended(lambda: gimp_finding(host, hosts, plugins), mend)


def _mend(own: Path, finding: Finding, parts: Mapping[str, Path]) -> str:
    """Mend one thing; empty if that is not for us to do. `own` is where the plug-in belongs."""
    where = finding.where or own
    folder = where.parent if where.is_file() else where
    match finding.state:
        case PluginState.missing | PluginState.other_profile | PluginState.not_searched:
            return _put(own, parts)
        case PluginState.misnamed:
            said = _put(own, parts)
            return f"{said} Nothing needs {where} any more." if where.exists() else said
        case PluginState.other_version:
            return _put(own, parts, folder)
        case PluginState.twice:
            (aside,) = put_aside([where])
            return f"The second copy is {aside} now, which GIMP passes over."
        case PluginState.not_executable | PluginState.bad_first_line | PluginState.incomplete:
            if folder.is_symlink() or where.is_symlink():
                return _put(own, parts, folder)  # what it leads to is somebody's workshop
            return _mend_in_place(finding.state, where, parts)
    return ""


def _mend_in_place(state: PluginState, where: Path, parts: Mapping[str, Path]) -> str:
    if state is PluginState.not_executable:
        where.chmod(where.stat().st_mode | 0o111)
        return f"{where} may be executed now."
    if state is PluginState.bad_first_line:
        replace_file(where, _with_first_line(where.read_bytes()), 0o755)
        return f"{where} names Python 3 in its first line again."
    missing = missing_parts(where, parts)
    write_parts(where, {name: parts[name] for name in missing})
    return f"{where} is complete again."


def _with_first_line(content: bytes) -> bytes:
    rest = content.removeprefix(_BYTE_ORDER_MARK).lstrip()
    return _FIRST_LINE + (rest.partition(b"\n")[2] if rest.startswith(b"#!") else rest)


def _put(own: Path, parts: Mapping[str, Path], *instead_of: Path) -> str:
    """Have the whole plug-in in `own`; what is there, or in `instead_of`, gets another name."""
    return plug_in_is_in(own, put_folder(own, parts, *instead_of))
