"""The ZIP for Krita's own importer brings a plug-in that works after the next start."""

from pathlib import Path

import pytest
import zips
from engine_process import engine_in
from host_krita import Krita
from krita_plug_in import CHECKOUT, assembled

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(300)]

SAMPLE = CHECKOUT / "installers/sample/coffee.jpg"

IMPORT = """
from plugin_importer.plugin_importer import PluginImporter
application = Krita.instance()
importer = PluginImporter(given["zip"], application.getAppDataLocation(), lambda plug_in: True)
plug_ins = importer.import_all()
for one in plug_ins:  # as the importer's dialog does on a Yes
    application.writeSetting("python", "enable_" + one["name"], "true")
answer([[one["name"], one["ui_name"], bool(one["action"])] for one in plug_ins])
"""
STANDS = """
dockers = Krita.instance().dockers()
dock = next(one for one in dockers if one.objectName() == "maskwright_remove_background_docker")
action = Krita.instance().action("maskwright_remove_background")
answer([dock.isVisible(), action.shortcut().toString()])
"""


def files_in(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in files
        if "__pycache__" not in path.parts
    }


def test_krita_imports_the_zip_and_runs_what_was_in_it(krita: Krita, tmp_path: Path):
    archive = tmp_path / "maskwright-krita.zip"
    zips.write_krita(archive)
    with krita.gui(SAMPLE) as window:
        found = window.do(IMPORT, zip=krita.stay.bring(archive))
        assert found == [["maskwright", "Remove Background (Maskwright)", True]]
        assert window.quit() == 0
    wanted = files_in(assembled(tmp_path) / "maskwright")
    assert files_in(krita.resources / "pykrita/maskwright") == wanted
    assert (krita.resources / "actions/maskwright.action").is_file()
    with engine_in(krita.stay.home), krita.gui(SAMPLE) as window:
        window.program.wait_until(lambda: window.do(STANDS)[0], 30)
        assert window.do(STANDS) == [True, "Ctrl+Alt+Shift+B"]
        window.do("dock.button.click()")
        window.program.wait_until(
            lambda: window.do(
                "layer = Krita.instance().activeDocument().topLevelNodes()[0];"
                "answer(len(layer.childNodes()))"
            ),
            30,
        )
        window.do("Krita.instance().activeDocument().setModified(False)")
        assert window.quit() == 0
