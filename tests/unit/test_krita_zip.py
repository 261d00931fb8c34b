"""The ZIP for Krita has all that the plug-in is made of, and nothing else."""

import zipfile
from pathlib import Path

import krita_zip
from krita_plug_in import assembled


def test_the_zip_is_the_plug_in_as_it_is_installed(tmp_path: Path):
    target = tmp_path / "plug-in.zip"
    krita_zip.main([str(target)])
    folder = assembled(tmp_path)
    wanted = {
        path.relative_to(folder).as_posix() + ("/" if path.is_dir() else "")
        for path in folder.rglob("*")
    }
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == wanted
        assert len(archive.namelist()) == len(wanted)
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".new"] == []


def test_the_same_plug_in_makes_the_same_bytes(tmp_path: Path):
    for name in ("first.zip", "second.zip"):
        krita_zip.build(tmp_path / name)
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()
