"""The plug-ins' ZIPs have all that the plug-ins are made of, and nothing else."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import gimp_plug_in
import krita_plug_in
import pytest
import zips

both = pytest.mark.parametrize("write", [zips.write_gimp, zips.write_krita])


def names_in(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix() + ("/" if path.is_dir() else "")
        for path in folder.rglob("*")
    }


def test_kritas_is_the_plug_in_as_it_is_installed(tmp_path: Path):
    folder = krita_plug_in.assembled(tmp_path)
    with zipfile.ZipFile(zips.write_krita(tmp_path / "plug-in.zip")) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == names_in(folder)
        assert len(archive.namelist()) == len(names_in(folder))


def test_gimps_is_one_folder_with_the_plug_in_and_where_it_goes(tmp_path: Path):
    folder = gimp_plug_in.assembled(tmp_path)
    wanted = {f"maskwright/{name}" for name in ("", "README.txt", "LICENSE", *names_in(folder))}
    with zipfile.ZipFile(zips.write_gimp(tmp_path / "plug-in.zip")) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == wanted
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
        assert b"plug-ins" in archive.read("maskwright/README.txt")
    assert modes.pop("maskwright/maskwright.py") == 0o100755
    assert {mode for name, mode in modes.items() if name.endswith("/")} == {0o40755}
    assert {mode for name, mode in modes.items() if not name.endswith("/")} == {0o100644}


@both
def test_the_same_plug_in_makes_the_same_bytes(write: Callable[[Path], Path], tmp_path: Path):
    first, second = write(tmp_path / "first.zip"), write(tmp_path / "second.zip")
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.zip", "second.zip"]
