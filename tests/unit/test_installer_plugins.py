"""The editors' plug-ins, as the installer places, adopts and removes them."""

import shutil
from dataclasses import replace
from pathlib import Path

import krita_desk
import pytest
from gimp_desk import Desk, small_desk
from maskwright import hosts as editors
from maskwright.setup import plugins
from maskwright.setup.layout import locate
from maskwright.setup.manifest import Manifest, Placement, place
from maskwright.setup.switching import switch

SOURCES = Path(__file__).resolve().parents[2] / "plugin"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = small_desk(tmp_path)
    (desk.profile.with_name("3.2") / "plug-ins").mkdir(parents=True)
    return desk


@pytest.fixture
def krita(tmp_path: Path) -> krita_desk.Desk:
    return krita_desk.small_desk(tmp_path / "krita")


def found(desk: Desk | krita_desk.Desk) -> plugins.Hosts:
    nothing = desk.home / "no root"
    return editors.find_hosts(desk.home, {}, "linux", lambda _: None, nothing)


def placed(hosts: plugins.Hosts) -> tuple[Manifest, dict[str, Placement]]:
    """The record after an installation, and what it has placed."""
    wanted = list(plugins.placements(hosts, Manifest(), SOURCES))
    for item in wanted:
        item.path.parent.mkdir(parents=True, exist_ok=True)
        place(item)
    return Manifest().expecting(wanted), {str(item.path): item for item in wanted}


def test_a_script_without_its_run_bit_is_not_as_it_was_placed(desk: Desk) -> None:
    known, wanted = placed(found(desk))
    assert all(known.holds(item) for item in wanted.values())
    desk.script.chmod(0o644)
    assert [item.path for item in wanted.values() if not known.holds(item)] == [desk.script]


def test_an_edited_plug_in_stays_whole_in_an_update(desk: Desk) -> None:
    known, _ = placed(found(desk))
    (desk.script.parent / "maskwright_client/client.py").write_text("# mine\n")
    update = {str(item.path): item for item in plugins.placements(found(desk), known, SOURCES)}
    other = desk.profile.with_name("3.2") / "plug-ins/maskwright/maskwright.py"
    assert str(desk.script) not in update
    assert str(other) in update
    gone = other.with_name("maskwright_client") / "client.py"
    del update[str(gone)]
    assert plugins.obsolete(known, update) == [gone]


def test_what_somebody_else_has_put_there_as_we_would_is_ours(desk: Desk) -> None:
    folder = desk.put()
    hosts = found(desk)
    known = plugins.adopted(Manifest(), hosts, desk.sources)
    assert all(known.owns(path) for path in folder.rglob("*.py"))
    assert set(known.made_folders) == {
        str(folder),
        *(str(p) for p in folder.iterdir() if p.is_dir()),
    }
    assert plugins.adopted(known, hosts, desk.sources) == known
    (folder / "maskwright_client/client.py").write_text("# mine\n")
    assert plugins.adopted(Manifest(), hosts, desk.sources) == Manifest()
    assert plugins.adopted(Manifest(), hosts, desk.home / "none") == Manifest()


def test_in_krita_it_is_placed_whole_and_switched_on(krita: krita_desk.Desk) -> None:
    hosts = found(krita)
    assert plugins.to_switch_on(hosts, Manifest(), SOURCES) == [krita.settings]
    known, wanted = placed(hosts)
    assert krita.package / "maskwright_client/client.py" in map(Path, wanted)
    for path in plugins.to_switch_on(hosts, known, SOURCES):
        editors.switch_on(path)
    assert plugins.to_switch_on(hosts, known, SOURCES) == []
    (said,) = plugins.describe(hosts, known, SOURCES)
    assert said == "Krita: Tools > Scripts > Remove Background, after its next start."


def test_removing_them_leaves_no_trace_but_what_is_somebody_elses(krita: krita_desk.Desk) -> None:
    hosts, layout = found(krita), locate("linux", {}, krita.home)
    layout.data.mkdir(parents=True)
    before = sorted(krita.home.rglob("*"))
    known = switch(
        layout,
        Manifest(),
        list(plugins.placements(hosts, Manifest(), SOURCES)),
        plugins.to_switch_on(hosts, Manifest(), SOURCES),
    )
    for package in (krita.package, *krita.package.glob("maskwright_*")):
        (package / "__pycache__").mkdir()
        (package / "__pycache__/compiled.pyc").touch()
    assert plugins.are_placed(known)
    left = plugins.remove(known)
    assert not plugins.are_placed(left)
    assert sorted(krita.home.rglob("*")) == sorted([*before, layout.manifest])


