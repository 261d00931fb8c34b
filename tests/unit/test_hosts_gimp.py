"""What is wrong with GIMP's plug-in, and what a repair makes of it; real GIMPs: tests/hosts."""

import errno
import os
import shutil
from pathlib import Path

import pytest
from gimp_desk import (
    BREAKAGES,
    SMALL_SCRIPT,
    Breakage,
    Desk,
    another_script,
    another_version,
    begun_with,
    other_case,
    small_desk,
    the_whole_repository,
    without,
)
from maskwright.hosts import (
    Finding,
    PluginState,
    examine,
    repair,
    replace_file,
    system_plug_in,
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return small_desk(tmp_path)


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder, its rights and its content."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): (path.stat().st_mode & 0o777, path.read_bytes())
        for path in files
    }


def test_as_it_should_be(desk: Desk) -> None:
    desk.put()
    assert desk.finding() == Finding(PluginState.in_place)
    before = everything(desk.home)
    assert desk.repair() == []
    assert everything(desk.home) == before


MORE_BREAKAGES = (
    begun_with(b"\n#!/usr/bin/env python3\n"),
    begun_with(b"#!/usr/bin/env python\n"),
    begun_with(b"#!/usr/bin/env -S python2 -B\n"),
    begun_with(b"#!/bin/sh\n"),
    without("maskwright_client/client.py"),
    other_case,
    the_whole_repository,
    another_script,
)


@pytest.mark.parametrize("break_it", [*BREAKAGES.values(), *MORE_BREAKAGES])
def test_each_breakage_is_found_and_mended_and_nothing_is_lost(
    desk: Desk, break_it: Breakage
) -> None:
    wanted = break_it(desk)
    assert desk.finding() == wanted
    before = sorted(content for _, content in everything(desk.home).values())
    (said,) = desk.repair()
    assert str(desk.home) in said
    assert desk.finding() == Finding(PluginState.in_place)
    folder = desk.host().plugin_folder
    assert folder is not None
    assert everything(folder / "maskwright")["maskwright.py"] == (0o755, SMALL_SCRIPT)
    kept = [content for _, content in everything(desk.home).values()]
    rewritten = wanted.state is PluginState.bad_first_line
    assert [c for c in before if c not in kept and not (rewritten and b"import gi" in c)] == []
    assert [path for path in desk.home.rglob(".maskwright-*")] == []
    assert desk.repair() == []


@pytest.mark.parametrize(
    "line",
    [
        b"#!/usr/bin/env python3\r\n",
        b"#! /usr/bin/env  python3 \n",
        b"#!/usr/bin/env -S python3 -B\n",
        b"#!/usr/bin/python3\n",
        b"#!/usr/bin/python3 -I\n",
    ],
)
def test_first_lines_that_gimp_takes(desk: Desk, line: bytes) -> None:
    begun_with(line)(desk)
    assert desk.finding() == Finding(PluginState.in_place)


def test_a_python_that_is_there_is_taken(desk: Desk, tmp_path: Path) -> None:
    python = tmp_path / "python3.13"
    python.touch(mode=0o755)
    begun_with(b"#!%s\n" % os.fsencode(python))(desk)
    assert desk.finding() == Finding(PluginState.in_place)
    python.chmod(0o644)
    assert desk.finding().state is PluginState.bad_first_line


def test_line_ends_of_another_system_are_no_other_version(desk: Desk) -> None:
    for path in desk.put().rglob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert desk.finding() == Finding(PluginState.in_place)


def test_everything_wrong_at_once(desk: Desk) -> None:
    folder = desk.put()
    shutil.rmtree(folder / "maskwright_gimp")
    (folder / "notes.txt").write_text("mine")
    desk.script.write_bytes(b"# mine\n" + SMALL_SCRIPT)
    desk.script.chmod(0o644)
    twice_over = desk.put("other")
    (twice_over / "maskwright.py").rename(twice_over / "other.py")
    said = desk.repair()
    assert len(said) == 5
    assert desk.finding() == Finding(PluginState.in_place)
    old = desk.plug_ins / "maskwright.old"
    assert (old / "notes.txt").read_text() == "mine"
    assert b"# mine" in (old / "maskwright.py").read_bytes()
    assert (desk.plug_ins / "other.old").is_dir()


def test_what_makes_way_gets_a_free_name(desk: Desk) -> None:
    for number in range(2):
        if number:
            shutil.rmtree(desk.script.parent)
        another_version(desk)
        (desk.script.parent / "number").write_text(str(number))
        desk.repair()
    assert (desk.plug_ins / "maskwright.old/number").read_text() == "0"
    assert (desk.plug_ins / "maskwright.old-2/number").read_text() == "1"


