"""Where GIMP 3 and Krita are on this machine; looks at files only, starts nothing."""

import plistlib
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from . import flatpak, gimprc, kritarc
from .files import may_be_written
from .host import Flavour, Host, HostKind

Which = Callable[[str], str | None]

_GIMP_FLATPAK = "org.gimp.GIMP"
_KRITA_FLATPAK = "org.kde.krita"
_GIMP_COMMANDS = ("gimp-3.4", "gimp-3.2", "gimp-3.0", "gimp-3", "gimp")
_VERSION = re.compile(r"3(?:\.\d+)+")
_LIBRARIES = ("lib/*", "lib64", "lib")  # Debian, Fedora, Arch
_NOTHING: Mapping[str | None, Path] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Place:
    """The surroundings of a search."""

    home: Path
    environ: Mapping[str, str]
    which: Which
    root: Path

    def folder(self, variable: str, default: Path) -> Path:
        """The folder that an environment variable names, if it is an absolute path."""
        named = Path(self.environ.get(variable, ""))
        return named if named.is_absolute() else default

    @property
    def flatpaks(self) -> tuple[Path, ...]:
        """Where Flatpak installs: for everybody first, then for this user."""
        data = self.folder("XDG_DATA_HOME", self.home / ".local/share")
        bases = (self.root / "var/lib", self.home / ".local/share", data)
        return tuple(dict.fromkeys(base / "flatpak" for base in bases))

    def snap(self, name: str) -> bool:
        """Whether a Snap is installed."""
        mounts = (self.root / "snap", self.root / "var/lib/snapd/snap")
        return any((mount / name).is_dir() for mount in mounts)


def find_hosts(
    home: Path,
    environ: Mapping[str, str],
    platform: str = sys.platform,
    which: Which = shutil.which,
    root: Path = Path("/"),
) -> list[Host]:
    """Every GIMP 3 and Krita of this user; `root` stands for the top of the file system."""
    place = _Place(home, environ, which, root)
    if platform == "win32":
        found = [*_windows_gimp(place), *_windows_krita(place)]
    elif platform == "darwin":
        found = [*_macos_gimp(place), *_macos_krita(place)]
    else:
        found = [*_linux_gimp(place), *_linux_krita(place)]
    return list(dict.fromkeys(found))


def _settings_folders(base: Path) -> list[Path]:
    """GIMP's settings folders for each version 3 in `base`, oldest first."""
    try:
        names = [entry.name for entry in base.iterdir() if entry.is_dir()]
    except OSError:
        return []
    versions = [name for name in names if _VERSION.fullmatch(name)]
    return [base / name for name in sorted(versions, key=_numbers)]


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _gimps(
    place: _Place,
    folders: list[Path],
    flavour: Flavour,
    executables: Mapping[str | None, Path] = _NOTHING,
) -> Iterator[Host]:
    """A host for each settings folder; `executables` by version, None for an unknown one."""
    for folder in folders:
        executable = executables.get(folder.name) or executables.get(None)
        yield _gimp(place, folder, flavour, executable, version=folder.name)


def _gimp(
    place: _Place,
    profile: Path,
    flavour: Flavour,
    executable: Path | None,
    *,
    version: str | None = None,
) -> Host:
    separator = ";" if flavour is Flavour.windows else ":"
    shared, of_the_system = _gimp_installation(place, flavour, executable)
    folders = gimprc.searched_folders(
        profile, place.home, place.environ, separator, shared, of_the_system
    )
    searched = tuple(folder for folder in folders if folder != shared)
    return Host(
        HostKind.gimp,
        version,
        flavour,
        gimprc.own_folder(profile, searched),
        executable,
        profile / "gimprc",
        searched,
        shared if shared in folders else None,
    )


def _gimp_installation(
    place: _Place, flavour: Flavour, program: Path | None
) -> tuple[Path | None, Path | None]:
    """Where a package of the system puts plug-ins for all users of a GIMP, and their gimprc.

    Every GIMP 3 has the same folders, which are called after the first.
    """
    if program is None or flavour not in (Flavour.system, Flavour.directed):
        return None, None
    prefix = _prefix(program)
    usr = prefix == (place.root / "usr").resolve()
    settings = (place.root if usr else prefix) / "etc/gimp/3.0/gimprc"
    places = (path for lib in _LIBRARIES for path in sorted(prefix.glob(f"{lib}/gimp/3.0")))
    return next((path / "plug-ins" for path in places), None), settings


def _prefix(program: Path) -> Path:
    """The folder that an installation is in, like /usr."""
    return program.resolve().parent.parent


