"""What the doctor says about the editors' plug-ins, and what to do next."""

import errno
import shutil
import sys
from pathlib import Path

import pytest
from gimp_desk import BREAKAGES, Breakage, Desk, small_desk
from maskwright.doctor.editors import checks, repairs
from maskwright.doctor.report import Check, Status
from maskwright.hosts import Flavour, Host, HostKind, PluginState

REPAIR = "Run `maskwright doctor --repair`, then restart GIMP."


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return small_desk(tmp_path)


def said(desk: Desk) -> tuple[str, str | None]:
    """The sentence about GIMP and the next step, home and sources left out."""
    (check,) = [
        check
        for host, check in zip(desk.hosts(), checks(desk.hosts(), desk.sources), strict=True)
        if host == desk.host()
    ]
    return check.message.replace(f"{desk.home}/.config/GIMP/", "").replace(
        str(desk.home), "~"
    ), check.fix


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "not executable",
            "the plug-in may not be executed: 3.0/plug-ins/maskwright/maskwright.py",
        ),
        (
            "no first line",
            "the first line of the plug-in does not name Python 3: "
            "3.0/plug-ins/maskwright/maskwright.py",
        ),
        (
            "no client",
            "the plug-in is there in part: 3.0/plug-ins/maskwright lacks maskwright_client",
        ),
        (
            "another name",
            "GIMP passes over the plug-in in 3.0/plug-ins/maskwright-main/maskwright.py, its place "
            "is 3.0/plug-ins/maskwright/maskwright.py",
        ),
        (
            "in another 3's settings",
            "the plug-in is only where this GIMP does not look: "
            "3.2/plug-ins/maskwright/maskwright.py",
        ),
        (
            "not searched",
            "gimprc has it look in ~/mine, and the plug-in is "
            "3.0/plug-ins/maskwright/maskwright.py",
        ),
        (
            "another version",
            "the plug-in in 3.0/plug-ins/maskwright is of another version in part: "
            "maskwright_client",
        ),
        (
            "twice",
            "the plug-in is there a second time, and only one can answer: "
            "3.0/plug-ins/maskwright-old",
        ),
    ],
)
def test_each_breakage_has_a_sentence(desk: Desk, name: str, sentence: str) -> None:
    BREAKAGES[name](desk)
    assert said(desk) == (f"GIMP 3.0 (portable) was found; {sentence}.", REPAIR)


def test_a_gimp_that_is_directed_elsewhere_is_named_so(desk: Desk) -> None:
    BREAKAGES["GIMP3_DIRECTORY"](desk)
    sentence, fix = said(desk)
    assert sentence == (
        "GIMP (GIMP3_DIRECTORY) was found; the plug-in is only where this GIMP does not look: "
        "3.0/plug-ins/maskwright/maskwright.py."
    )
    assert fix == REPAIR


def test_something_else_in_its_place(desk: Desk) -> None:
    desk.script.parent.mkdir()
    desk.script.write_text("mine")
    sentence, fix = said(desk)
    assert "something else is in the plug-in's place: 3.0/plug-ins/maskwright." in sentence
    assert fix is not None
    assert fix.startswith(f"Give {desk.script.parent} another name")


def test_no_folder_that_gimp_reads_is_the_users(desk: Desk) -> None:
    (desk.profile / "gimprc").write_text('(plug-in-path "${gimp_plug_in_dir}/plug-ins")')
    sentence, fix = said(desk)
    assert sentence.endswith("; the plug-in is not there.")
    assert (fix or "").startswith(f"In GIMP, add {desk.plug_ins} in Edit > Preferences")
    desk.put()
    assert "gimprc has it look in its installation, and the plug-in is" in said(desk)[0]


def test_a_gimp_that_was_never_started(desk: Desk) -> None:
    shutil.rmtree(desk.profile)
    never = Host(HostKind.gimp, "3.2", Flavour.flatpak, None, None)
    (check,) = checks([never], desk.sources)
    assert check.message == "GIMP 3.2 (flatpak) was found; the plug-in is not there."
    assert (check.fix or "").startswith("Start GIMP once")
    fresh = Host(HostKind.gimp, "3.0", Flavour.system, desk.plug_ins, None, desk.profile / "gimprc")
    (check,) = checks([fresh], desk.sources)
    assert (check.fix or "").startswith("Start GIMP once")


def test_a_plug_in_for_all_users(desk: Desk) -> None:
    shared = desk.put(folder=desk.install())
    (check,) = checks(desk.hosts(), desk.sources)
    assert check.status is Status.ok
    assert check.message == (
        f"GIMP 3.0 (system) was found; the plug-in is in place for all users: {shared}."
    )
    assert check.figures["where"] == str(shared)


def test_a_snap_wants_the_engine_started_beforehand(desk: Desk) -> None:
    shutil.rmtree(desk.profile)
    inside = desk.home / "snap/gimp/current/.config/GIMP/3.0"
    desk.put(folder=inside / "plug-ins")
    (check,) = checks(desk.hosts(), desk.sources)
    assert check.status is Status.ok
    assert check.message == (
        "GIMP 3.0 (snap) was found; the plug-in is in place; a Snap cannot start the engine, so "
        "run `maskwright serve` in a terminal before you use it there."
    )


@pytest.mark.parametrize("frozen", [False, True])
def test_a_flatpak_starts_only_a_frozen_engine_by_itself(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, frozen: bool
) -> None:
    shutil.rmtree(desk.profile.parent)
    inside = desk.home / ".var/app/org.gimp.GIMP/config/GIMP/3.0"
    desk.put(folder=inside / "plug-ins")
    monkeypatch.setattr(sys, "frozen", frozen, raising=False)
    (check,) = checks(desk.hosts(), desk.sources)
    assert check.status is Status.ok
    beforehand = (
        "; where the Flatpak's Python cannot run this installation's engine, run `maskwright "
        "serve` in a terminal before you use it there"
    )
    assert check.message == (
        f"GIMP 3.0 (flatpak) was found; the plug-in is in place{'' if frozen else beforehand}."
    )


def test_hidden_settings_are_no_trouble(desk: Desk) -> None:
    desk.put()
    (desk.home / ".var/app/org.gimp.GIMP/config/GIMP/3.0").mkdir(parents=True)
    _, hidden = checks(desk.hosts(), desk.sources)
    assert hidden.status is Status.ok
    assert hidden.fix is None
    assert hidden.figures["plugin"] == PluginState.unused.value


@pytest.mark.parametrize("break_it", BREAKAGES.values())
def test_a_repair_says_what_was_done_and_what_is_next(desk: Desk, break_it: Breakage) -> None:
    break_it(desk)
    (done,) = repairs(desk.hosts(), desk.sources)
    assert done.status is Status.done
    assert done.message.startswith("GIMP ")
    assert done.fix == "Restart GIMP, then choose Filters > Remove Background."
    again = repairs(desk.hosts(), desk.sources)
    assert list(again) == [Check("repairs", Status.ok, "No plug-in was mended.")]


def test_a_repair_that_fails_is_something_to_repair(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    BREAKAGES["no client"](desk)
    desk.script.chmod(0o644)

    def fail(path: Path, content: bytes, mode: int) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("maskwright.hosts.files.replace_file", fail)
    done, failed = repairs(desk.hosts(), desk.sources)
    assert (done.status, failed.status) == (Status.done, Status.fail)
    assert "was not mended" in failed.message
    assert "Permission denied" in failed.message
    assert (failed.fix or "").startswith("Make that writable")
