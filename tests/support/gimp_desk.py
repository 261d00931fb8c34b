"""A home with a GIMP that has been started, and every way to break the plug-in in it."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from maskwright.hosts import Finding, Host, PluginState, examine, find_hosts, repair

SMALL_SCRIPT = b"#!/usr/bin/env python3\nimport gi\nfrom maskwright_gimp import registration\n"
_SMALL_SOURCES = {
    "gimp/maskwright/maskwright.py": SMALL_SCRIPT,
    "gimp/maskwright/maskwright_gimp/registration.py": b"import maskwright_client\n",
    "gimp/maskwright/__pycache__/maskwright.pyc": b"compiled",
    "shared/maskwright_client/__init__.py": b"",
    "shared/maskwright_client/client.py": b"one\ntwo\n",
    "gimp/dialog.jpg": b"picture",
}


class Desk:
    """The home, GIMP's settings in it, and the plug-in's sources."""

    def __init__(self, home: Path, version: str, sources: Path) -> None:
        self.home, self.sources = home, sources
        self.environ: dict[str, str] = {}
        self.root = home / "no root"
        self.profile = home / ".config/GIMP" / version
        self.plug_ins = self.profile / "plug-ins"
        self.plug_ins.mkdir(parents=True, exist_ok=True)

    @property
    def script(self) -> Path:
        """Where GIMP reads it."""
        return self.plug_ins / "maskwright/maskwright.py"

    def put(self, name: str = "maskwright", folder: Path | None = None) -> Path:
        """A plug-in as it should be, in a folder of that name."""
        target = (folder or self.plug_ins) / name
        skip = shutil.ignore_patterns("__pycache__")
        shutil.copytree(self.sources / "gimp/maskwright", target, ignore=skip)
        shutil.copytree(self.sources / "shared", target, ignore=skip, dirs_exist_ok=True)
        (target / "maskwright.py").chmod(0o755)
        return target

    def hosts(self, platform: str = "linux") -> list[Host]:
        """Every editor, on a machine where none is installed unless a test did that."""
        return find_hosts(self.home, self.environ, platform, self._which, self.root)

    def install(self) -> Path:
        """Have a package of the system bring GIMP; its folder for everybody's plug-ins."""
        program = self.root / "usr/bin/gimp-3.0"
        program.parent.mkdir(parents=True)
        program.touch()
        shared = self.root / "usr/lib/x86_64-linux-gnu/gimp/3.0/plug-ins"
        shared.mkdir(parents=True)
        return shared

    def _which(self, name: str) -> str | None:
        program = self.root / "usr/bin" / name
        return str(program) if program.exists() else None

    def host(self) -> Host:
        """The GIMP that would start."""
        versions = (None,) if "GIMP3_DIRECTORY" in self.environ else (self.profile.name,)
        return next(host for host in self.hosts() if host.version in versions)

    def finding(self) -> Finding:
        """How the plug-in stands in it."""
        return examine(self.host(), self.hosts(), self.sources)

    def repair(self) -> list[str]:
        """Mend it; what was done."""
        return list(repair(self.host(), self.hosts(), self.sources))


def small_desk(folder: Path, home: Path | None = None) -> Desk:
    """One with GIMP 3.0 and a plug-in of few lines, in a folder for a test."""
    for name, content in _SMALL_SOURCES.items():
        (folder / "plugin" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "plugin" / name).write_bytes(content)
    return Desk(home or folder / "home", "3.0", folder / "plugin")


Breakage = Callable[[Desk], Finding]
"""Puts the plug-in there and breaks it; what is to be found then."""


def not_executable(desk: Desk) -> Finding:
    script = desk.put() / "maskwright.py"
    script.chmod(0o644)
    return Finding(PluginState.not_executable, script)


def begun_with(line: bytes) -> Breakage:
    def break_it(desk: Desk) -> Finding:
        script = desk.put() / "maskwright.py"
        script.write_bytes(line + script.read_bytes().partition(b"\n")[2])
        return Finding(PluginState.bad_first_line, script)

    return break_it


def without(part: str) -> Breakage:
    def break_it(desk: Desk) -> Finding:
        path = desk.put() / part
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        return Finding(PluginState.incomplete, desk.script.parent, (part.split("/")[0],))

    return break_it


