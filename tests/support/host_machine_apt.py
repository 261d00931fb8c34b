"""The machine's own package source, and what its apt needs to reach it."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from environment import Shell
from host_root import Bind
from maskwright.setup.failure import InstallError

# apt itself says which sources are enabled, in whichever of its two formats they are written.
_OFFICIAL = (
    "Created-By: Packages",
    "Component: main",
    "Origin: Debian",
    "Label: Debian",
    "Trusted: yes",
)
_CARRIED = ("Acquire::http", "Acquire::Check-", "Acquire::ForceIP")
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_CERTIFICATES_ARE = "Acquire::https::CaInfo"
_FILE = re.compile(r'"(/[^"]+)";$')
_PROXY = re.compile(r'^Acquire::http::Proxy "(.+)";$', re.MULTILINE)
_SAME_PLACE = ("/etc/apt/auth.conf", "/etc/apt/auth.conf.d", "/etc/hosts", "/etc/resolv.conf")


@dataclass(frozen=True)
class MachineApt:
    """A mirror of Debian, and the way there: apt's settings, files and proxies.

    The files are bound, never copied: there may be passwords in them.
    """

    mirror: str
    settings: str
    binds: tuple[Bind, ...]
    proxies: Mapping[str, str]


def machine_apt(shell: Shell) -> MachineApt:
    """Ask this machine's apt. Raises InstallError if it has no package source of Debian's own."""
    mirror = _mirror(shell)
    if mirror is None:  # apt knows whose a source is from its lists, and a new machine has none
        _update(shell)
        mirror = _mirror(shell)
    if mirror is None:
        raise InstallError("this machine's apt has no enabled package source of Debian's own")
    dump = shell.run(["apt-config", "dump"], "apt did not tell its settings")
    binds = [
        Bind(Path(name).resolve(), name, read_only=True)
        for name in _SAME_PLACE
        if Path(name).exists()
    ]
    settings = "".join(f"{line}\n" for line in _settings(dump, binds))
    proxies = {k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}
    if proxy := _PROXY.search(dump):  # which debootstrap does not look for
        proxies.setdefault("http_proxy", proxy[1])
    return MachineApt(mirror, settings, tuple(binds), proxies)


def install(shell: Shell, package: str) -> None:
    """Install a package on this machine. Raises InstallError."""
    command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y"]
    command += ["--no-install-recommends", package]
    trouble = f"The package {package} could not be installed"
    try:
        shell.run(command, trouble)
    except InstallError:  # the lists may be old
        _update(shell)
        shell.run(command, trouble)


def _update(shell: Shell) -> None:
    shell.run(["apt-get", "update"], "The package lists could not be fetched")


def _mirror(shell: Shell) -> str | None:
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", *_OFFICIAL]
    sources = shell.run(command, "apt did not tell its package sources").split()
    return next((source for source in sources if source.startswith("http")), None)


def _settings(dump: str, binds: list[Bind]) -> Iterator[str]:
    """What of apt's settings is about the way to the mirror.

    The files that they name get other places inside, which are added to `binds`: a package might
    want to write a file of its own where the machine has one.
    """
    lines = [line for line in dump.splitlines() if line.startswith(_CARRIED)]
    if not any(line.startswith(_CERTIFICATES_ARE) for line in lines) and _CERTIFICATES.exists():
        lines.append(f'{_CERTIFICATES_ARE} "{_CERTIFICATES}";')
    for line in lines:
        named = _FILE.search(line)
        if named and Path(named[1]).exists():
            inside = f"/run/machine/{len(binds)}"
            binds.append(Bind(Path(named[1]).resolve(), inside, read_only=True))
            yield line.replace(named[1], inside)
        else:
            yield line
