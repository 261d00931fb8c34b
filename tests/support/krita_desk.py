"""A home with a Krita that has been started, and every way to break the plug-in in it."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from maskwright.hosts import Finding, Host, HostKind, PluginState, examine, find_hosts, repair

SWITCHED_ON = "enable_maskwright=true\n"
# What a line of kritarc, with the name of a plug-in, says: to run it, or not, or nothing.
SWITCH_LINES: Mapping[str, bool | None] = {
    "enable_{}=true": True,
    "  enable_{} = TRUE ": True,
    "enable_{}=1": True,
    "enable_{}=": True,
    "enable_{}=maybe": True,
    "enable_{}[$i]=true": True,
    "enable_{}=true\r": True,
    "enable_{0}=false\nenable_{0}=true": True,
    "enable_{0}=true\nenable_{0}=no": False,
    "enable_{}=False": False,
    "enable_{}=off": False,
    "enable_{}=0": False,
    "enable_{}": None,
    "Enable_{}=true": None,
    "#enable_{}=true": None,
    "enable_other=true": None,
}
_SETTINGS = "baseLength=60\n\n[krita]\nx=1\n\n[python]\nenable_other=true\n"
_SMALL_DESKTOP = (
    "[Desktop Entry]\nType=Service\nServiceTypes=Krita/PythonPlugin\nX-KDE-Library=maskwright\n"
    "Name=Remove Background\nName[de]=Hintergrund\n"
)
_SMALL_SOURCES = {
    "krita/maskwright.desktop": _SMALL_DESKTOP,
    "krita/maskwright.action": "<ActionCollection/>\n",
    "krita/maskwright/__init__.py": "from maskwright_krita.extension import register\n",
    "krita/maskwright/Manual.html": "<p>\n",
    "krita/maskwright/maskwright_krita/__init__.py": "",
    "krita/maskwright/maskwright_krita/extension.py": "import maskwright_client\n",
    "krita/maskwright/__pycache__/__init__.pyc": "compiled",
    "krita/typings/krita.pyi": "",
    "shared/maskwright_client/__init__.py": "",
    "shared/maskwright_client/client.py": "one\ntwo\n",
}


class Desk:
    """The home, Krita's folders in it, and the plug-in's sources."""

    def __init__(self, home: Path, sources: Path) -> None:
        self.home, self.sources = home, sources
        self.root = home / "no root"
        self.resources = home / ".local/share/krita"
        self.settings = home / ".config/kritarc"

    @property
    def pykrita(self) -> Path:
        """Where Krita looks for plug-ins."""
        return self.resources / "pykrita"

    @property
    def package(self) -> Path:
        """What Krita imports."""
        return self.pykrita / "maskwright"

    @property
    def desktop(self) -> Path:
        """What Krita finds it by."""
        return self.pykrita / "maskwright.desktop"

    def put(self, resources: Path | None = None) -> Path:
        """A plug-in as it should be, in a resource folder."""
        target = resources or self.resources
        skip = shutil.ignore_patterns("__pycache__")
        for base in ("krita/maskwright", "shared"):
            package = target / "pykrita/maskwright"
            shutil.copytree(self.sources / base, package, ignore=skip, dirs_exist_ok=True)
        shutil.copy(self.sources / "krita/maskwright.desktop", target / "pykrita")
        (target / "actions").mkdir(exist_ok=True)
        shutil.copy(self.sources / "krita/maskwright.action", target / "actions")
        return target

    def settle(self) -> Path:
        """A plug-in as it should be, switched on; the folder of its package."""
        self.put()
        text = self.settings.read_text() if self.settings.exists() else ""
        if "[python]\n" not in text:
            text += "\n[python]\n"
        self.settings.write_text(text.replace("[python]\n", f"[python]\n{SWITCHED_ON}"))
        return self.package

    def hosts(self, platform: str = "linux") -> list[Host]:
        """Every editor, on a machine where none is installed unless a test did that."""
        return find_hosts(self.home, {}, platform, self._which, self.root)

    def install(self) -> Path:
        """Have a package of the system bring Krita; its resource folder for everybody."""
        program = self.root / "usr/bin/krita"
        program.parent.mkdir(parents=True)
        program.touch()
        return self.root / "usr/share/krita"

    def _which(self, name: str) -> str | None:
        program = self.root / "usr/bin" / name
        return str(program) if program.exists() else None

    def host(self) -> Host:
        """The Krita outside any sandbox."""
        return next(host for host in self.hosts() if host.kind is HostKind.krita)

    def finding(self) -> Finding:
        """How the plug-in stands in it."""
        return examine(self.host(), self.hosts(), self.sources)

    def repair(self) -> list[str]:
        """Mend it; what was done."""
        return list(repair(self.host(), self.hosts(), self.sources))


def small_desk(folder: Path) -> Desk:
    """One with a plug-in of few lines, in a folder for a test."""
    for name, content in _SMALL_SOURCES.items():
        (folder / "plugin" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "plugin" / name).write_text(content)
    desk = Desk(folder / "home", folder / "plugin")
    desk.pykrita.mkdir(parents=True)
    desk.settings.parent.mkdir()
    desk.settings.write_text(_SETTINGS)
    return desk


Breakage = Callable[[Desk], Finding]
"""Puts the plug-in there and breaks it; what is to be found then."""


def nothing_there(desk: Desk) -> Finding:
    shutil.rmtree(desk.settle())
    desk.desktop.unlink()
    (desk.resources / "actions/maskwright.action").unlink()
    return Finding(PluginState.missing)


def never_switched_on(desk: Desk) -> Finding:
    desk.put()
    return Finding(PluginState.disabled, desk.settings)


def switched_off(desk: Desk) -> Finding:
    desk.settle()
    text = desk.settings.read_text().replace(SWITCHED_ON, "enable_maskwright=false\n")
    desk.settings.write_text(text)
    return Finding(PluginState.disabled, desk.settings)


def without(part: str) -> Breakage:
    def break_it(desk: Desk) -> Finding:
        desk.settle()
        path = desk.resources / part
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        return Finding(PluginState.incomplete, desk.resources, ("/".join(part.split("/")[:3]),))

    return break_it


def desktop_inside_only(desk: Desk) -> Finding:
    desk.settle()
    desk.desktop.rename(desk.package / desk.desktop.name)
    return Finding(PluginState.incomplete, desk.resources, ("pykrita/maskwright.desktop",))


def _moved(desk: Desk, *names: str) -> Finding:
    """The plug-in's package in another place below the resource folder."""
    target = desk.resources.joinpath(*names)
    held = desk.settle().rename(desk.home / "held")
    target.parent.mkdir(parents=True, exist_ok=True)
    return Finding(PluginState.misnamed, held.rename(target))


