"""Mending Krita's plug-in, as far as that is safe; see `mending`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from . import kritarc
from .files import put_aside, put_folder, write_parts
from .host import PLUGIN, Host
from .krita import (
    is_inside,
    krita_finding,
    missing_parts,
    other_parts,
    place_of,
    system_krita_plug_in,
)
from .mending import makes_way, mended, plug_in_is_in
from .parts import krita_parts
from .state import Finding, PluginState

# What an installation's plug-in, which works, lies hidden under.
_SHADOWS = (PluginState.other_version, PluginState.bad_desktop, PluginState.incomplete)


def krita_repairs(host: Host, hosts: Sequence[Host], plugins: Path) -> Iterator[str]:
    """Mend one thing after another, as far as that is safe; yields a sentence for each.

    Raises OSError where something cannot be written.
    """
    parts = krita_parts(plugins)
    if host.plugin_folder is None or host.settings_file is None or not parts:
        return
    resources, settings = host.plugin_folder.parent, host.settings_file
    of_the_system = system_krita_plug_in(host, plugins)

    def mend(finding: Finding) -> str:
        if of_the_system and finding.state in _SHADOWS:
            loose = [place_of(resources, name) for name in parts if not is_inside(name)]
            return makes_way(_own(resources), of_the_system, *loose)
        if host.shared and finding.where and finding.where.is_relative_to(host.shared.parent):
            return "" if finding.state is PluginState.in_place else _put(resources, parts)
        return _mend(resources, settings, finding, parts)

    yield from mended(lambda: krita_finding(host, hosts, plugins), mend)


def _mend(resources: Path, settings: Path, finding: Finding, parts: Mapping[str, Path]) -> str:
    """Mend one thing; empty if that is not for us to do."""
    match finding.state:
        case PluginState.missing | PluginState.other_profile | PluginState.not_searched:
            return _put(resources, parts)
        case PluginState.other_version | PluginState.bad_desktop:
            return _put(resources, parts)
        case PluginState.misnamed:
            said, where = _put(resources, parts), finding.where
            return f"{said} Nothing needs {where} any more." if where and where.exists() else said
        case PluginState.incomplete:
            if _own(resources).is_symlink():
                return _put(resources, parts)  # what it leads to is somebody's workshop
            missing = missing_parts(resources, parts)
            write_parts(resources, {name: parts[name] for name in missing})
            return f"The plug-in in {_own(resources)} is complete again."
        case PluginState.disabled:
            kritarc.switch_on(settings)
            return f"The plug-in is switched on in {settings}."
    return ""


def _put(resources: Path, parts: Mapping[str, Path]) -> str:
    """Have the whole plug-in; what else is in its place gets another name."""
    own, others = _own(resources), other_parts(resources, parts)
    kept = []
    if any(is_inside(name) for name in others):
        inside = {
            str(Path(name).relative_to(f"pykrita/{PLUGIN}")): source
            for name, source in parts.items()
            if is_inside(name)
        }
        kept = put_folder(own, inside)
    loose = {name: parts[name] for name in others if not is_inside(name)}
    kept += put_aside(place_of(resources, name) for name in loose)
    write_parts(resources, loose)
    return plug_in_is_in(own, kept)


def _own(resources: Path) -> Path:
    return resources / "pykrita" / PLUGIN