def _linux_gimp(place: _Place) -> Iterator[Host]:
    config = place.folder("XDG_CONFIG_HOME", place.home / ".config") / "GIMP"
    folders = _settings_folders(config)
    programs = _linux_gimp_programs(place.which)
    # A version that was installed and never started makes its folder at its first start.
    fresh = [config / version for version in programs if version is not None]
    folders = sorted({*folders, *fresh}, key=lambda folder: _numbers(folder.name))
    directed = place.environ.get("GIMP3_DIRECTORY")
    if directed:  # a relative one counts from the home folder
        program = next(iter(programs.values()), None)
        yield _gimp(place, place.home / directed, Flavour.directed, program)
    sandbox = place.home / ".var/app" / _GIMP_FLATPAK
    is_flatpak = flatpak.is_installed(place.flatpaks, _GIMP_FLATPAK) or sandbox.is_dir()
    shared = is_flatpak and flatpak.shares_settings(place.flatpaks, _GIMP_FLATPAK, "GIMP")
    without = Flavour.flatpak if shared else Flavour.portable
    yield from _gimps(place, folders, Flavour.system if programs else without, programs)
    if programs and not folders and not directed:
        yield _never_started(place, programs[None])
    if is_flatpak:
        inside = _settings_folders(sandbox / "config/GIMP")
        for host in _gimps(place, inside, Flavour.flatpak):
            yield replace(host, in_use=not (shared and config.is_dir()))
        if not inside and not (shared and folders):
            yield Host(HostKind.gimp, None, Flavour.flatpak, None, None)
    yield from _snap_gimp(place)


def _never_started(place: _Place, program: Path) -> Host:
    """A GIMP of the system whose version nobody knows, so nobody knows its settings' folder."""
    shared, _ = _gimp_installation(place, Flavour.system, program)
    return Host(HostKind.gimp, None, Flavour.system, None, program, shared=shared)


def _linux_gimp_programs(which: Which) -> dict[str | None, Path]:
    """The GIMP 3 programs on the path by version; `gimp` usually is a link to `gimp-3.0`."""
    found: dict[str | None, Path] = {}
    for command in _GIMP_COMMANDS:
        path = _installed(which, command)
        if path is None:
            continue
        name = path.resolve().name
        version = _VERSION.search(name)
        if version is not None:
            found.setdefault(version.group(), path)
        elif not re.search(r"-2\.", name) and not found:
            found[None] = path
    return found


def _installed(which: Which, command: str) -> Path | None:
    """The program of that name, unless it is a Snap's, whose commands all are links to `snap`."""
    path = which(command)
    return None if path is None or Path(path).resolve().name == "snap" else Path(path)


def _snap_gimp(place: _Place) -> Iterator[Host]:
    home = place.home / "snap/gimp"
    bases = [home / part / ".config/GIMP" for part in ("current", "common")]
    folders = [folder for base in bases for folder in _settings_folders(base)]
    yield from _gimps(place, folders, Flavour.snap)
    if not folders and (place.snap("gimp") or home.is_dir()):
        yield Host(HostKind.gimp, None, Flavour.snap, None, None)


def _linux_krita(place: _Place) -> Iterator[Host]:
    data = place.folder("XDG_DATA_HOME", place.home / ".local/share") / "krita"
    config = place.folder("XDG_CONFIG_HOME", place.home / ".config")
    program = _installed(place.which, "krita")
    if program is not None or data.is_dir():
        flavour = Flavour.portable if program is None else Flavour.system
        lacks = None if program is None else _missing_pyqt(place, program)
        shared = None if program is None else _prefix(program) / "share/krita/pykrita"
        yield replace(_krita(flavour, data, config, program), lacks=lacks, shared=shared)
    sandbox = place.home / ".var/app" / _KRITA_FLATPAK
    if flatpak.is_installed(place.flatpaks, _KRITA_FLATPAK) or sandbox.is_dir():
        yield _krita(Flavour.flatpak, sandbox / "data/krita", sandbox / "config")
    for part in ("current", "common"):
        home = place.home / "snap/krita" / part
        if (home / ".local/share/krita").is_dir():
            yield _krita(Flavour.snap, home / ".local/share/krita", home / ".config")


def _krita(
    flavour: Flavour, resources: Path, settings: Path, executable: Path | None = None
) -> Host:
    moved = kritarc.resource_folder(settings / "kritarc")
    folder = moved if moved and may_be_written(moved) else resources
    return Host(
        HostKind.krita,
        _krita_version(folder),
        flavour,
        folder / "pykrita",
        executable,
        settings / "kritarc",
        searched=(folder / "pykrita",),
        usual_folder=resources / "pykrita",
    )


