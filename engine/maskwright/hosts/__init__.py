"""GIMP 3 and Krita on this machine, and Maskwright's plug-ins in them.

Looks at files and starts nothing. Standard library and relative imports only: the installer reads
this package from the checkout, under another name, before anything is installed.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from .files import replace_file
from .gimp import gimp_finding, system_gimp_plug_in
from .gimp_repair import gimp_repairs
from .host import PLUGIN, Flavour, Host, HostKind
from .krita import OLDEST_KRITA, is_too_old, krita_finding, system_krita_plug_in
from .krita_repair import krita_repairs
from .kritarc import forget_switch, is_switched_on, switch_on
from .parts import GIMP_SCRIPT, KRITA_DESKTOP, gimp_parts, krita_parts
from .search import find_hosts
from .state import Finding, PluginState

__all__ = [
    "GIMP_SCRIPT",
    "KRITA_DESKTOP",
    "OLDEST_KRITA",
    "PLUGIN",
    "Finding",
    "Flavour",
    "Host",
    "HostKind",
    "PluginState",
    "examine",
    "find_hosts",
    "forget_switch",
    "gimp_parts",
    "is_switched_on",
    "is_too_old",
    "krita_parts",
    "repair",
    "replace_file",
    "switch_on",
    "system_plug_in",
]


def examine(host: Host, hosts: Sequence[Host], plugins: Path) -> Finding:
    """How the plug-in stands in one of `hosts`; `plugins` is the folder with its sources."""
    if host.kind is HostKind.krita:
        return krita_finding(host, hosts, plugins)
    return gimp_finding(host, hosts, plugins)


def repair(host: Host, hosts: Sequence[Host], plugins: Path) -> Iterator[str]:
    """Mend what keeps the plug-in from appearing, as far as that is safe.

    Yields a sentence for each thing that was done; raises OSError where something cannot be
    written.
    """
    mend = krita_repairs if host.kind is HostKind.krita else gimp_repairs
    yield from mend(host, hosts, plugins)


def system_plug_in(host: Host, plugins: Path) -> Path | None:
    """The folder of the plug-in that a package has put into the host for all users of this machine.

    None if there is none, or it is not of the version whose sources are in `plugins`. Where there
    is one, nobody needs a copy in a home; Krita's still wants to be switched on for each user.
    """
    if host.kind is HostKind.krita:
        return system_krita_plug_in(host, plugins)
    return system_gimp_plug_in(host, plugins)
