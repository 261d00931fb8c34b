"""Editors in sandboxes share the engine with all others, and start it where they can."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import bubblewrap
import pytest
from bubblewrap import Sandbox, flatpak, snap
from editor import editor_in
from engine_client import client_of, matted
from engine_process import command, engine_in, wait_for
from maskwright.service.instance import is_running
from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.discovery import find
from maskwright_client.places import Places, locate
from subject_photos import ball
from tiny_networks import Networks, tiny_networks

EDITOR = Path(__file__).resolve().parents[2] / "support" / "sandboxed_editor.py"
GIMP, KRITA = "org.gimp.GIMP", "org.kde.krita"
ALPHA_BYTES = 64 * 48
# In CI, where a sandbox that cannot be made must not pass unseen, as with real editors.
REQUIRED = os.environ.get("MASKWRIGHT_HOSTS") == "required"


@pytest.fixture(scope="module", autouse=True)
def _sandboxes(tmp_path_factory: pytest.TempPathFactory) -> None:
    if why := bubblewrap.provide(tmp_path_factory.mktemp("apt") / "log.txt"):
        if REQUIRED:
            pytest.fail(why)
        pytest.skip(why)


@pytest.fixture
def places(home: Path) -> Iterator[Places]:
    """A user's; an engine that still runs there at the end is stopped."""
    found = locate(sys.platform, {}, home)
    settings = home / ".config" / "maskwright" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"engine": {"stop_minutes": 2}}')
    yield found
    if is_running(found):
        Engine(find(found, {}, CancelSwitch())).shutdown()
        wait_for(lambda: not is_running(found))


@pytest.fixture
def networks(places: Places) -> Networks:
    """Where every engine of this user looks by itself."""
    return tiny_networks(places.data)


def install(places: Places, *words: str) -> None:
    """What the installer leaves to tell how the engine is started."""
    places.command_file.write_text(json.dumps({"schema": 1, "command": words}))
    places.command_file.chmod(0o600)


def clicked(sandbox: Sandbox, networks: Networks) -> dict[str, Any]:
    """What becomes of a click in an editor in there."""
    done = sandbox.run(sys.executable, "-I", str(EDITOR), networks.quick)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    assert said["processes"] != os.readlink("/proc/self/ns/pid")
    return said


def serve(*command: str, home: Path) -> subprocess.CompletedProcess[str]:
    """An engine of the user whose home that is, outside."""
    environ = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [*command, "serve"], env=environ, capture_output=True, text=True, timeout=60
    )


@pytest.mark.slow
@pytest.mark.parametrize("app", [GIMP, KRITA])
def test_a_flatpak_uses_the_engine_outside(places: Places, networks: Networks, app: str):
    with engine_in(places.home) as engine:
        said = clicked(flatpak(places.home, app), networks)
        assert said["instance"] == engine.runtime.instance_id
        assert (said["state"], said["alpha_bytes"]) == ("ready", ALPHA_BYTES)
        assert client_of(engine).hello().network_runs


@pytest.mark.slow
def test_a_flatpak_starts_an_engine_that_all_others_find(places: Places, networks: Networks):
    install(places, *command())
    said = clicked(flatpak(places.home, GIMP), networks)
    assert said["alpha_bytes"] == ALPHA_BYTES
    assert is_running(places)
    outside = Engine(find(places, {}, CancelSwitch()))
    assert outside.instance_id == said["instance"]
    assert matted(outside, ball(64, 48), model=networks.quick)[1].network_runs
    assert clicked(flatpak(places.home, KRITA), networks)["instance"] == said["instance"]
    with editor_in(places.home, {}) as editor:
        assert editor.engine().instance_id == said["instance"]