def _missing_pyqt(place: _Place, program: Path) -> str | None:
    """The PyQt that a distribution's Krita needs and has not got; some only recommend it."""
    usr = place.root / "usr"
    if _prefix(program) != usr.resolve():
        return None
    for pykrita in (*usr.glob("lib*/kritaplugins"), *usr.glob("lib/*/kritaplugins")):
        try:
            built_with = re.search(rb"libQt(\d)Core", (pykrita / "kritapykrita.so").read_bytes())
        except OSError:
            continue
        if built_with:
            pyqt = f"PyQt{built_with[1].decode()}"
            packages = f"python3*/*-packages/{pyqt}/QtCore*"
            places = (usr / "lib", usr / "lib64", usr / "local/lib", place.home / ".local/lib")
            return None if any(any(lib.glob(packages)) for lib in places) else pyqt
    return None


def _krita_version(resources: Path) -> str | None:
    """The newest Krita that has been started with these resources."""
    try:
        text = (resources / "KRITA_RESOURCE_VERSION").read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return None
    version = re.match(r"\d+(?:\.\d+)+", text)
    return version.group() if version else None


def _macos_applications(place: _Place, pattern: str) -> list[Path]:
    bases = (place.root / "Applications", place.home / "Applications")
    return [app for base in bases for app in sorted(base.glob(pattern))]


def _macos_gimp(place: _Place) -> Iterator[Host]:
    support = place.home / "Library/Application Support/GIMP"
    programs: dict[str | None, Path] = {}
    for app in _macos_applications(place, "GIMP*.app"):
        version = _bundle_version(app)
        if version is None or version.startswith("3."):
            minor = ".".join(version.split(".")[:2]) if version else None
            programs.setdefault(minor, app / "Contents/MacOS/gimp")
    fresh = {support / version for version in programs if version is not None}
    folders = sorted(
        {*_settings_folders(support), *fresh}, key=lambda folder: _numbers(folder.name)
    )
    yield from _gimps(place, folders, Flavour.macos, programs)
    if programs and not folders:
        yield Host(HostKind.gimp, None, Flavour.macos, None, programs[None])


def _bundle_version(app: Path) -> str | None:
    try:
        info = plistlib.loads((app / "Contents/Info.plist").read_bytes())
        version = info["CFBundleShortVersionString"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return version if isinstance(version, str) else None


def _macos_krita(place: _Place) -> Iterator[Host]:
    resources = place.home / "Library/Application Support/Krita"
    apps = _macos_applications(place, "[Kk]rita*.app")
    if apps or resources.is_dir():
        executable = apps[0] / "Contents/MacOS/krita" if apps else None
        yield _krita(Flavour.macos, resources, place.home / "Library/Preferences", executable)


def _windows_programs(place: _Place, pattern: str) -> list[Path]:
    local = place.folder("LOCALAPPDATA", place.home / "AppData/Local")
    bases = [place.root / "Program Files", local / "Programs"]
    if named := place.environ.get("ProgramFiles"):
        bases.insert(0, Path(named))
    found = [path for base in bases for path in sorted(base.glob(pattern))]
    return list(dict.fromkeys(found))


def _windows_gimp(place: _Place) -> Iterator[Host]:
    roaming = place.folder("APPDATA", place.home / "AppData/Roaming")
    programs: dict[str | None, Path] = {}
    for path in _windows_programs(place, "GIMP 3*/bin/gimp-3*.exe"):
        version = _VERSION.search(path.stem)
        programs.setdefault(version.group() if version else None, path)
    fresh = {roaming / "GIMP" / version for version in programs if version is not None}
    existing = _settings_folders(roaming / "GIMP")
    folders = sorted({*existing, *fresh}, key=lambda folder: _numbers(folder.name))
    yield from _gimps(place, folders, Flavour.windows, programs)
    if programs and not folders:
        yield Host(HostKind.gimp, None, Flavour.windows, None, programs[None])


def _windows_krita(place: _Place) -> Iterator[Host]:
    roaming = place.folder("APPDATA", place.home / "AppData/Roaming")
    local = place.folder("LOCALAPPDATA", place.home / "AppData/Local")
    programs = _windows_programs(place, "Krita*/bin/krita.exe")
    if programs or (roaming / "krita").is_dir():
        executable = programs[0] if programs else None
        yield _krita(Flavour.windows, roaming / "krita", local, executable)
    for cache in sorted((local / "Packages").glob("*Krita*/LocalCache")):
        yield _krita(Flavour.store, cache / "Roaming/krita", cache / "Local")
