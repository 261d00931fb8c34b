"""What keeps the plug-in out of a real Krita, the doctor finds and mends."""

import json
import shutil
from collections.abc import Sequence
from typing import Any

import pytest
from host_display import display_in
from host_fixtures import ahead_too
from host_krita import Krita
from host_root import CHECKOUT_INSIDE
from host_stay import FILES_INSIDE, HOME_INSIDE, Stay
from krita_desk import BREAKAGES, SWITCH_LINES, Desk, in_the_folder_before_it_was_moved
from krita_plug_in import CHECKOUT
from maskwright.hosts import PluginState

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(300)]

SHORTCUT = "Ctrl+Alt+Shift+B"
SHOWN = [True, SHORTCUT]
SENTENCES = {
    PluginState.disabled: "is there and switched off",
    PluginState.incomplete: "there in part",
    PluginState.misnamed: "Krita passes over the plug-in",
    PluginState.bad_desktop: "does not lead Krita to the plug-in",
    PluginState.other_version: "of another version in part",
    PluginState.other_profile: "only where this Krita does not look",
    PluginState.not_searched: "kritarc has it look in",
}
# The docker, and the action with its shortcut.
ASK = """
action = Krita.instance().action("maskwright_remove_background")
dockers = [dock.objectName() for dock in Krita.instance().dockers()]
shown = "maskwright_remove_background_docker" in dockers
answer([shown, action.shortcut().toString() if action else None])
"""
# In there, as the doctor of a Krita in a sandbox or a root sees other paths than one outside.
DOCTOR = f"""
import json, os, sys
from pathlib import Path
from maskwright.doctor import editors
from maskwright.hosts import find_hosts
look = editors.repairs if sys.argv[1:] == ["--repair"] else editors.checks
checks = look(find_hosts(Path.home(), os.environ), Path("{CHECKOUT_INSIDE}/plugin"))
print(json.dumps([check.as_json() for check in checks if check.name.endswith("krita")]))
"""
RESOURCES = "answer([len(Krita.instance().resources(kind)) for kind in ('preset', 'pattern')])"


def without(pyqt: str) -> Sequence[str]:
    """The program named behind it finds a PyQt that is empty; nobody else sees that."""
    place = f"/usr/lib/python3/dist-packages/{pyqt}"
    return ("bash", "-c", f'mount -t tmpfs tmpfs {place} && exec "$0" "$@"')


def doctor(stay: Stay, *options: str, behind: Sequence[str] = ()) -> list[dict[str, Any]]:
    """What the doctor says about Krita."""
    done = stay.run(
        *(*behind, "python3", "-B", "-c", DOCTOR, *options),
        env={"PYTHONPATH": f"{CHECKOUT_INSIDE}/engine"},
    )
    assert done.returncode == 0, done.stderr.decode()
    return list(json.loads(done.stdout))


def shows(krita: Krita) -> list[Any]:
    """What a Krita that is started now shows of the plug-in."""
    with krita.gui() as window:
        return list(window.do(ASK))


def mend(krita: Krita, wanted: PluginState) -> None:
    """Have the doctor name it and mend it."""
    (found,) = [c for c in doctor(krita.stay) if c["figures"]["flavour"] == "system"]
    assert found["status"] == "warn"
    assert SENTENCES[wanted] in found["message"]
    assert found["figures"]["plugin"] == wanted.value
    assert found["fix"] == "Run `maskwright doctor --repair`, then restart Krita."
    done = doctor(krita.stay, "--repair")
    assert {check["status"] for check in done} == {"done"}
    assert done[0]["fix"] == "Restart Krita, then choose Tools > Scripts > Remove Background."
    (found,) = [c for c in doctor(krita.stay) if c["figures"]["flavour"] == "system"]
    assert found["status"] == "ok"


NOT_SHOWN = (
    "no desktop file",
    "another package named",
    "no client",
    "one deeper",
    "inside Flatpak's sandbox",
)


@pytest.mark.parametrize("name", NOT_SHOWN)
def test_krita_does_not_show_it_the_doctor_says_why_mends_it_and_krita_does(
    krita: Krita, name: str
):
    wanted = BREAKAGES[name](Desk(krita.stay.home, CHECKOUT / "plugin"))
    assert shows(krita) == [False, None]
    mend(krita, wanted.state)
    assert shows(krita) == SHOWN


@ahead_too
def test_an_action_without_its_file_has_no_shortcut(krita: Krita):
    wanted = BREAKAGES["no action"](Desk(krita.stay.home, CHECKOUT / "plugin"))
    assert shows(krita) == [True, ""]
    mend(krita, wanted.state)
    assert shows(krita) == SHOWN