CANNOT_RUN = {
    "not installed": None,
    "only outside": "#!/bin/sh\nexit 0\n",
    "made for a Python that is not there": "#!/nowhere/python3\n",
    "made for another system": "#!/bin/sh\nexit 127\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("how", CANNOT_RUN)
def test_where_it_cannot_start_the_sentence_says_what_to_do(
    places: Places, networks: Networks, tmp_path: Path, how: str
):
    if (text := CANNOT_RUN[how]) is not None:
        folder = tmp_path if how == "only outside" else places.data
        program = folder / "engine" / "maskwright"
        program.parent.mkdir(mode=0o755)
        program.write_text(text)
        program.chmod(0o755)
        install(places, str(program))
    sandbox = flatpak(places.home, GIMP)
    said = clicked(sandbox, networks)
    assert (said["error"], said["code"]) == ("EngineAbsent", "cannot-start-here")
    assert said["state"] == "absent"
    assert said["sentence"] == (
        "Maskwright's engine cannot be started from inside this sandbox: open a terminal, run "
        "`maskwright serve`, and try again."
    )
    with engine_in(places.home) as engine:
        assert clicked(sandbox, networks)["instance"] == engine.runtime.instance_id


@pytest.mark.slow
def test_two_engines_never_run_at_once(places: Places, networks: Networks):
    install(places, *command())
    sandbox = flatpak(places.home, GIMP)
    with engine_in(places.home) as engine:
        inside = sandbox.run(*command(), "serve")
        assert (inside.returncode, inside.stdout) == (0, "The engine is running already.\n")
        assert client_of(engine).instance_id == engine.runtime.instance_id
    assert not is_running(places)
    first = clicked(sandbox, networks)["instance"]
    outside = serve(*command(), home=places.home)
    assert (outside.returncode, outside.stdout) == (0, "The engine is running already.\n")
    assert Engine(find(places, {}, CancelSwitch())).instance_id == first


@pytest.mark.slow
def test_all_who_start_one_at_the_same_time_get_the_same(places: Places, networks: Networks):
    install(places, *command())
    sandboxes = [flatpak(places.home, app) for app in (GIMP, KRITA)]
    with editor_in(places.home, {}) as editor, ThreadPoolExecutor() as editors:
        inside = [editors.submit(clicked, sandbox, networks) for sandbox in sandboxes]
        outside = editors.submit(editor.engine)
        assert {one.result()["instance"] for one in inside} == {outside.result().instance_id}


# How Snap's confinement may look to a program: there is nothing, or nothing that may be read.
HIDDEN = {"empty": ("--tmpfs",), "closed": ("--perms", "0000", "--tmpfs")}


@pytest.mark.slow
@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_snap_finds_the_engine_by_the_copy_in_its_folder(
    places: Places, networks: Networks, hidden: str
):
    sandbox = snap(places.home, "gimp", *HIDDEN[hidden])
    copy = places.home / "snap" / "gimp" / "common" / "maskwright" / "engine.json"
    absent = clicked(sandbox, networks)
    assert (absent["error"], absent["code"]) == ("EngineAbsent", "cannot-start-here")
    with engine_in(places.home) as engine:
        assert copy.read_bytes() == places.runtime_file.read_bytes()
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
        said = clicked(sandbox, networks)
        assert said["instance"] == engine.runtime.instance_id
        assert said["alpha_bytes"] == ALPHA_BYTES
    assert not copy.parent.exists()
    assert clicked(sandbox, networks)["code"] == "cannot-start-here"


@pytest.mark.slow
def test_a_snap_with_a_home_of_its_own_finds_it_too(places: Places, networks: Networks):
    sandbox = snap(places.home, "krita", "--tmpfs")
    own = {**sandbox.environ, "HOME": sandbox.environ["SNAP_USER_DATA"]}
    with engine_in(places.home) as engine:
        said = clicked(Sandbox(sandbox.words, own), networks)
        assert said["instance"] == engine.runtime.instance_id
    assert clicked(Sandbox(sandbox.words, own), networks)["code"] == "cannot-start-here"


def test_no_snap_no_copy(places: Places):
    with engine_in(places.home):
        assert not (places.home / "snap").exists()


@pytest.mark.slow
def test_a_copy_that_a_killed_engine_left_is_no_engine(places: Places, networks: Networks):
    sandbox = snap(places.home, "gimp", "--tmpfs")
    with engine_in(places.home) as engine:
        engine.kill()
    assert (places.home / "snap" / "gimp" / "common" / "maskwright" / "engine.json").exists()
    assert clicked(sandbox, networks)["code"] == "cannot-start-here"
    places.runtime_file.unlink()  # so that `engine_in` waits for the next one
    with engine_in(places.home) as engine:
        assert clicked(sandbox, networks)["instance"] == engine.runtime.instance_id
