"""The ZIP for GIMP, unpacked where it says, is a plug-in that works."""

import zipfile
from pathlib import Path

import pytest
import zips
from engine_process import engine_in
from gimp_plug_in import CHECKOUT
from host_gimp import Gimp

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(300)]

SAMPLE = CHECKOUT / "installers/sample/coffee.jpg"

REMOVES = """
from host_inside.gimp_cases import *
document = opened(given["photo"])
done, said = call(REMOVE, document.image, document.drawables)
answer([done, said, mask_of(document.targets[0]) is not None])
"""


def unpack(path: Path, folder: Path) -> None:
    """Unpack a ZIP as file managers do, which keep the permissions that are in it."""
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            Path(archive.extract(info, folder)).chmod(info.external_attr >> 16 & 0o777)


def test_gimp_finds_what_was_in_the_zip(gimp: Gimp, tmp_path: Path):
    unpack(zips.write_gimp(tmp_path / "maskwright-gimp.zip"), gimp.profile / "plug-ins")
    with engine_in(gimp.stay.home):
        done, said, has_mask = gimp.console(REMOVES, photo=gimp.stay.bring(SAMPLE))
    assert (done, has_mask) == (True, True), said