def one_deeper(desk: Desk) -> Finding:
    return _moved(desk, "pykrita/maskwright/maskwright")


def beside_pykrita(desk: Desk) -> Finding:
    return _moved(desk, "maskwright")


def the_whole_repository(desk: Desk) -> Finding:
    return _moved(desk, "pykrita/maskwright-main/plugin/krita/maskwright")


def led_by(before: str, after: str) -> Breakage:
    def break_it(desk: Desk) -> Finding:
        desk.settle()
        text = desk.desktop.read_text()
        assert before in text
        desk.desktop.write_text(text.replace(before, after, 1))
        return Finding(PluginState.bad_desktop, desk.desktop)

    return break_it


def another_version(desk: Desk) -> Finding:
    with (desk.settle() / "maskwright_client/__init__.py").open("a") as file:
        file.write("raise ImportError('an old one')\n")
    return Finding(
        PluginState.other_version, desk.resources, ("pykrita/maskwright/maskwright_client",)
    )


def another_action(desk: Desk) -> Finding:
    desk.settle()
    (desk.resources / "actions/maskwright.action").write_text("<!-- old -->\n")
    return Finding(PluginState.other_version, desk.resources, ("actions/maskwright.action",))


def inside_the_sandbox(desk: Desk) -> Finding:
    desk.settle()
    inside = desk.home / ".var/app/org.kde.krita/data/krita"
    for name in ("pykrita", "actions"):
        (inside / name).parent.mkdir(parents=True, exist_ok=True)
        (desk.resources / name).rename(inside / name)
    return Finding(PluginState.other_profile, inside / "pykrita/maskwright")


def in_the_folder_before_it_was_moved(desk: Desk, inside: str | None = None) -> Finding:
    """As seen from outside; `inside` is the home folder as Krita knows it."""
    package = desk.settle()
    moved = f"ResourceDirectory={inside or desk.home}/art\n"
    desk.settings.write_text(moved + desk.settings.read_text())
    (desk.home / "art").mkdir()
    return Finding(PluginState.not_searched, package)


BREAKAGES: Mapping[str, Breakage] = {
    "nothing there": nothing_there,
    "never switched on": never_switched_on,
    "switched off": switched_off,
    "no desktop file": without("pykrita/maskwright.desktop"),
    "desktop file inside only": desktop_inside_only,
    "no start": without("pykrita/maskwright/__init__.py"),
    "no package of its own": without("pykrita/maskwright/maskwright_krita"),
    "no client": without("pykrita/maskwright/maskwright_client"),
    "no action": without("actions/maskwright.action"),
    "one deeper": one_deeper,
    "beside pykrita": beside_pykrita,
    "the whole repository": the_whole_repository,
    "another package named": led_by("X-KDE-Library=maskwright", "X-KDE-Library=maskwright_krita"),
    "a byte order mark": led_by("[Desktop", "\ufeff[Desktop"),
    "another kind of file": led_by("Krita/PythonPlugin", "Krita/Plugin"),
    "another version": another_version,
    "another action": another_action,
    "inside Flatpak's sandbox": inside_the_sandbox,
    "resources moved": in_the_folder_before_it_was_moved,
}
