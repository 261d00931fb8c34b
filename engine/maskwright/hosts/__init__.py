"""GIMP 3 and Krita on this machine, and Maskwright's plug-ins in them.

Looks at files and starts nothing. Standard library and relative imports only: the installer reads
this package from the checkout, under another name, before anything is installed.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from .files import GIMP_SCRIPT, gimp_parts, replace_file
from .gimp import gimp_finding
from .gimp_repair import gimp_repairs
from .host import PLUGIN, Flavour, Host, HostKind
from .krita import krita_finding
from .search import find_hosts
from .state import Finding, PluginState

__all__ = [
    "GIMP_SCRIPT",
    "PLUGIN",
    "Finding",
    "Flavour",
    "Host",
    "HostKind",
    "PluginState",
    "examine",
    "find_hosts",
    "gimp_parts",
    "repair",
    "replace_file",
]


def examine(host: Host, hosts: Sequence[Host], plugins: Path) -> Finding:
    """How the plug-in stands in one of `hosts`; `plugins` is the folder with its sources."""
    if host.kind is HostKind.krita:
        return krita_finding(host)
    return gimp_finding(host, hosts, plugins)


def repair(host: Host, hosts: Sequence[Host], plugins: Path) -> Iterator[str]:
    """Mend what keeps the plug-in from appearing, as far as that is safe.

    Yields a sentence for each thing that was done; raises OSError where something cannot be
    written. Krita's is not mended yet.
    """
    if host.kind is HostKind.gimp:
        yield from gimp_repairs(host, hosts, plugins)
