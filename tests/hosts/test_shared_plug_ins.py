"""Plug-ins that a package puts where an editor looks for those of all users, and a user's copies.

Which one a real editor takes, and that the doctor knows it.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gimp_plug_in
import krita_plug_in
import pytest
from host_gimp import Gimp, gimp_in
from host_krita import Krita, krita_in
from host_layer import LayeredRoot, layered
from host_root import CHECKOUT_INSIDE, Bind, Root
from host_stay import HOME_INSIDE, stay_in

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(300)]

NAME = "maskwright"
GIMPS = f"/usr/lib/x86_64-linux-gnu/gimp/3.0/plug-ins/{NAME}"
KRITAS = f"/usr/share/krita/pykrita/{NAME}"
SOURCES = "/run/sources"
# In there, where the editors are.
DOCTOR = f"""
import json, os, sys
from pathlib import Path
from maskwright.doctor import editors
from maskwright.hosts import find_hosts
look = editors.repairs if sys.argv[2:] == ["--repair"] else editors.checks
checks = look(find_hosts(Path.home(), os.environ), Path("{CHECKOUT_INSIDE}/plugin"))
print(json.dumps([check.as_json() for check in checks if check.name.endswith(sys.argv[1])]))
"""
GIMP_SHOWS = """
answer(Gimp.get_pdb().lookup_procedure("maskwright-remove-background") is not None)
"""
KRITA_RUNS = """
import sys
action = Krita.instance().action("maskwright_remove_background")
module = sys.modules.get("maskwright_krita")
answer(module.__file__.rpartition("/maskwright_krita/")[0] if action else None)
"""


@pytest.fixture
def layer(root: Root, tmp_path: Path) -> Iterator[LayeredRoot]:
    """A root with both plug-ins where packages put them."""
    (tmp_path / "layer").mkdir()
    sources = Bind(krita_plug_in.assembled(tmp_path / "krita"), SOURCES, read_only=True)
    gimps = Bind(gimp_plug_in.assembled(tmp_path / "gimp"), f"{SOURCES}-gimp", read_only=True)
    with layered(root, tmp_path / "layer") as made:
        for source, target in (
            (f"{SOURCES}-gimp", GIMPS),
            (f"{SOURCES}/{NAME}", KRITAS),
            (f"{SOURCES}/{NAME}.desktop", f"{KRITAS}.desktop"),
            (f"{SOURCES}/{NAME}.action", f"/usr/share/krita/actions/{NAME}.action"),
        ):
            done = made.change("cp", "-r", source, target, binds=[sources, gimps])
            assert done.returncode == 0, done.stdout
        yield made


def doctor(editor: Gimp | Krita, *options: str) -> list[dict[str, Any]]:
    """What the doctor says about that editor."""
    name = type(editor).__name__.lower()
    done = editor.stay.run(
        *("python3", "-B", "-c", DOCTOR, name, *options),
        env={"PYTHONPATH": f"{CHECKOUT_INSIDE}/engine"},
    )
    assert done.returncode == 0, done.stderr.decode()
    return list(json.loads(done.stdout))


def found(editor: Gimp | Krita) -> tuple[str, str | None]:
    """The state that the doctor finds, and where."""
    (check,) = doctor(editor)
    return check["figures"]["plugin"], check["figures"]["where"]


def gimp_takes(gimp: Gimp) -> list[str]:
    """Whose procedures a GIMP that is started now has: folders of plug-ins."""
    gimp.console(GIMP_SHOWS)
    known = (gimp.profile / "pluginrc").read_bytes().decode(errors="replace").splitlines()
    ours = [line.split('"')[1] for line in known if NAME in line and "(plug-in-def " in line]
    meant = {"${gimp_plug_in_dir}/plug-ins": GIMPS.rpartition("/")[0]}
    meant["${gimp_dir}/plug-ins"] = "home"
    folders = [Path(script).parent for script in ours]
    return [f"{meant[str(folder.parent)]}/{folder.name}" for folder in folders]


def test_gimp(layer: LayeredRoot, tmp_path: Path):
    gimp = gimp_in(stay_in(layer, tmp_path / "stay"))
    home = gimp.profile / "plug-ins" / NAME
    inside = f"{HOME_INSIDE}/.config/GIMP/{gimp.profile.name}/plug-ins"
    assert gimp_takes(gimp) == [GIMPS]
    assert found(gimp) == ("in-place", GIMPS)
    assert doctor(gimp, "--repair") == []

    shutil.copytree(tmp_path / "gimp/assembled", home)
    assert gimp_takes(gimp) == [f"home/{NAME}"]
    assert found(gimp) == ("in-place", None)

    (home / f"{NAME}.py").chmod(0o644)
    assert gimp_takes(gimp) == [GIMPS]
    assert found(gimp) == ("in-place", GIMPS)

    (home / f"{NAME}.py").chmod(0o755)
    shutil.rmtree(home / "maskwright_client")
    assert gimp.console(GIMP_SHOWS) is False
    assert found(gimp) == ("incomplete", f"{inside}/{NAME}")
    (done,) = doctor(gimp, "--repair")
    assert GIMPS in done["message"]
    assert gimp_takes(gimp) == [GIMPS]
    assert found(gimp) == ("in-place", GIMPS)

    other = home.with_name("other")
    shutil.copytree(tmp_path / "gimp/assembled", other)
    (other / f"{NAME}.py").rename(other / "other.py")
    assert gimp.console(GIMP_SHOWS) is True
    assert "Removing duplicate PDB procedure" in gimp.said
    assert found(gimp) == ("twice", f"{inside}/other")
    assert len(doctor(gimp, "--repair")) == 1
    assert gimp_takes(gimp) == [GIMPS]
    assert "duplicate" not in gimp.said


def test_gimps_settings_for_all_users(layer: LayeredRoot, tmp_path: Path):
    elsewhere = "/opt/plug-ins"
    setting = f'(plug-in-path "${{gimp_plug_in_dir}}/plug-ins:{elsewhere}")'
    command = f"mkdir {elsewhere}; mv {GIMPS} {elsewhere}; echo '{setting}' >> /etc/gimp/3.0/gimprc"
    assert layer.change("sh", "-ec", command).returncode == 0
    gimp = gimp_in(stay_in(layer, tmp_path / "stay"))
    assert gimp.console(GIMP_SHOWS) is True
    assert found(gimp) == ("in-place", None)
    with (gimp.profile / "gimprc").open("a") as file:
        file.write('(plug-in-path "${gimp_plug_in_dir}/plug-ins")\n')
    assert gimp.console(GIMP_SHOWS) is False
    assert found(gimp)[0] in ("missing", "other-profile")


def krita_runs(krita: Krita) -> str | None:
    """Where the plug-in is that a Krita which is started now runs."""
    with krita.gui() as window:
        there: str | None = window.do(KRITA_RUNS)
        return there


def test_krita(layer: LayeredRoot, tmp_path: Path):
    krita = krita_in(stay_in(layer, tmp_path / "stay"))
    home = krita.resources / "pykrita" / NAME
    inside = f"{HOME_INSIDE}/.local/share/krita"
    assert krita_runs(krita) is None
    assert found(krita) == ("disabled", f"{HOME_INSIDE}/.config/kritarc")
    assert len(doctor(krita, "--repair")) == 1
    assert krita_runs(krita) == KRITAS
    assert found(krita) == ("in-place", KRITAS)
    assert not home.exists()

    krita.install({NAME: tmp_path / "krita/assembled"})
    assert krita_runs(krita) == f"{inside}/pykrita/{NAME}"
    assert found(krita) == ("in-place", None)

    start = home / "__init__.py"
    content = start.read_bytes()
    start.unlink()
    assert krita_runs(krita) == KRITAS
    assert found(krita) == ("in-place", KRITAS)

    start.write_bytes(content)
    shutil.rmtree(home / "maskwright_client")
    assert krita_runs(krita) is None
    assert found(krita) == ("incomplete", inside)
    (done,) = doctor(krita, "--repair")
    assert KRITAS in done["message"]
    assert krita_runs(krita) == KRITAS
    assert found(krita) == ("in-place", KRITAS)
    krita.move_out()