def test_who_has_switched_it_off_in_krita_is_heeded(krita: krita_desk.Desk) -> None:
    known, _ = placed(found(krita))
    krita.settings.write_text("[python]\nenable_maskwright=false\n")
    assert plugins.to_switch_on(found(krita), known, SOURCES) == []
    (said,) = plugins.describe(found(krita), known, SOURCES)
    assert "switched off, and stays so" in said
    krita.settings.write_text("[python]\nenable_maskwright=true\n")
    hosts = [replace(found(krita)[0], lacks="PyQt5")]
    (said,) = plugins.describe(hosts, known, SOURCES)
    assert said.startswith("Krita: the plug-in is there; `maskwright doctor` says what keeps it")
    krita.settings.write_text("[python]\nenable_maskwright=false\n")
    plugins.remove(replace(known, switched_on=(str(krita.settings),)))
    assert krita.settings.read_text() == "[python]\nenable_maskwright=false\n"


def test_a_krita_that_is_too_old_gets_nothing(krita: krita_desk.Desk) -> None:
    (krita.resources / "KRITA_RESOURCE_VERSION").write_text("5.1.5")
    assert list(plugins.placements(found(krita), Manifest(), SOURCES)) == []
    assert plugins.to_switch_on(found(krita), Manifest(), SOURCES) == []
    (said,) = plugins.describe(found(krita), Manifest(), SOURCES)
    assert said == "Krita 5.1.5: too old for the plug-in, which needs 5.2 or newer."


def test_another_plug_in_of_that_name_in_krita_is_left_alone(krita: krita_desk.Desk) -> None:
    krita.package.mkdir()
    (krita.package / "__init__.py").write_text("import krita\n")
    assert list(plugins.placements(found(krita), Manifest(), SOURCES)) == []
    assert plugins.to_switch_on(found(krita), Manifest(), SOURCES) == []
    (said,) = plugins.describe(found(krita), Manifest(), SOURCES)
    assert "another plug-in of that name; left alone" in said


def test_what_was_imported_into_krita_as_we_would_is_ours(krita: krita_desk.Desk) -> None:
    krita.settle()
    known = plugins.adopted(Manifest(), found(krita), krita.sources)
    assert known.switched_on == (str(krita.settings),)
    assert known.owns(krita.desktop)
    assert str(krita.package) in known.made_folders
    assert not {str(krita.pykrita), str(krita.resources / "actions")} & set(known.made_folders)
    assert plugins.adopted(known, found(krita), krita.sources) == known
    krita_desk.switched_off(krita)
    assert plugins.adopted(Manifest(), found(krita), krita.sources).switched_on == ()


def test_an_imported_plug_in_that_works_is_left_alone(krita: krita_desk.Desk) -> None:
    shutil.rmtree(krita.sources)
    shutil.copytree(SOURCES, krita.sources)
    krita.settle()
    action = krita.resources / "actions/maskwright.action"
    action.rename(krita.pykrita / action.name)
    known = plugins.adopted(Manifest(), found(krita), krita.sources)
    assert list(plugins.placements(found(krita), known, SOURCES)) == []
    (said,) = plugins.describe(found(krita), known, SOURCES)
    assert said.endswith("left alone, as they work.")
    krita.desktop.write_text("[Desktop Entry]\n")
    (said,) = plugins.describe(found(krita), known, SOURCES)
    assert said.endswith("run `maskwright doctor --repair` to mend it.")


def test_files_that_krita_no_longer_needs_go(krita: krita_desk.Desk) -> None:
    known, wanted = placed(found(krita))
    gone = str(krita.package / "maskwright_client/client.py")
    del wanted[gone]
    assert plugins.obsolete(known, wanted) == [Path(gone)]
    shutil.rmtree(krita.resources)


def test_where_a_package_of_the_system_has_put_it_krita_is_only_switched_on(
    krita: krita_desk.Desk,
) -> None:
    krita.put(krita.install())
    hosts = krita.hosts()
    assert list(plugins.placements(hosts, Manifest(), krita.sources)) == []
    assert plugins.to_switch_on(hosts, Manifest(), krita.sources) == [krita.settings]
    editors.switch_on(krita.settings)
    (said,) = plugins.describe(krita.hosts(), Manifest(), krita.sources)
    assert said == "Krita: Tools > Scripts > Remove Background, after its next start."


def test_where_a_package_of_the_system_has_put_it_gimp_needs_no_copy(desk: Desk) -> None:
    desk.put(folder=desk.install())
    hosts = [host for host in desk.hosts() if host.version == "3.0"]
    assert list(plugins.placements(hosts, Manifest(), desk.sources)) == []
    (said,) = plugins.describe(hosts, Manifest(), desk.sources)
    assert said == "GIMP 3.0: Filters > Remove Background, after its next start."
