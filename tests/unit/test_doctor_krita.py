"""What the doctor says about Krita's plug-in, and what to do next."""

from dataclasses import replace
from pathlib import Path

import pytest
from krita_desk import BREAKAGES, Breakage, Desk, small_desk
from maskwright.doctor.editors import checks, repairs
from maskwright.doctor.report import Check, Status


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return small_desk(tmp_path)


def said(desk: Desk) -> tuple[str, str | None]:
    """The sentence about Krita and the next step, folders left out."""
    check = next(iter(checks(desk.hosts(), desk.sources)))
    message = check.message.replace(f"{desk.home}/.local/share/krita", "KRITA")
    return message.replace(str(desk.home), "~"), check.fix


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nothing there", "the plug-in is not there"),
        (
            "no client",
            "the plug-in is there in part: KRITA lacks pykrita/maskwright/maskwright_client",
        ),
        (
            "desktop file inside only",
            "the plug-in is there in part: KRITA lacks pykrita/maskwright.desktop",
        ),
        ("switched off", "the plug-in is there and switched off in ~/.config/kritarc"),
        (
            "one deeper",
            "Krita passes over the plug-in in KRITA/pykrita/maskwright/maskwright, its place is "
            "KRITA/pykrita/maskwright",
        ),
        (
            "another package named",
            "KRITA/pykrita/maskwright.desktop does not lead Krita to the plug-in",
        ),
        (
            "another version",
            "the plug-in in KRITA is of another version in part: "
            "pykrita/maskwright/maskwright_client",
        ),
        (
            "inside Flatpak's sandbox",
            "the plug-in is only where this Krita does not look: "
            "~/.var/app/org.kde.krita/data/krita/pykrita/maskwright",
        ),
        (
            "resources moved",
            "kritarc has it look in ~/art/pykrita, and the plug-in is KRITA/pykrita/maskwright",
        ),
    ],
)
def test_each_breakage_has_a_sentence(desk: Desk, name: str, sentence: str) -> None:
    BREAKAGES[name](desk)
    assert said(desk) == (
        f"Krita (portable) was found; {sentence}.",
        "Run `maskwright doctor --repair`, then restart Krita.",
    )


def test_something_else_in_its_place(desk: Desk) -> None:
    desk.package.mkdir()
    (desk.package / "__init__.py").write_text("import krita\n")
    sentence, fix = said(desk)
    assert "something else is in the plug-in's place: KRITA/pykrita/maskwright." in sentence
    assert (fix or "").startswith(f"Give {desk.package} another name")


def test_a_krita_that_is_too_old(desk: Desk) -> None:
    (desk.resources / "KRITA_RESOURCE_VERSION").write_text("5.1.5")
    assert said(desk) == (
        "Krita 5.1.5 (portable) was found; the plug-in does not work in it, but in Krita 5.2 or "
        "newer.",
        "Install Krita 5.2 or newer, start it once, look again.",
    )


def test_a_krita_without_qt_for_python(desk: Desk) -> None:
    desk.settle()
    host = replace(desk.host(), lacks="PyQt5")
    (check,) = checks([host], desk.sources)
    assert check.message == (
        "Krita (portable) was found; its Python has no PyQt5, without which it runs no plug-in."
    )
    assert "python3-pyqt5), then restart Krita" in (check.fix or "")


def test_a_folder_that_krita_leaves_out(desk: Desk) -> None:
    desk.settings.write_text(f"ResourceDirectory={desk.resources}-art\n")
    list(repairs(desk.hosts(), desk.sources))
    sentence, fix = said(desk)
    assert sentence.endswith("it runs no plug-in from KRITA-art, which begins like KRITA.")
    assert (fix or "").startswith("In Krita, choose another folder in Settings")


@pytest.mark.parametrize("break_it", BREAKAGES.values())
def test_a_repair_says_what_was_done_and_what_is_next(desk: Desk, break_it: Breakage) -> None:
    break_it(desk)
    for done in repairs(desk.hosts(), desk.sources):
        assert done.status is Status.done
        assert done.message.startswith("Krita (")
        assert done.fix == "Restart Krita, then choose Tools > Scripts > Remove Background."
    again = repairs(desk.hosts(), desk.sources)
    assert list(again) == [Check("repairs", Status.ok, "No plug-in was mended.")]


def test_a_repair_that_fails_is_something_to_repair(desk: Desk) -> None:
    desk.put()
    desk.settings.unlink()
    desk.settings.mkdir()
    (failed,) = repairs(desk.hosts(), desk.sources)
    assert failed.status is Status.fail
    assert f"was not mended: {desk.settings}: " in failed.message
    assert (failed.fix or "").startswith("Make that writable")
