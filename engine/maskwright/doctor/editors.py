"""The editors and their plug-ins: what is said about them, and what was mended."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from maskwright.doctor.report import Check, Status
from maskwright.hosts import (
    GIMP_SCRIPT,
    OLDEST_KRITA,
    PLUGIN,
    Finding,
    Flavour,
    Host,
    HostKind,
    PluginState,
    examine,
    repair,
)

_ENTRY: Final = {HostKind.gimp: "Filters", HostKind.krita: "Tools > Scripts"}
_FINE: Final = (PluginState.in_place, PluginState.unused)

# What nobody can mend, and its user has to know.
_BEFOREHAND: Final = {
    Flavour.snap: "a Snap cannot start the engine, so run",
    Flavour.flatpak: "where the Flatpak's Python cannot run this installation's engine, run",
}

_SAID: Final = {
    PluginState.in_place: "the plug-in is in place",
    PluginState.missing: "the plug-in is not there",
    PluginState.incomplete: "the plug-in is there in part{lacking}",
    PluginState.disabled: "the plug-in is there and switched off in {where}",
    PluginState.not_executable: "the plug-in may not be executed: {where}",
    PluginState.bad_first_line: "the first line of the plug-in does not name Python 3: {where}",
    PluginState.bad_desktop: "{where} does not lead Krita to the plug-in",
    PluginState.too_old: "the plug-in does not work in it, but in Krita {oldest} or newer",
    PluginState.no_qt: "its Python has no {parts}, without which it runs no plug-in",
    PluginState.closed_folder: "it runs no plug-in from {where}, which begins like {usual}",
    PluginState.misnamed: "{editor} passes over the plug-in in {where}, its place is {own}",
    PluginState.other_profile: "the plug-in is only where this {editor} does not look: {where}",
    PluginState.not_searched: "{settings} has it look in {searched}, and the plug-in is {where}",
    PluginState.other_version: "the plug-in in {where} is of another version in part: {parts}",
    PluginState.twice: "the plug-in is there a second time, and only one can answer: {where}",
    PluginState.foreign: "something else is in the plug-in's place: {where}",
    PluginState.unused: "it uses the settings outside its sandbox instead of those inside",
}


def checks(hosts: Sequence[Host], plugins: Path) -> Iterator[Check]:
    """How the plug-ins stand; `plugins` is the folder with their sources."""
    if not hosts:
        message = "Neither GIMP 3 nor Krita was found; the command line works without them."
        yield Check("hosts", Status.warn, message, "Install GIMP 3 or Krita.")
    for host in hosts:
        finding = examine(host, hosts, plugins)
        status = Status.ok if finding.state in _FINE else Status.warn
        figures = {
            "version": host.version,
            "flavour": host.flavour.value,
            "plugin_folder": _text(host.plugin_folder),
            "executable": _text(host.executable),
            "plugin": finding.state.value,
            "where": _text(finding.where),
            "parts": finding.parts,
        }
        message = f"{_name(host)} was found; {_said(host, finding)}."
        yield Check(f"host:{host.kind.value}", status, message, _fix(host, finding), figures)


def repairs(hosts: Sequence[Host], plugins: Path) -> Iterator[Check]:
    """Mend the plug-ins, and say what was done."""
    found = [check for host in hosts for check in _repaired(host, hosts, plugins)]
    yield from found or [Check("repairs", Status.ok, "No plug-in was mended.")]


def _repaired(host: Host, hosts: Sequence[Host], plugins: Path) -> Iterator[Check]:
    check, name = f"repair:{host.kind.value}", _name(host)
    done, failed = list[str](), list[Check]()
    try:
        for sentence in repair(host, hosts, plugins):
            done.append(sentence)
    except OSError as error:
        message = f"{name} was not mended: {error.filename}: {error.strerror}."
        fix = "Make that writable for you, then run `maskwright doctor --repair` again."
        failed.append(Check(check, Status.fail, message, fix))
    if done:
        fix = f"Restart {_editor(host)}, then choose {_ENTRY[host.kind]} > Remove Background."
        yield Check(check, Status.done, f"{name}: {' '.join(done)}", fix)
    yield from failed


def _said(host: Host, finding: Finding) -> str:
    if finding.state is PluginState.in_place:
        shared = f" for all users: {finding.where}" if finding.where else ""
        return f"{_SAID[finding.state]}{shared}{_beforehand(host.flavour)}"
    parts = ", ".join(finding.parts)
    return _SAID[finding.state].format(
        editor=_editor(host),
        where=finding.where,
        own=_own(host),
        parts=parts,
        lacking=f": {finding.where} lacks {parts}" if parts else "",
        searched=", ".join(map(str, host.searched)) or "its installation",
        settings=host.settings_file.name if host.settings_file else None,
        usual=host.usual_folder.parent if host.usual_folder else None,
        oldest=OLDEST_KRITA,
    )


def _beforehand(flavour: Flavour) -> str:
    """What to do before the plug-in is used in a sandbox; a frozen engine runs in a Flatpak."""
    is_frozen = getattr(sys, "frozen", False)
    if flavour not in _BEFOREHAND or (flavour is Flavour.flatpak and is_frozen):
        return ""
    return f"; {_BEFOREHAND[flavour]} `maskwright serve` in a terminal before you use it there"


def _own(host: Host) -> Path | None:
    """What belongs into the folder for plug-ins."""
    if host.plugin_folder is None:
        return None
    own = host.plugin_folder / PLUGIN
    return own / GIMP_SCRIPT if host.kind is HostKind.gimp else own


def _fix(host: Host, finding: Finding) -> str | None:
    editor, state = _editor(host), finding.state
    if state in _FINE:
        return None
    if host.plugin_folder is None or (host.kind is HostKind.gimp and not host.has_settings):
        return f"Start {editor} once, so that it makes its settings folder; then look again."
    by_hand = {
        PluginState.too_old: f"Install Krita {OLDEST_KRITA} or newer, start it once, look again.",
        PluginState.no_qt: (
            f"Install {host.lacks} for the system's Python (in Debian and Ubuntu the package is "
            f"python3-{(host.lacks or '').lower()}), then restart Krita."
        ),
        PluginState.closed_folder: (
            "In Krita, choose another folder in Settings > Configure Krita > General > Resources, "
            "restart it, then run `maskwright doctor --repair`."
        ),
        PluginState.foreign: (
            f"Give {finding.where} another name, then run `maskwright doctor --repair`."
        ),
    }
    if state in by_hand:
        return by_hand[state]
    if host.plugin_folder not in host.searched:
        return (
            f"In GIMP, add {host.plugin_folder} in Edit > Preferences > Folders > Plug-ins, then "
            "run `maskwright doctor --repair`."
        )
    return f"Run `maskwright doctor --repair`, then restart {editor}."


def _name(host: Host) -> str:
    return f"{_editor(host)}{f' {host.version}' if host.version else ''} ({host.flavour.value})"


def _editor(host: Host) -> str:
    return "GIMP" if host.kind is HostKind.gimp else "Krita"


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
