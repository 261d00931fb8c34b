"""The editors' plug-ins, as the installer places, adopts and removes them."""

from pathlib import Path

import plugins
import pytest
from engine_hosts import hosts as editors
from gimp_desk import Desk, small_desk
from manifest import Manifest, Placement, place


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = small_desk(tmp_path)
    (desk.profile.with_name("3.2") / "plug-ins").mkdir(parents=True)
    return desk


def found(desk: Desk) -> plugins.Hosts:
    nothing = desk.home / "no root"
    return editors.find_hosts(desk.home, {}, "linux", lambda _: None, nothing)


def placed(desk: Desk) -> tuple[Manifest, dict[str, Placement]]:
    """The record after an installation, and what it has placed."""
    wanted = list(plugins.placements(found(desk), Manifest()))
    for item in wanted:
        item.path.parent.mkdir(parents=True, exist_ok=True)
        place(item)
    return Manifest().expecting(wanted), {str(item.path): item for item in wanted}


def test_a_script_without_its_run_bit_is_not_as_it_was_placed(desk: Desk) -> None:
    known, wanted = placed(desk)
    assert all(known.holds(item) for item in wanted.values())
    desk.script.chmod(0o644)
    assert [item.path for item in wanted.values() if not known.holds(item)] == [desk.script]


def test_an_edited_plug_in_stays_whole_in_an_update(desk: Desk) -> None:
    known, _ = placed(desk)
    (desk.script.parent / "maskwright_client/client.py").write_text("# mine\n")
    update = {str(item.path): item for item in plugins.placements(found(desk), known)}
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