@pytest.mark.parametrize("name", ["maskwright.py", "notes.txt", ""])
def test_what_is_not_ours_is_left_alone(desk: Desk, name: str) -> None:
    folder = desk.plug_ins / "maskwright"
    if name:
        folder.mkdir()
    (folder / name if name else folder).write_text("#!/usr/bin/env python3\nprint('mine')\n")
    desk.put("maskwright-main")
    assert desk.finding() == Finding(PluginState.foreign, folder)
    before = everything(desk.home)
    assert desk.repair() == []
    assert everything(desk.home) == before


def test_a_link_to_a_workshop_makes_way_and_the_workshop_stays(desk: Desk) -> None:
    workshop = desk.put("workshop", desk.home)
    (workshop / "maskwright.py").chmod(0o644)
    shutil.rmtree(workshop / "maskwright_client")
    before = everything(workshop)
    desk.script.parent.symlink_to(workshop)
    assert desk.finding() == Finding(PluginState.not_executable, desk.script)
    assert len(desk.repair()) == 1
    assert everything(workshop) == before
    assert (desk.plug_ins / "maskwright.old").is_symlink()
    assert desk.finding() == Finding(PluginState.in_place)


def test_a_plugin_under_another_name_twice_works(desk: Desk) -> None:
    folder = desk.put("bg")
    script = (folder / "maskwright.py").rename(folder / "bg.py")
    assert desk.finding() == Finding(PluginState.in_place)
    script.chmod(0o644)
    assert desk.finding() == Finding(PluginState.not_executable, script)
    assert len(desk.repair()) == 1
    assert desk.finding() == Finding(PluginState.in_place)
    assert not desk.script.exists()
    (folder / "maskwright_client/client.py").write_bytes(b"old\n")
    assert len(desk.repair()) == 1
    assert (desk.plug_ins / "bg.old").is_dir()
    assert desk.script.exists()


def test_other_plugins_and_hidden_ones_do_not_matter(desk: Desk) -> None:
    desk.put()
    desk.put(".hidden")
    desk.put("asleep").joinpath("maskwright.py").rename(desk.plug_ins / "asleep/asleep.py")
    (desk.plug_ins / "asleep/asleep.py").chmod(0o644)
    (desk.plug_ins / "other").mkdir()
    (desk.plug_ins / "other/other.py").write_text("#!/usr/bin/env python3\n")
    assert desk.finding() == Finding(PluginState.in_place)


def test_before_the_first_start_nothing_is_put_there(desk: Desk) -> None:
    shutil.rmtree(desk.profile)
    desk.environ["GIMP3_DIRECTORY"] = str(desk.profile)
    assert desk.finding() == Finding(PluginState.missing)
    assert desk.repair() == []
    assert not desk.profile.exists()


def test_where_nothing_may_be_written_that_gimp_reads(desk: Desk) -> None:
    (desk.profile / "gimprc").write_text('(plug-in-path "${gimp_plug_in_dir}/plug-ins")')
    desk.script.parent.mkdir()
    desk.script.write_bytes(SMALL_SCRIPT)
    assert desk.finding() == Finding(PluginState.not_searched, desk.script)
    assert desk.repair() == []


def test_hidden_settings_in_a_sandbox_are_not_used(desk: Desk) -> None:
    desk.put()
    (desk.home / ".var/app/org.gimp.GIMP/config/GIMP/3.0").mkdir(parents=True)
    hosts = desk.hosts()
    states = [examine(host, hosts, desk.sources).state for host in hosts]
    assert states == [PluginState.in_place, PluginState.unused]
    assert [list(repair(host, hosts, desk.sources)) for host in hosts] == [[], []]


def test_a_sandbox_that_may_not_see_the_settings_outside(desk: Desk) -> None:
    outside = desk.put()
    app = desk.home / ".local/share/flatpak/app/org.gimp.GIMP/current/active"
    app.mkdir(parents=True)
    (app / "metadata").write_text("[Context]\nfilesystems=host;\n")
    inside = desk.home / ".var/app/org.gimp.GIMP/config/GIMP/3.0"
    inside.mkdir(parents=True)
    hosts = desk.hosts()
    found = [examine(host, hosts, desk.sources) for host in hosts]
    assert found[1] == Finding(PluginState.other_profile, outside / "maskwright.py")
    list(repair(hosts[1], hosts, desk.sources))
    assert os.access(inside / "plug-ins/maskwright/maskwright.py", os.X_OK)


