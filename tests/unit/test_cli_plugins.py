"""`maskwright plugins` and `maskwright setup`, in a home with editors that have been started."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from maskwright.cli import cli
from own_process import on_a_terminal

SOURCES = Path(__file__).resolve().parents[2] / "plugin"
SETTINGS = "[python]\nenable_other=true\n"


@pytest.fixture(autouse=True)
def editors(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A GIMP 3.2 and a Krita, whatever this machine has."""
    monkeypatch.setenv("PATH", str(home / "nothing"))
    monkeypatch.setattr("sys.platform", "linux")
    (home / ".config/GIMP/3.2").mkdir(parents=True)
    (home / ".local/share/krita").mkdir(parents=True)
    (home / ".config/kritarc").write_text(SETTINGS)


def run(*words: str) -> str:
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    return done.output


def listing(home: Path) -> list[Path]:
    return sorted(home.rglob("*"))


def states() -> dict[str, str]:
    found = json.loads(run("plugins", "list", "--json"))
    return {check["name"]: check["figures"]["plugin"] for check in found}


def test_they_are_placed_found_and_removed_without_a_trace(home: Path) -> None:
    before = listing(home)
    assert states() == {"host:gimp": "missing", "host:krita": "missing"}

    said = run("plugins", "install")
    assert "GIMP 3.2: Filters > Remove Background" in said
    assert "Krita: Tools > Scripts > Remove Background" in said
    assert states() == {"host:gimp": "in-place", "host:krita": "in-place"}
    script = home / ".config/GIMP/3.2/plug-ins/maskwright/maskwright.py"
    assert script.read_bytes() == (SOURCES / "gimp/maskwright/maskwright.py").read_bytes()
    assert script.stat().st_mode & 0o777 == 0o755
    placed = listing(home)
    run("plugins", "install")
    assert listing(home) == placed

    run("plugins", "uninstall")
    assert listing(home) == before
    assert (home / ".config/kritarc").read_text() == SETTINGS
    assert "No plug-in" in run("plugins", "uninstall")


def test_kritas_is_switched_off_and_on(home: Path) -> None:
    run("plugins", "install")
    assert "Krita: switched off" in run("plugins", "disable")
    assert states()["host:krita"] == "disabled"
    assert "No Krita" in run("plugins", "disable")
    assert "Krita: switched on" in run("plugins", "enable")
    assert states()["host:krita"] == "in-place"
    assert "already" in run("plugins", "enable")


def test_without_an_editor_nothing_is_placed(home: Path) -> None:
    for folder in (home / ".config/GIMP/3.2", home / ".config/GIMP", home / ".local/share/krita"):
        folder.rmdir()
    before = listing(home)
    assert "Neither GIMP 3 nor Krita" in run("plugins", "install")
    assert "No Krita was found" in run("plugins", "enable")
    assert listing(home) == before


def test_an_engine_that_is_no_download_cannot_install_itself(home: Path) -> None:
    before = listing(home)
    done = CliRunner().invoke(cli, ["setup", "install"])
    assert done.exit_code == 2
    assert "installers/install.py" in done.output
    done = CliRunner().invoke(cli, ["setup", "rollback"])
    assert done.exit_code == 1
    assert "no earlier version" in done.output
    assert "not installed" in run("setup", "uninstall")
    assert listing(home) == before


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals on Windows")
@pytest.mark.parametrize(("answer", "stays"), [(b"\n", True), (b"y\n", False)])
def test_uninstalling_on_a_terminal_asks_about_networks(
    home: Path, answer: bytes, stays: bool
) -> None:
    model = home / ".local/share/maskwright/models/big.onnx"
    model.parent.mkdir(parents=True)
    model.write_bytes(b"downloaded")
    code, shown = on_a_terminal("setup", "uninstall", typed=answer)
    assert (code, b"Remove your downloaded networks" in shown) == (0, True)
    assert model.exists() == stays
    assert (b"Kept, 1 kB of yours" in shown) == stays
