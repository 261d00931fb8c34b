"""Where the installer puts things, and which files it takes for its own."""

from pathlib import Path

import pytest
from maskwright.setup.failure import InstallError
from maskwright.setup.layout import locate, path_advice
from maskwright.setup.manifest import (
    Manifest,
    Placement,
    place,
    read,
    refuse_foreign,
    remove_placed,
    write,
)
from maskwright.setup.proof import settle
from maskwright.setup.switching import launcher


def test_the_engine_lies_in_a_fixed_place_and_the_models_may_lie_elsewhere(home: Path) -> None:
    layout = locate("linux", {"XDG_DATA_HOME": "/data"}, home)
    assert layout.data == home / ".local/share/maskwright"
    assert layout.command == home / ".local/bin/maskwright"
    assert Path("/data/maskwright/models") in layout.users_own
    assert locate("darwin", {}, home).data == home / "Library/Application Support/maskwright"


def test_the_windows_command_finds_its_folder_by_itself(home: Path) -> None:
    layout = locate("win32", {"LOCALAPPDATA": str(home / "Ünï")}, home)
    text = launcher(layout, layout.data / "env-1").decode("ascii")
    assert layout.command.name == "maskwright.cmd"
    assert "%LOCALAPPDATA%\\maskwright" in text
    assert text.endswith("%* & exit /b\r\n")


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("/bin/bash", 'add this line to ~/.bashrc and open a new terminal:\n  export PATH="$HOME/'),
        ("/usr/bin/zsh", "add this line to ~/.zshrc"),
        ("/usr/bin/fish", "  fish_add_path ~/.local/bin"),
        ("/bin/dash", "add this line to ~/.profile"),
    ],
)
def test_the_line_for_the_path_fits_the_shell(home: Path, shell: str, line: str) -> None:
    layout = locate("linux", {}, home)
    assert line in path_advice(layout, {"PATH": "/usr/bin:", "SHELL": shell})
    assert path_advice(layout, {"PATH": f"/bin:{home}/.local/bin", "SHELL": shell}) == ""


def test_a_quote_in_the_home_does_not_end_the_command(tmp_path: Path) -> None:
    layout = locate("linux", {}, tmp_path / "o'brien")
    assert "o'\\''brien/.local/share" in launcher(layout, layout.data / "env-1").decode()


def test_only_files_as_they_were_placed_are_ours(tmp_path: Path) -> None:
    item = Placement(tmp_path / "command", b"first")
    manifest = Manifest().expecting([item])
    refuse_foreign(Manifest(), [item.path])
    place(item)
    assert manifest.owns(item.path)
    item.path.write_bytes(b"edited")
    with pytest.raises(InstallError, match="is not Maskwright's"):
        refuse_foreign(manifest, [item.path])
    assert remove_placed(manifest) == [item.path]
    assert item.path.read_bytes() == b"edited"
    item.path.unlink()
    item.path.symlink_to(tmp_path / "gone")
    with pytest.raises(InstallError):
        refuse_foreign(manifest, [item.path])


def test_at_the_moment_of_the_switch_both_versions_are_ours(tmp_path: Path) -> None:
    old, new = (Placement(tmp_path / "command", text) for text in (b"old", b"new"))
    manifest = Manifest().expecting([old]).expecting([new])
    for item in (old, new):
        place(item)
        assert manifest.owns(item.path)


def test_the_record_survives_writing_and_a_damaged_one_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "install.json"
    manifest = Manifest("f", "p", "env-f", {"/ö": ("1", "2")}, ("/a", "/a/b"), ("python3-venv",))
    write(path, manifest)
    assert read(path) == manifest
    path.write_text('{"schema": 1, "placed": []}', encoding="utf-8")
    assert read(path) == Manifest()


def test_a_result_never_replaces_somebody_elses_file(tmp_path: Path) -> None:
    result, wanted = tmp_path / "new.png", tmp_path / "cat-cutout.png"
    result.write_bytes(b"new")
    assert settle(result, wanted, Manifest()) == (wanted, True)
    assert settle(result, wanted, Manifest()) == (wanted, False)
    wanted.write_bytes(b"painted on")
    assert settle(result, wanted, Manifest()) == (tmp_path / "cat-cutout-2.png", True)
    assert wanted.read_bytes() == b"painted on"
    known = Manifest().with_result(wanted)
    assert settle(result, wanted, known) == (wanted, True)
    assert wanted.read_bytes() == b"new"
