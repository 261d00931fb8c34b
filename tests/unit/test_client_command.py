"""Which command starts the engine, and which is never run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from maskwright_client.command import engine_command, is_sandboxed
from maskwright_client.errors import ClientError, EngineAbsent, EngineRefused, VersionMismatch
from maskwright_client.places import Places, locate
from maskwright_client.process import clean_environ


@pytest.fixture
def places(home: Path) -> Places:
    return locate("linux", {}, home)


@pytest.fixture
def program(home: Path) -> Path:
    path = home / "engine" / "bin" / "python"
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def install(places: Places, command: object, **changes: object) -> None:
    places.data.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"schema": 1, "command": command, **changes})
    places.command_file.write_text(text, encoding="utf-8")


def chosen(
    places: Places, command: list[str] | None = None, *, sandboxed: bool = False
) -> tuple[str, ...]:
    return engine_command(places, command, sandboxed=sandboxed, root=places.home / "root")


def refusal(places: Places, command: list[str] | None = None) -> ClientError:
    with pytest.raises(ClientError) as caught:
        chosen(places, command)
    return caught.value


def test_the_setting_comes_first_then_the_installers_then_the_systems(
    places: Places, program: Path
):
    system = places.home / "root" / "opt" / "maskwright" / "maskwright"
    system.parent.mkdir(parents=True)
    system.write_text("#!/bin/sh\n")
    system.chmod(0o755)
    assert chosen(places) == (str(system),)
    install(places, [str(program), "-I"])
    assert chosen(places) == (str(program), "-I")
    assert chosen(places, [str(program), "-X"]) == (str(program), "-X")


IN_KRITA = """
import os, sys
sys.path.insert(0, sys.argv[1])
from maskwright_client.command import engine_command
from maskwright_client.places import locate
from pathlib import Path
assert sys.getfilesystemencoding() == "ascii"
command = engine_command(locate("linux", {}, Path.home()), None, sandboxed=False)
sys.stdout.buffer.write(os.fsencode(command[0]))
"""


def test_a_home_with_any_letters_is_found_in_a_locale_without_them(home: Path):
    """Which Krita makes of a user's own."""
    places = locate("linux", {}, home / "Zoë 山田")
    program = places.home / "engine"
    places.home.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    install(places, [str(program)])
    shared = Path(__file__).resolve().parents[2] / "plugin/shared"
    environ = {"HOME": str(places.home), "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-X", "utf8=0", "-c", IN_KRITA, str(shared)]
    done = subprocess.run(command, env=environ, capture_output=True)
    assert done.stderr == b""
    assert done.stdout == str(program).encode()


def test_without_an_engine_the_installer_is_named(places: Places):
    error = refusal(places)
    assert isinstance(error, EngineAbsent)
    assert error.code == "not-installed"
    assert "installer" in error.message


def test_in_a_sandbox_the_way_around_is_named(places: Places, program: Path):
    install(places, [str(program)])
    program.unlink()
    with pytest.raises(EngineAbsent) as caught:
        chosen(places, sandboxed=True)
    assert caught.value.code == "cannot-start-here"
    assert "open a terminal, run `maskwright serve`, and try again" in caught.value.message


def test_a_program_that_is_not_executable_is_none(places: Places, program: Path):
    program.chmod(0o644)
    assert isinstance(refusal(places, [str(program)]), EngineAbsent)


@pytest.mark.parametrize("command", [["maskwright"], ["./maskwright"], ["../a"], ["", "/a"], [""]])
def test_neither_the_path_nor_the_current_folder_is_asked(
    places: Places, program: Path, command: list[str], monkeypatch: pytest.MonkeyPatch
):
    for name in ("maskwright", "a"):
        program.with_name(name).write_text("#!/bin/sh\n")
        program.with_name(name).chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.chdir(program.parent)
    error = refusal(places, command)
    assert isinstance(error, EngineRefused)
    assert error.code == "bad-command"
    install(places, command)
    assert refusal(places).code == "bad-command"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{", EngineRefused),
        ('{"schema": 1}', EngineRefused),
        ('{"schema": 1, "command": []}', EngineRefused),
        ('{"schema": 1, "command": "/bin/sh"}', EngineRefused),
        ('{"schema": 2, "command": ["/bin/sh"]}', VersionMismatch),
    ],
)
def test_a_damaged_command_file_starts_nothing(places: Places, text: str, kind: type[ClientError]):
    places.data.mkdir(parents=True)
    places.command_file.write_text(text)
    assert isinstance(refusal(places), kind)


@pytest.mark.skipif(os.name != "posix", reason="about POSIX permissions")
@pytest.mark.parametrize("what", ["file", "folder", "program", "script"])
def test_what_others_can_change_is_not_run(places: Places, program: Path, what: str):
    script = program.parent.parent / "maskwright"
    script.write_text("print()")
    install(places, [str(program), "-I", str(script)])
    assert chosen(places) == (str(program), "-I", str(script))
    spoiled = {
        "file": places.command_file,
        "folder": places.data,
        "program": program,
        "script": script,
    }[what]
    spoiled.chmod(spoiled.stat().st_mode | 0o020)
    error = refusal(places)
    assert isinstance(error, EngineRefused)
    assert error.code == "unsafe-file"
    assert str(spoiled) in error.message


def test_this_very_python_would_be_run(places: Places):
    assert chosen(places, [sys.executable]) == (sys.executable,)


@pytest.mark.parametrize(
    ("environ", "flatpak", "expected"),
    [({}, False, False), ({}, True, True), ({"SNAP": "/snap/gimp/1"}, False, True)],
)
def test_what_counts_as_a_sandbox(
    tmp_path: Path, environ: dict[str, str], flatpak: bool, expected: bool
):
    if flatpak:
        (tmp_path / ".flatpak-info").touch()
    assert is_sandboxed(environ, tmp_path) is expected


EDITORS = {
    "PYTHONPATH": "/krita",
    "PYTHONHOME": "/krita",
    "LD_LIBRARY_PATH": "/krita",
    "LD_PRELOAD": "/krita",
    "DYLD_LIBRARY_PATH": "/krita",
    "GI_TYPELIB_PATH": "/gimp",
    "GIO_MODULE_DIR": "/gimp",
    "GTK_PATH": "/gimp",
    "GDK_PIXBUF_MODULE_FILE": "/gimp",
    "GIMP3_DIRECTORY": "/gimp",
    "BABL_PATH": "/gimp",
    "GEGL_PATH": "/gimp",
    "QT_PLUGIN_PATH": "/krita",
    "QML2_IMPORT_PATH": "/krita",
}
USERS = {
    "HOME": "/home/me",
    "PATH": "/usr/bin",
    "LANG": "de_DE.UTF-8",
    "https_proxy": "http://proxy",
    "SSL_CERT_FILE": "/etc/ca.pem",
    "XDG_DATA_HOME": "/home/me/data",
    "MASKWRIGHT_DEVICE": "cpu",
}


def test_the_engine_gets_the_users_environment_without_the_editors():
    assert clean_environ(EDITORS | USERS, sandboxed=False) == USERS


def test_in_a_flatpak_the_users_own_folders_are_back():
    moved = {
        "XDG_DATA_HOME": "/home/me/.var/app/org.kde.krita/data",
        "XDG_CACHE_HOME": "/home/me/.var/app/org.kde.krita/cache",
        "HOST_XDG_DATA_HOME": "/home/me/data",
    }
    found = clean_environ(USERS | moved, sandboxed=True)
    assert found["XDG_DATA_HOME"] == "/home/me/data"
    assert "XDG_CACHE_HOME" not in found