def test_the_user_has_moved_the_resources(krita: Krita):
    art = krita.stay.home / "art"
    wanted = in_the_folder_before_it_was_moved(
        Desk(krita.stay.home, CHECKOUT / "plugin"), HOME_INSIDE
    )
    shutil.copytree(krita.resources, art, dirs_exist_ok=True)
    shutil.rmtree(art / "pykrita/maskwright")
    for path in art.rglob("maskwright.*"):
        path.unlink()
    assert shows(krita) == [False, None]
    mend(krita, wanted.state)
    assert (art / "pykrita/maskwright/__init__.py").is_file()
    assert shows(krita) == SHOWN
    shutil.rmtree(art)


def test_a_running_krita_keeps_the_switch(krita: Krita):
    desk = Desk(krita.stay.home, CHECKOUT / "plugin")
    desk.put()
    with krita.gui() as window:
        mend(krita, PluginState.disabled)
        window.do("Krita.instance().writeSetting('mine', 'x', '1')")
        assert window.do(ASK) == [False, None]
        assert window.quit() == 0
    assert "[mine]\nx=1\n" in desk.settings.read_text()
    assert shows(krita) == SHOWN


def test_what_switches_a_plug_in_on(krita: Krita):
    """That `tests/unit/test_hosts_kritarc.py` knows it right."""
    names = {f"probe{number}": line for number, line in enumerate(SWITCH_LINES)}
    for name in names:
        package = krita.resources / "pykrita" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(f"open('{FILES_INSIDE}/{name}.runs', 'w').close()\n")
        (package.with_suffix(".desktop")).write_text(
            f"[Desktop Entry]\nServiceTypes=Krita/PythonPlugin\nX-KDE-Library={name}\nName=x\n"
        )
    settings = krita.stay.home / ".config/kritarc"
    lines = "".join(line.format(name) + "\n" for name, line in names.items())
    settings.write_text(f"{settings.read_text()}\n[python]\n{lines}")
    with krita.gui():
        runs = {path.stem for path in krita.stay.files.glob("*.runs")}
    assert runs == {name for name, line in names.items() if SWITCH_LINES[line]}


def wait_for_complaint(krita: Krita, words: str, behind: Sequence[str] = ()) -> None:
    """Start a Krita that cannot run the test's plug-in either, and wait for what it says."""
    with display_in(krita.stay) as display:
        env = {**display.environ, "QT_LOGGING_RULES": "krita.scripting*=true"}
        command = (*behind, "krita", "--nosplash")
        with krita.stay.start(*command, name="krita", env=env) as program:
            program.wait_until(lambda: words in program.said, 60)


@ahead_too
def test_a_distribution_that_has_not_installed_pyqt(krita: Krita):
    pyqt = "PyQt5" if krita.stay.root.suite.krita < (6, 0) else "PyQt6"
    Desk(krita.stay.home, CHECKOUT / "plugin").settle()
    wait_for_complaint(krita, "Cannot load pykrita module", behind=without(pyqt))
    (found,) = doctor(krita.stay, behind=without(pyqt))
    assert f"its Python has no {pyqt}, without which it runs no plug-in" in found["message"]
    assert f"python3-{pyqt.lower()}" in found["fix"]
    (found,) = doctor(krita.stay)
    assert found["status"] == "ok"


def test_a_folder_from_which_krita_runs_no_plug_in(krita: Krita):
    desk = Desk(krita.stay.home, CHECKOUT / "plugin")
    desk.settle()
    closed = krita.resources.with_name("krita2")
    shutil.copytree(krita.resources, closed)
    moved = f"ResourceDirectory={HOME_INSIDE}/.local/share/krita2\n"
    desk.settings.write_text(moved + desk.settings.read_text())
    wait_for_complaint(krita, "No module named 'maskwright'")
    (found,) = doctor(krita.stay)
    assert "it runs no plug-in from /home/designer/.local/share/krita2" in found["message"]
    assert doctor(krita.stay, "--repair") == []
    shutil.rmtree(closed)


@pytest.mark.timeout(600)
def test_what_is_there_before_kritas_first_start_does_no_harm(stay: Stay):
    (found,) = doctor(stay)
    assert found["figures"]["plugin"] == "missing"
    doctor(stay, "--repair")
    krita = Krita(stay)
    with krita.gui(timeout=400) as window:
        assert window.do(ASK) == SHOWN
        assert all(number > 100 for number in window.do(RESOURCES))
        assert window.quit() == 0
    krita_version = (krita.resources / "KRITA_RESOURCE_VERSION").read_text()
    assert krita_version.startswith(".".join(map(str, stay.root.suite.krita)))
    assert doctor(stay)[0]["status"] == "ok"
    shutil.rmtree(krita.resources)
