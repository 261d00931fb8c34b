"""Making a root: a bare Debian by debootstrap, and the editors in it by apt."""

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from environment import Shell
from host_machine_apt import MachineApt, install, machine_apt
from host_root import ALONE, Bind, Root, Suite

# Beside the editors. Recommended packages are left away, so what tests need of them is named.
PACKAGES = (
    *("fonts-dejavu-core", "locales"),
    # A screen, somebody to type and click, and pictures of what is seen.
    *("xvfb", "xauth", "x11-apps", "xdotool", "wmctrl", "imagemagick", "openbox"),
    *("dbus", "dbus-x11", "procps"),
)
_SCRIPTS = Path("/usr/share/debootstrap/scripts")
_SETTINGS = "/etc/apt/apt.conf.d/00machine"
_HOSTS = "127.0.0.1 localhost\n::1 localhost\n"


def build(root: Root, shell: Shell, say: Callable[[str], None]) -> None:
    """Fill the root's folder, which must not exist. Raises InstallError."""
    start = time.monotonic()
    apt = machine_apt(shell)
    if not shutil.which("debootstrap"):
        say("installing debootstrap on this machine")
        install(shell, "debootstrap")
    name = root.suite.name
    say(f"{name}: the bare system")
    _debootstrap(root, apt, shell)
    say(f"{name}: the editors, after {time.monotonic() - start:.0f} s")
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as settings:
        settings.write(apt.settings)
        settings.flush()
        binds = [*apt.binds, Bind(Path(settings.name), _SETTINGS, read_only=True)]
        for step in _steps(root.suite):
            command = root.command(
                step,
                env={**apt.proxies, "DEBIAN_FRONTEND": "noninteractive"},
                binds=binds,
                writable=True,
            )
            shell.run(command, f"The packages could not be installed in the {name} root")
    (root.folder / "etc/hosts").write_text(_HOSTS)
    say(f"{name}: done, after {time.monotonic() - start:.0f} s")


def _debootstrap(root: Root, apt: MachineApt, shell: Shell) -> None:
    name = root.suite.base or root.suite.name
    command = ["debootstrap", "--variant=minbase", name, str(root.folder), apt.mirror]
    if not (_SCRIPTS / name).exists():  # this machine's Debian is older than the release
        command.append(str(_SCRIPTS / "sid"))
    proxies = (f"{name}={value}" for name, value in apt.proxies.items())
    # It mounts things, too: a killed one must leave neither those nor itself behind.
    shell.run([*ALONE, "env", *proxies, *command], f"debootstrap could not make a {name} root")
    if root.suite.base:
        above = root.folder / "etc/apt/sources.list.d/above.list"
        above.write_text(f"deb {apt.mirror} {root.suite.name} main\n")


def _steps(suite: Suite) -> list[Sequence[str]]:
    """The command lines that turn a bare system into a root."""
    return [
        ("apt-get", "update"),
        ("apt-get", "install", "-y", "--no-install-recommends", *suite.editors, *PACKAGES),
        ("apt-get", "clean"),
        ("localedef", "-i", "de_DE", "-f", "UTF-8", "de_DE.UTF-8"),
    ]