def test_windows_needs_neither_bit_nor_first_line(desk: Desk) -> None:
    folder = desk.put(folder=desk.home / "AppData/Roaming/GIMP/3.0/plug-ins")
    (folder / "maskwright.py").write_bytes(b"\r\n" + SMALL_SCRIPT.partition(b"\n")[2])
    (folder / "maskwright.py").chmod(0o644)
    (host,) = desk.hosts("win32")
    assert examine(host, [host], desk.sources) == Finding(PluginState.in_place)


def test_a_failure_in_the_middle_leaves_what_was_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    another_version(desk)
    before = everything(desk.plug_ins)

    def fail(path: Path, content: bytes, mode: int) -> None:
        if path.name == "maskwright.py":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        replace_file(path, content, mode)

    monkeypatch.setattr("maskwright.hosts.files.replace_file", fail)
    with pytest.raises(OSError, match="No space left"):
        desk.repair()
    assert everything(desk.plug_ins) == before


def test_without_sources_nothing_is_put_there(desk: Desk) -> None:
    shutil.rmtree(desk.sources)
    assert desk.finding() == Finding(PluginState.missing)
    assert desk.repair() == []


@pytest.fixture
def shared(desk: Desk) -> Path:
    """A folder into which a package has put the plug-in for everybody."""
    folder = desk.install()
    desk.put(folder=folder)
    return folder


def test_the_installations_is_enough(desk: Desk, shared: Path) -> None:
    wanted = Finding(PluginState.in_place, shared / "maskwright")
    assert desk.finding() == wanted
    assert system_plug_in(desk.host(), desk.sources) == wanted.where
    assert desk.repair() == []
    assert everything(desk.plug_ins) == {}
    shutil.rmtree(desk.profile)
    assert desk.finding() == wanted


def test_a_gimp_that_looks_nowhere_else_has_none(desk: Desk, shared: Path) -> None:
    (desk.profile / "gimprc").write_text('(plug-in-path "${gimp_dir}/plug-ins")')
    assert desk.finding() == Finding(PluginState.missing)
    assert system_plug_in(desk.host(), desk.sources) is None
    assert len(desk.repair()) == 1
    assert desk.finding() == Finding(PluginState.in_place)


def test_a_copy_in_the_home_comes_first(desk: Desk, shared: Path) -> None:
    desk.put()
    assert desk.finding() == Finding(PluginState.in_place)
    assert desk.repair() == []


HIDES = (begun_with(b""), without("maskwright_client"), another_version, another_script)


@pytest.mark.parametrize("break_it", HIDES)
def test_a_bad_copy_in_the_home_makes_way_for_the_installations(
    desk: Desk, shared: Path, break_it: Breakage
) -> None:
    assert desk.finding() != break_it(desk)
    assert desk.finding().where in (desk.script, desk.script.parent)
    before = everything(desk.script.parent)
    (said,) = desk.repair()
    assert str(shared / "maskwright") in said
    assert desk.finding() == Finding(PluginState.in_place, shared / "maskwright")
    assert [path.name for path in desk.plug_ins.iterdir()] == ["maskwright.old"]
    assert everything(desk.plug_ins / "maskwright.old") == before


@pytest.mark.parametrize("name", ["not executable", "another name", "loose", "no script"])
def test_what_gimp_passes_over_is_no_trouble(desk: Desk, shared: Path, name: str) -> None:
    BREAKAGES[name](desk)
    before = everything(desk.home / ".config")
    assert desk.finding() == Finding(PluginState.in_place, shared / "maskwright")
    assert desk.repair() == []
    assert everything(desk.home / ".config") == before


def test_a_second_one_of_another_name_is_put_aside(desk: Desk, shared: Path) -> None:
    folder = desk.put("maskwright-old")
    (folder / "maskwright.py").rename(folder / "maskwright-old.py")
    assert desk.finding() == Finding(PluginState.twice, folder)
    assert len(desk.repair()) == 1
    assert desk.finding() == Finding(PluginState.in_place, shared / "maskwright")


@pytest.mark.parametrize("gone", ["maskwright_client/client.py", "maskwright_gimp"])
def test_where_the_installations_is_damaged_the_home_gets_one(
    desk: Desk, shared: Path, gone: str
) -> None:
    path = shared / "maskwright" / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    before = everything(shared)
    assert desk.finding().state is PluginState.incomplete
    assert system_plug_in(desk.host(), desk.sources) is None
    (said,) = desk.repair()
    assert str(desk.script.parent) in said
    assert desk.finding() == Finding(PluginState.in_place)
    assert everything(shared) == before
