"""What is wrong with Krita's plug-in, and what a repair makes of it; real Kritas: tests/hosts."""

import errno
import shutil
from pathlib import Path

import pytest
from krita_desk import (
    BREAKAGES,
    Breakage,
    Desk,
    another_version,
    led_by,
    small_desk,
    switched_off,
)
from maskwright.hosts import (
    Finding,
    HostKind,
    PluginState,
    examine,
    krita_parts,
    repair,
    replace_file,
    system_plug_in,
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return small_desk(tmp_path)


def everything(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, and its content."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_what_it_is_made_of(desk: Desk) -> None:
    parts = krita_parts(desk.sources)
    assert list(parts)[-1] == "pykrita/maskwright.desktop"
    assert everything(desk.put(desk.home / "there")) == {
        name: source.read_bytes() for name, source in parts.items()
    }


def test_as_it_should_be(desk: Desk) -> None:
    desk.settle()
    assert desk.finding() == Finding(PluginState.in_place)
    before = everything(desk.home)
    assert desk.repair() == []
    assert everything(desk.home) == before


@pytest.mark.parametrize("break_it", BREAKAGES.values())
def test_each_breakage_is_found_and_mended_and_nothing_is_lost(
    desk: Desk, break_it: Breakage
) -> None:
    wanted = break_it(desk)
    assert desk.finding() == wanted
    before = everything(desk.home)
    settings = before.pop(".config/kritarc")
    said = desk.repair()
    assert said
    assert str(desk.home) in said[0]
    assert desk.finding() == Finding(PluginState.in_place)
    folder = desk.host().plugin_folder
    assert folder is not None
    assert everything(desk.put(desk.home / "wanted")).items() <= everything(folder.parent).items()
    after = everything(desk.home)
    assert [content for content in before.values() if content not in after.values()] == []
    lines = after[".config/kritarc"].splitlines()
    assert [
        line for line in settings.splitlines() if line not in lines and b"false" not in line
    ] == []
    assert [path for path in desk.home.rglob(".*-*") if path.is_file()] == []
    assert desk.repair() == []


def test_a_desktop_file_and_nothing_behind_it(desk: Desk) -> None:
    shutil.rmtree(desk.settle())
    found = desk.finding()
    assert found.state is PluginState.incomplete
    assert "pykrita/maskwright/__init__.py" in found.parts
    assert len(desk.repair()) == 1
    assert desk.finding() == Finding(PluginState.in_place)


def test_everything_wrong_at_once(desk: Desk) -> None:
    switched_off(desk)
    (desk.package / "maskwright_client/client.py").write_text("old\n")
    (desk.package / "maskwright_krita/extension.py").unlink()
    (desk.package / "notes.txt").write_text("mine")
    desk.desktop.write_text("[Desktop Entry]\n")
    assert len(desk.repair()) == 3
    assert desk.finding() == Finding(PluginState.in_place)
    assert (desk.pykrita / "maskwright.old/notes.txt").read_text() == "mine"
    assert (desk.pykrita / "maskwright.desktop.old").read_text() == "[Desktop Entry]\n"


def test_what_makes_way_gets_a_free_name(desk: Desk) -> None:
    for number in range(2):
        another_version(desk)
        (desk.package / "number").write_text(str(number))
        desk.repair()
    assert (desk.pykrita / "maskwright.old/number").read_text() == "0"
    assert (desk.pykrita / "maskwright.old-2/number").read_text() == "1"


def test_only_what_is_wrong_makes_way(desk: Desk) -> None:
    led_by("Name=Remove", "Name=Old")(desk)
    assert desk.finding().state is PluginState.other_version
    assert len(desk.repair()) == 1
    assert {path.name for path in desk.pykrita.iterdir()} == {
        *("maskwright", "maskwright.desktop", "maskwright.desktop.old")
    }


@pytest.mark.parametrize("name", ["__init__.py", "notes.txt", ""])
def test_what_is_not_ours_is_left_alone(desk: Desk, name: str) -> None:
    if name:
        desk.package.mkdir()
    (desk.package / name).write_text("import krita\n")
    (desk.pykrita / "copy").mkdir()
    (desk.pykrita / "copy/__init__.py").write_text("import maskwright_krita\n")
    assert desk.finding() == Finding(PluginState.foreign, desk.package)
    before = everything(desk.home)
    assert desk.repair() == []
    assert everything(desk.home) == before


@pytest.mark.parametrize("module", ["theirs/__init__.py", "theirs.py"])
def test_a_desktop_file_of_somebody_elses_plug_in(desk: Desk, module: str) -> None:
    led_by("X-KDE-Library=maskwright", "X-KDE-Library=theirs")(desk)
    (desk.pykrita / module).parent.mkdir(exist_ok=True)
    (desk.pykrita / module).write_text("import krita\n")
    assert desk.finding() == Finding(PluginState.foreign, desk.desktop)
    assert desk.repair() == []


def test_line_ends_of_another_system_are_no_other_version(desk: Desk) -> None:
    desk.settle()
    for path in (*desk.package.rglob("*.py"), desk.desktop):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert desk.finding() == Finding(PluginState.in_place)


def test_a_zip_that_was_unpacked_into_pykrita(desk: Desk) -> None:
    desk.settle()
    action = desk.resources / "actions/maskwright.action"
    held = action.rename(desk.pykrita / action.name)
    assert desk.finding() == Finding(PluginState.in_place)
    held.write_text("<!-- old -->\n")
    assert desk.finding().state is PluginState.other_version
    assert len(desk.repair()) == 1
    assert desk.finding() == Finding(PluginState.in_place)
    assert [path.name for path in desk.pykrita.glob("*.action*")] == ["maskwright.action.old"]


@pytest.mark.parametrize(
    ("name", "closed"), [("krita2", True), ("krita/art", True), ("art", False), ("krit", False)]
)
def test_a_folder_that_krita_leaves_out(desk: Desk, name: str, closed: bool) -> None:
    resources = desk.resources.parent / name
    desk.settings.write_text(f"ResourceDirectory={resources}\n{desk.settings.read_text()}")
    assert len(desk.repair()) == 2
    wanted = Finding(PluginState.closed_folder, resources)
    assert desk.finding() == (wanted if closed else Finding(PluginState.in_place))
    assert desk.repair() == []


def test_a_link_to_a_workshop_makes_way_and_the_workshop_stays(desk: Desk) -> None:
    workshop = desk.settle().rename(desk.home / "workshop")
    (workshop / "maskwright_client/client.py").unlink()
    desk.package.symlink_to(workshop)
    before = everything(workshop)
    assert desk.finding().state is PluginState.incomplete
    assert len(desk.repair()) == 1
    assert everything(workshop) == before
    assert (desk.pykrita / "maskwright.old").is_symlink()
    assert desk.finding() == Finding(PluginState.in_place)


@pytest.mark.parametrize(
    ("version", "old"), [("5.1.5", True), ("5.2.0", False), ("6.0.4.1", False)]
)
def test_a_krita_that_is_too_old(desk: Desk, version: str, old: bool) -> None:
    desk.settle()
    (desk.resources / "KRITA_RESOURCE_VERSION").write_text(version)
    wanted = PluginState.too_old if old else PluginState.in_place
    assert desk.finding() == Finding(wanted)
    assert desk.repair() == []


def test_each_krita_has_its_own(desk: Desk) -> None:
    desk.settle()
    inside = desk.home / ".var/app/org.kde.krita"
    (inside / "config").mkdir(parents=True)
    outside, sandboxed = desk.hosts()
    assert examine(outside, [outside, sandboxed], desk.sources) == Finding(PluginState.in_place)
    found = examine(sandboxed, [outside, sandboxed], desk.sources)
    assert found == Finding(PluginState.other_profile, desk.package)
    assert len(list(repair(sandboxed, desk.hosts(), desk.sources))) == 2
    assert examine(sandboxed, desk.hosts(), desk.sources) == Finding(PluginState.in_place)
    assert (inside / "data/krita/actions/maskwright.action").is_file()
    assert "enable_maskwright=true" in (inside / "config/kritarc").read_text()
    assert (desk.package / "__init__.py").is_file()


def test_a_krita_that_was_never_started_gets_it_too(desk: Desk) -> None:
    shutil.rmtree(desk.resources)
    desk.settings.unlink()
    (desk.home / ".local/share/flatpak/app/org.kde.krita").mkdir(parents=True)
    (host,) = desk.hosts()
    assert examine(host, [host], desk.sources) == Finding(PluginState.missing)
    assert len(list(repair(host, [host], desk.sources))) == 2
    assert examine(host, [host], desk.sources) == Finding(PluginState.in_place)


def test_a_failure_in_the_middle_leaves_what_was_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    another_version(desk)
    before = everything(desk.resources)

    def fail(path: Path, content: bytes, mode: int) -> None:
        if path.name == "extension.py":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        replace_file(path, content, mode)

    monkeypatch.setattr("maskwright.hosts.files.replace_file", fail)
    with pytest.raises(OSError, match="No space left"):
        desk.repair()
    assert everything(desk.resources) == before


@pytest.mark.parametrize("gone", ["krita", "krita/maskwright.action"])
def test_without_sources_nothing_is_put_there(desk: Desk, gone: str) -> None:
    path = desk.sources / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert desk.host().kind is HostKind.krita
    assert desk.finding() == Finding(PluginState.missing)
    assert desk.repair() == []


@pytest.fixture
def shared(desk: Desk) -> Path:
    """The package of a plug-in that is there for everybody."""
    return desk.put(desk.install()) / "pykrita/maskwright"


def test_the_installations_is_switched_on_and_not_copied(desk: Desk, shared: Path) -> None:
    assert desk.finding() == Finding(PluginState.disabled, desk.settings)
    assert system_plug_in(desk.host(), desk.sources) == shared
    assert len(desk.repair()) == 1
    assert desk.finding() == Finding(PluginState.in_place, shared)
    assert everything(desk.resources) == {}
    assert desk.repair() == []


def test_a_copy_in_the_home_comes_first(desk: Desk, shared: Path) -> None:
    desk.settle()
    assert desk.finding() == Finding(PluginState.in_place)
    assert desk.repair() == []


HIDES = ("no desktop file", "no client", "another version", "another action", "a byte order mark")


@pytest.mark.parametrize("name", HIDES)
def test_a_bad_copy_in_the_home_makes_way_for_the_installations(
    desk: Desk, shared: Path, name: str
) -> None:
    assert desk.finding() != BREAKAGES[name](desk)
    assert desk.finding().where in (desk.resources, desk.desktop)
    before = sorted(everything(desk.resources).values())
    (said,) = desk.repair()
    assert str(shared) in said
    assert desk.finding() == Finding(PluginState.in_place, shared)
    assert sorted(everything(desk.resources).values()) == before
    assert not desk.package.exists()


@pytest.mark.parametrize("name", ["no start", "one deeper", "beside pykrita"])
def test_what_krita_passes_over_is_no_trouble(desk: Desk, shared: Path, name: str) -> None:
    BREAKAGES[name](desk)
    before = everything(desk.home)
    assert desk.finding() == Finding(PluginState.in_place, shared)
    assert desk.repair() == []
    assert everything(desk.home) == before


def test_the_installations_runs_wherever_the_resources_are(desk: Desk, shared: Path) -> None:
    desk.settings.write_text(
        f"ResourceDirectory={desk.resources}2\n[python]\nenable_maskwright=true\n"
    )
    assert desk.finding() == Finding(PluginState.in_place, shared)


def test_somebody_elses_package_hides_it(desk: Desk, shared: Path) -> None:
    desk.package.mkdir()
    (desk.package / "__init__.py").write_text("import krita\n")
    assert desk.finding() == Finding(PluginState.foreign, desk.package)
    assert desk.repair() == []


@pytest.mark.parametrize("gone", ["maskwright_client/client.py", "../maskwright.desktop"])
def test_where_the_installations_is_damaged_the_home_gets_one(
    desk: Desk, shared: Path, gone: str
) -> None:
    (shared / gone).unlink()
    before = everything(shared.parent)
    assert desk.finding().state is PluginState.incomplete
    assert system_plug_in(desk.host(), desk.sources) is None
    assert len(desk.repair()) == 2
    assert desk.finding() == Finding(PluginState.in_place)
    assert everything(shared.parent) == before