def _moved(desk: Desk, *names: str) -> Path:
    """The plug-in in another place below `plug-ins`."""
    target = desk.plug_ins.joinpath(*names)
    held = desk.put().rename(desk.home / "held")
    target.parent.mkdir(parents=True, exist_ok=True)
    return held.rename(target)


def another_name(desk: Desk) -> Finding:
    return Finding(PluginState.misnamed, _moved(desk, "maskwright-main") / "maskwright.py")


def the_whole_repository(desk: Desk) -> Finding:
    folder = _moved(desk, "maskwright-main", "plugin", "gimp", "maskwright")
    return Finding(PluginState.misnamed, folder / "maskwright.py")


def one_deeper(desk: Desk) -> Finding:
    folder = _moved(desk, "maskwright", "maskwright")
    return Finding(PluginState.misnamed, folder / "maskwright.py")


def loose(desk: Desk) -> Finding:
    for path in desk.put().iterdir():
        path.rename(desk.plug_ins / path.name)
    desk.script.parent.rmdir()
    return Finding(PluginState.misnamed, desk.plug_ins / "maskwright.py")


def other_case(desk: Desk) -> Finding:
    folder = _moved(desk, "Maskwright")
    return Finding(PluginState.misnamed, folder / "maskwright.py")


def another_version(desk: Desk) -> Finding:
    (desk.put() / "maskwright_client/client.py").write_bytes(b"one\nmore\n")
    return Finding(PluginState.other_version, desk.script.parent, ("maskwright_client",))


def another_script(desk: Desk) -> Finding:
    with (desk.put() / "maskwright.py").open("ab") as file:
        file.write(b"# more\n")
    return Finding(PluginState.other_version, desk.script.parent, ("maskwright.py",))


def in_old_settings(desk: Desk) -> Finding:
    folder = desk.put(folder=desk.profile.with_name("2.10") / "plug-ins")
    return Finding(PluginState.other_profile, folder / "maskwright.py")


def in_other_settings(desk: Desk) -> Finding:
    other = "3.2" if desk.profile.name == "3.0" else "3.0"
    folder = desk.put(folder=desk.profile.with_name(other) / "plug-ins")
    return Finding(PluginState.other_profile, folder / "maskwright.py")


def inside_the_sandbox(desk: Desk) -> Finding:
    inside = desk.home / ".var/app/org.gimp.GIMP/config/GIMP" / desk.profile.name / "plug-ins"
    return Finding(PluginState.other_profile, desk.put(folder=inside) / "maskwright.py")


def where_gimp_is_directed_away(desk: Desk) -> Finding:
    desk.environ["GIMP3_DIRECTORY"] = "elsewhere"
    shutil.copytree(desk.profile, desk.home / "elsewhere")
    return Finding(PluginState.other_profile, desk.put() / "maskwright.py")


def not_searched(desk: Desk) -> Finding:
    with (desk.profile / "gimprc").open("a") as file:
        file.write('(plug-in-path "${gimp_plug_in_dir}/plug-ins:~/mine")\n')
    return Finding(PluginState.not_searched, desk.put() / "maskwright.py")


def twice(desk: Desk) -> Finding:
    desk.put()
    folder = desk.put("maskwright-old")
    (folder / "maskwright.py").rename(folder / "maskwright-old.py")
    return Finding(PluginState.twice, folder)


BREAKAGES: Mapping[str, Breakage] = {
    "not executable": not_executable,
    "no first line": begun_with(b""),
    "a byte order mark": begun_with(b"\xef\xbb\xbf#!/usr/bin/env python3\n"),
    "a Python that is not there": begun_with(b"#!/opt/nowhere/python3\n"),
    "no script": without("maskwright.py"),
    "no package of its own": without("maskwright_gimp"),
    "no client": without("maskwright_client"),
    "another name": another_name,
    "one deeper": one_deeper,
    "loose": loose,
    "another version": another_version,
    "in 2.10's settings": in_old_settings,
    "in another 3's settings": in_other_settings,
    "inside Flatpak's sandbox": inside_the_sandbox,
    "GIMP3_DIRECTORY": where_gimp_is_directed_away,
    "not searched": not_searched,
    "twice": twice,
}
