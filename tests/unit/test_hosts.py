import os
import plistlib
from pathlib import Path

import pytest
from maskwright.hosts import Flavour, Host, HostKind, find_hosts


class Machine:
    """A file system of its own, with a user, programs on the path and an environment."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.home = folder / "home/ann müller"
        self.environ: dict[str, str] = {}
        self.home.mkdir(parents=True)

    def folder(self, name: str) -> Path:
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def own(self, name: str) -> Path:
        return self.folder(f"home/ann müller/{name}")

    def program(self, name: str, link: str | None = None) -> Path:
        path = self.folder("usr/bin") / name
        if link is not None:
            (path.parent / link).touch()
            path.symlink_to(link)
        else:
            path.touch()
        return path

    def which(self, name: str) -> str | None:
        path = self.root / "usr/bin" / name
        return str(path) if path.exists() else None

    def hosts(self, platform: str = "linux") -> list[Host]:
        return find_hosts(self.home, self.environ, platform, self.which, self.root)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def brief(hosts: list[Host]) -> list[tuple[str, str | None, str]]:
    return [(host.kind.value, host.version, host.flavour.value) for host in hosts]


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_an_empty_machine_has_none(machine: Machine, platform: str) -> None:
    assert machine.hosts(platform) == []


def gimp(version: str | None, flavour: Flavour, profile: Path, program: Path | None) -> Host:
    """One whose settings say nothing about folders."""
    usual = profile / "plug-ins"
    return Host(HostKind.gimp, version, flavour, usual, program, profile / "gimprc", (usual,))


def test_a_distributions_gimp(machine: Machine) -> None:
    program = machine.program("gimp", link="gimp-3.0")
    folder = machine.own(".config/GIMP/3.0")
    (host,) = machine.hosts()
    assert host == gimp("3.0", Flavour.system, folder, program.with_name("gimp-3.0"))
    assert host.has_settings


def test_a_gimp_that_was_never_started(machine: Machine) -> None:
    machine.program("gimp", link="gimp-3.2")
    (host,) = machine.hosts()
    assert host.plugin_folder == machine.home / ".config/GIMP/3.2/plug-ins"
    assert not host.has_settings


def test_a_gimp_whose_version_nobody_knows(machine: Machine) -> None:
    program = machine.program("gimp")
    (host,) = machine.hosts()
    assert host == Host(HostKind.gimp, None, Flavour.system, None, program)
    folder = machine.own(".config/GIMP/3.2")
    (host,) = machine.hosts()
    assert host == gimp("3.2", Flavour.system, folder, program)


def test_gimp_2_is_none_of_ours(machine: Machine) -> None:
    machine.program("gimp", link="gimp-2.10")
    machine.own(".config/GIMP/2.10")
    assert machine.hosts() == []


def test_every_version_has_its_own_folder(machine: Machine) -> None:
    for version in ("3.10", "3.2", "3.0", "2.99", "3.0.bak", "backup"):
        machine.own(f".config/GIMP/{version}")
    machine.program("gimp", link="gimp-3.2")
    assert [host.version for host in machine.hosts()] == ["3.0", "3.2", "3.10"]


def test_settings_without_a_program_are_an_appimages(machine: Machine) -> None:
    machine.own(".config/GIMP/3.0")
    machine.own(".local/share/krita")
    assert brief(machine.hosts()) == [("gimp", "3.0", "portable"), ("krita", None, "portable")]


def test_the_environment_moves_folders(machine: Machine) -> None:
    config, data = machine.folder("elsewhere/config"), machine.folder("elsewhere/data")
    machine.environ |= {"XDG_CONFIG_HOME": str(config), "XDG_DATA_HOME": str(data)}
    (config / "GIMP/3.0").mkdir(parents=True)
    (data / "krita").mkdir()
    gimp, krita = machine.hosts()
    assert gimp.plugin_folder == config / "GIMP/3.0/plug-ins"
    assert krita.plugin_folder == data / "krita/pykrita"
    assert krita.settings_file == config / "kritarc"
    machine.environ["XDG_CONFIG_HOME"] = "relative"  # not allowed by the standard: not there
    assert brief(machine.hosts()) == [("krita", None, "portable")]


def test_a_gimp_profile_of_its_own(machine: Machine) -> None:
    machine.environ["GIMP3_DIRECTORY"] = str(machine.folder("profile"))
    program = machine.program("gimp")
    (host,) = machine.hosts()
    assert host == gimp(None, Flavour.directed, machine.root / "profile", program)
    machine.environ["GIMP3_DIRECTORY"] = "mine"
    (host,) = machine.hosts()
    assert host.plugin_folder == machine.home / "mine/plug-ins"


@pytest.mark.parametrize(
    ("place", "library"),
    [("usr", "lib/x86_64-linux-gnu"), ("usr", "lib64"), ("usr/local", "lib"), ("opt/gimp", "lib")],
)
def test_where_a_package_puts_plug_ins_for_everybody(
    machine: Machine, place: str, library: str
) -> None:
    shared = machine.folder(f"{place}/{library}/gimp/3.0") / "plug-ins"
    program = machine.folder(f"{place}/bin") / "gimp-3.2"
    program.touch()
    if place != "usr":
        (machine.folder("usr/bin") / "gimp").symlink_to(program)
    else:
        machine.program("gimp", link="gimp-3.2")
    machine.own(".config/GIMP/3.2")
    (host,) = machine.hosts()
    assert host.shared == shared
    assert host.searched == (host.plugin_folder,)


def test_a_gimp_without_settings_has_everybodys_plug_ins(machine: Machine) -> None:
    machine.program("gimp")
    shared = machine.folder("usr/lib/gimp/3.0/plug-ins")
    (host,) = machine.hosts()
    assert (host.version, host.plugin_folder, host.shared) == (None, None, shared)


@pytest.mark.parametrize(
    ("of_the_system", "users", "searched", "is_shared"),
    [
        ("", "", ["plug-ins"], True),
        ("", '(plug-in-path "${gimp_dir}/mine")', ["mine"], False),
        ("", '(plug-in-path "${gimp_dir}/mine:${gimp_plug_in_dir}/plug-ins")', ["mine"], True),
        ("", '(plug-in-path "SHARED:${gimp_dir}/mine")', ["mine"], True),
        ('(plug-in-path "${gimp_dir}/mine")', "", ["mine"], False),
        ('(plug-in-path "/no")', '(plug-in-path "${gimp_dir}/mine:SHARED")', ["mine"], True),
    ],
)
def test_whether_gimp_looks_where_packages_put_plug_ins(
    machine: Machine, of_the_system: str, users: str, searched: list[str], is_shared: bool
) -> None:
    machine.program("gimp", link="gimp-3.0")
    shared = machine.folder("usr/lib/x86_64-linux-gnu/gimp/3.0/plug-ins")
    profile = machine.own(".config/GIMP/3.0")
    (machine.folder("etc/gimp/3.0") / "gimprc").write_text(of_the_system)
    (profile / "gimprc").write_text(users.replace("SHARED", str(shared)))
    (host,) = machine.hosts()
    assert host.searched == tuple(profile / name for name in searched)
    assert host.shared == (shared if is_shared else None)


def test_a_gimp_in_a_sandbox_has_folders_of_its_own(machine: Machine) -> None:
    machine.program("gimp", link="gimp-3.0")
    machine.folder("usr/lib/x86_64-linux-gnu/gimp/3.0/plug-ins")
    machine.own(".var/app/org.gimp.GIMP/config/GIMP/3.0")
    machine.own("snap/gimp/current/.config/GIMP/3.0")
    shared = [host.shared is not None for host in machine.hosts()]
    assert shared == [True, False, False]


@pytest.mark.parametrize(
    ("settings", "folder", "searched"),
    [
        ("", "plug-ins", ["plug-ins"]),
        ('(theme "x")\n# (plug-in-path "/no")\n', "plug-ins", ["plug-ins"]),
        ('(plug-in-path "${gimp_plug_in_dir}/plug-ins:${gimp_dir}/mine")', "mine", ["mine"]),
        ('(plug-in-path "${gimp_dir}/x:${gimp_dir}/plug-ins")', "plug-ins", ["x", "plug-ins"]),
        ('(plug-in-path "${gimp_dir}/x")\n(plug-in-path "${gimp_dir}/y")', "y", ["y"]),
        ('(plug-in-path "${HOUSE}/a:b/c:~/d \\"e\\"")', "/a", ["/a", '~/d "e"']),
        ('(plug-in-path "${NOBODY}/x:${gimp_dir}/y")', "plug-ins", ["plug-ins"]),
        ('(plug-in-path "${gimp_plug_in_dir}/plug-ins")', "plug-ins", []),
    ],
)
def test_gimprc_says_where_gimp_looks(
    machine: Machine, settings: str, folder: str, searched: list[str]
) -> None:
    profile = machine.own(".config/GIMP/3.0")
    machine.environ["HOUSE"] = str(machine.root)
    (profile / "gimprc").write_text(settings)

    def path(name: str) -> Path:
        if name.startswith("~"):
            return machine.home / name[2:]
        return machine.root / name[1:] if name.startswith("/") else profile / name

    (host,) = machine.hosts()
    assert host.plugin_folder == path(folder)
    assert host.searched == tuple(map(path, searched))


def test_a_folder_that_may_not_be_written_is_not_the_users(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = machine.own(".config/GIMP/3.0")
    shared, mine = machine.folder("srv/shared"), machine.folder("srv/mine")
    (profile / "gimprc").write_text(f'(plug-in-path "{shared}:{mine}/new/deeper")')
    monkeypatch.setattr(os, "access", lambda path, mode: path != shared)  # root may do everything
    (host,) = machine.hosts()
    assert host.plugin_folder == mine / "new/deeper"


def test_flatpak_gimp_with_folders_of_its_own(machine: Machine) -> None:
    machine.folder("var/lib/flatpak/app/org.gimp.GIMP")
    assert machine.hosts() == [Host(HostKind.gimp, None, Flavour.flatpak, None, None)]
    inside = machine.own(".var/app/org.gimp.GIMP/config/GIMP/3.2")
    (host,) = machine.hosts()
    assert host.plugin_folder == inside / "plug-ins"


def test_flatpak_gimp_uses_the_users_folder_where_there_is_one(machine: Machine) -> None:
    machine.own(".local/share/flatpak/app/org.gimp.GIMP")
    shared = machine.own(".config/GIMP/3.0")
    inside = machine.own(".var/app/org.gimp.GIMP/config/GIMP/3.0")
    hosts = machine.hosts()
    assert brief(hosts) == [("gimp", "3.0", "flatpak")] * 2
    assert [host.plugin_folder for host in hosts] == [shared / "plug-ins", inside / "plug-ins"]
    assert [host.in_use for host in hosts] == [True, False]


FLATHUB = "[Application]\nname=org.gimp.GIMP\n[Context]\nfilesystems={}host;\n"


@pytest.mark.parametrize(
    ("wish", "override", "shared"),
    [
        ("xdg-config/GIMP:create;", "", True),
        ("xdg-config/GIMP;", "[Context]\nfilesystems=~/photos;\n", True),
        ("", "", False),
        ("", "[Context]\nfilesystems=xdg-config:ro;\n", True),
        ("xdg-config/GIMP:create;", "[Context]\nfilesystems=!xdg-config/GIMP;\n", False),
        ("xdg-config/GIMP:create;", "\0 no such file \xff", True),
    ],
)
def test_flatpaks_permissions_say_whose_settings_count(
    machine: Machine, wish: str, override: str, shared: bool
) -> None:
    active = machine.folder("var/lib/flatpak/app/org.gimp.GIMP/current/active")
    (active / "metadata").write_text(FLATHUB.format(wish))
    (machine.own(".local/share/flatpak/overrides") / "org.gimp.GIMP").write_text(override)
    machine.own(".config/GIMP/3.2")
    machine.own(".var/app/org.gimp.GIMP/config/GIMP/3.2")
    outside, inside = machine.hosts()
    assert inside.in_use is not shared
    assert outside.flavour is (Flavour.flatpak if shared else Flavour.portable)


def test_snap_gimp(machine: Machine) -> None:
    machine.folder("snap/gimp")
    machine.program("gimp", link="snap")
    assert machine.hosts() == [Host(HostKind.gimp, None, Flavour.snap, None, None)]
    inside = machine.own("snap/gimp/current/.config/GIMP/3.0")
    (host,) = machine.hosts()
    assert host == gimp("3.0", Flavour.snap, inside, None)


def test_kritas(machine: Machine) -> None:
    program = machine.program("krita")
    machine.own(".var/app/org.kde.krita")
    machine.own("snap/krita/current/.local/share/krita")
    system, flatpak, snap = machine.hosts()
    assert system.executable == program
    assert system.plugin_folder == machine.home / ".local/share/krita/pykrita"
    assert system.settings_file == machine.home / ".config/kritarc"
    assert system.searched == (system.plugin_folder,)
    assert system.shared == machine.root / "usr/share/krita/pykrita"
    assert (flatpak.shared, snap.shared) == (None, None)
    sandbox = machine.home / ".var/app/org.kde.krita"
    assert flatpak.plugin_folder == sandbox / "data/krita/pykrita"
    assert flatpak.settings_file == sandbox / "config/kritarc"
    assert snap.flavour is Flavour.snap


@pytest.mark.parametrize(
    ("settings", "folder"),
    [
        ("ResourceDirectory={}/my art\n[python]\n", "my art"),
        ("ResourceDirectory = {}/my art \n", "my art"),
        ("ResourceDirectory={}/x\r\nResourceDirectory={}/y\r\n", "y"),
        ("ResourceDirectory={}/a\\sb\\\\c\\xc3\\xbc\n", "a b\\cü"),
        ("ResourceDirectory=\n", None),
        ("ResourceDirectory=relative\n", None),
        ("[krita]\nResourceDirectory={}/my art\n", None),
    ],
)
def test_kritarc_says_where_the_resources_are(
    machine: Machine, settings: str, folder: str | None
) -> None:
    usual = machine.own(".local/share/krita") / "pykrita"
    (machine.own(".config") / "kritarc").write_text(settings.replace("{}", str(machine.root)))
    (host,) = machine.hosts()
    assert host.plugin_folder == (machine.root / folder / "pykrita" if folder else usual)
    assert host.usual_folder == usual


def test_resources_on_a_disk_that_is_not_there(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = machine.own(".local/share/krita") / "pykrita"
    media = machine.folder("media")
    (machine.own(".config") / "kritarc").write_text(f"ResourceDirectory={media}/disk/krita\n")
    monkeypatch.setattr(os, "access", lambda path, mode: path != media)  # root may do everything
    (host,) = machine.hosts()
    assert host.plugin_folder == usual


@pytest.mark.parametrize(
    ("built_with", "there", "lacks"),
    [
        (b"\0libQt5Core.so.5\0", "lib/python3/dist-packages/PyQt5/QtCore.abi3.so", None),
        (b"\0libQt5Core.so.5\0", "local/lib/python3.13/dist-packages/PyQt5/QtCore.abi3.so", None),
        (b"\0libQt5Core.so.5\0", "lib/python3/dist-packages/PyQt5/__init__.py", "PyQt5"),
        (b"\0libQt6Core.so.6\0", "lib/python3/dist-packages/PyQt5/QtCore.abi3.so", "PyQt6"),
        (b"\0libQt6Core.so.6\0", "lib64/python3.14/site-packages/PyQt6/QtCore.so", None),
        (b"something else", "lib/python3/dist-packages/PyQt5/__init__.py", None),
    ],
)
def test_the_qt_that_kritas_python_needs(
    machine: Machine, built_with: bytes, there: str, lacks: str | None
) -> None:
    machine.program("krita")
    assert machine.hosts()[0].lacks is None
    (machine.folder("usr/lib/x86_64-linux-gnu/kritaplugins") / "kritapykrita.so").write_bytes(
        built_with
    )
    module = machine.root / "usr" / there
    module.parent.mkdir(parents=True)
    module.touch()
    assert machine.hosts()[0].lacks == lacks


def test_a_krita_of_the_users_own_brings_its_python(machine: Machine) -> None:
    program = machine.program("krita")
    (machine.folder("usr/lib/kritaplugins") / "kritapykrita.so").write_bytes(b"libQt5Core")
    assert machine.hosts()[0].lacks == "PyQt5"
    own = machine.folder("opt/krita/bin") / "krita"
    program.rename(own)
    program.symlink_to(own)
    assert machine.hosts()[0].lacks is None


@pytest.mark.parametrize(
    ("content", "version"),
    [(b"5.2.9", "5.2.9"), (b"5.3.0-beta1 (git 1234)\n", "5.3.0"), (b"", None), (b"\xff", None)],
)
def test_the_krita_that_was_started(machine: Machine, content: bytes, version: str | None) -> None:
    (machine.own(".local/share/krita") / "KRITA_RESOURCE_VERSION").write_bytes(content)
    (host,) = machine.hosts()
    assert host.version == version


def test_macos(machine: Machine) -> None:
    contents = machine.folder("Applications/GIMP.app/Contents")
    (contents / "Info.plist").write_bytes(plistlib.dumps({"CFBundleShortVersionString": "3.0.4"}))
    machine.folder("Applications/krita.app")
    found, krita = machine.hosts("darwin")
    support = machine.home / "Library/Application Support"
    assert found == gimp("3.0", Flavour.macos, support / "GIMP/3.0", contents / "MacOS/gimp")
    assert krita.plugin_folder == support / "Krita/pykrita"
    assert krita.settings_file == machine.home / "Library/Preferences/kritarc"


@pytest.mark.parametrize(("version", "count"), [("2.10.38", 0), (None, 1)])
def test_macos_with_an_old_or_unreadable_gimp(
    machine: Machine, version: str | None, count: int
) -> None:
    contents = machine.folder("Applications/GIMP-2.10.app/Contents")
    content = plistlib.dumps({"CFBundleShortVersionString": version}) if version else b"junk"
    (contents / "Info.plist").write_bytes(content)
    assert len(machine.hosts("darwin")) == count


def test_windows(machine: Machine) -> None:
    roaming, local = machine.own("AppData/Roaming"), machine.own("AppData/Local")
    machine.environ |= {
        "APPDATA": str(roaming),
        "LOCALAPPDATA": str(local),
        "ProgramFiles": str(machine.folder("Program Files")),
    }
    (machine.folder("Program Files/GIMP 3/bin") / "gimp-3.0.exe").touch()
    (machine.folder("Program Files/Krita (x64)/bin") / "krita.exe").touch()
    (roaming / "GIMP/2.10").mkdir(parents=True)
    cache = machine.own("AppData/Local/Packages/49800Krita_abc/LocalCache")
    gimp, krita, store = machine.hosts("win32")
    assert gimp.plugin_folder == roaming / "GIMP/3.0/plug-ins"
    assert gimp.executable is not None
    assert gimp.executable.name == "gimp-3.0.exe"
    assert krita.plugin_folder == roaming / "krita/pykrita"
    assert krita.settings_file == local / "kritarc"
    assert store.flavour is Flavour.store
    assert store.plugin_folder == cache / "Roaming/krita/pykrita"


def test_windows_per_user_gimp_of_unknown_version(machine: Machine) -> None:
    (machine.own("AppData/Local/Programs/GIMP 3/bin") / "gimp-3.exe").touch()
    (host,) = machine.hosts("win32")
    assert (host.version, host.plugin_folder) == (None, None)
    folder = machine.own("AppData/Roaming/GIMP/3.2")
    (host,) = machine.hosts("win32")
    assert host.plugin_folder == folder / "plug-ins"
