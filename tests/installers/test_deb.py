"""The package for Debian: installed, used by an ordinary user, upgraded, rolled back, removed."""

import base64
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from debian_computer import ENGINE, REMOVE_IN_GIMP, Computer, computer_in, repacked
from engine_process import wait_for
from environment import Shell
from host_machine_apt import install
from host_root import Root
from krita_screens import NAMES, removed
from linux import deb
from maskwright.service.instance import is_running
from plan import Plan
from proc_files import descendants
from sample_mask import SAMPLE, SAMPLE_INSIDE, gimp_shows_it, is_the_cups

pytestmark = [pytest.mark.installers, pytest.mark.timeout(900)]
# Read here, as no test sees the user's variables.
REQUIRED = os.environ.get("MASKWRIGHT_HOSTS") == "required"

VERSION = "0.1.0"
QUICK = 0  # xz's level
PLUG_INS = {
    "gimp": "/usr/lib/x86_64-linux-gnu/gimp/3.0/plug-ins/maskwright",
    "krita": "/usr/share/krita/pykrita/maskwright",
}
# What the engine leaves in a home, having been killed; its own end takes engine.json and the lock.
WRITTEN = {
    ".local/share/maskwright",
    *(f".local/share/maskwright/run{name}" for name in ("", "/engine.json", "/engine.lock")),
    *(f".local/share/maskwright/run/{name}.log" for name in ("engine", "start")),
}
KRITAS_ENGINE = """
import json, os
from pathlib import Path
run = Path.home() / ".local/share/maskwright/run/engine.json"
answer(os.readlink(f"/proc/{json.loads(run.read_bytes())['pid']}/exe"))
"""


@dataclass(frozen=True)
class Packages:
    """The package, the same one as a later version, and one whose engine does not start."""

    now: Path
    newer: Path
    broken: Path


@pytest.fixture(scope="module")
def packages(frozen: Path, tmp_path_factory: pytest.TempPathFactory) -> Packages:
    folder = tmp_path_factory.mktemp("packages")
    work = folder / "work"
    work.mkdir()
    shell = Shell(folder / "log.txt", os.environ)
    now = deb.build(Plan(VERSION, frozen, folder, work, shell, print), QUICK)
    shutil.rmtree(work)
    newer = repacked(now, folder, "99.1")
    return Packages(now, newer, repacked(now, folder, "99.2", maskwright="#!/bin/sh\nexit 1\n"))


@pytest.fixture
def computer(debian: Root, tmp_path: Path) -> Iterator[Computer]:
    with computer_in(debian, tmp_path) as made:
        yield made


def gimp_shows_it_with_ours(said: dict[str, Any]) -> bool:
    """Whether GIMP has made the mask, with the engine of the package."""
    assert said["engine"] == ENGINE
    return gimp_shows_it(said)


def test_lintian_has_nothing_to_say(packages: Packages, tmp_path: Path) -> None:
    if not shutil.which("lintian"):
        if os.geteuid() != 0:
            assert not REQUIRED, "CI must have lintian"
            pytest.skip("lintian is missing, and only root can install it")
        install(Shell(tmp_path / "log.txt", os.environ), "lintian")
    done = subprocess.run(["lintian", str(packages.now)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    size = packages.now.stat().st_size / 1e6
    sys.stdout.write(f"\n{packages.now.name}: {size:.0f} MB with level {QUICK}\n")


def test_what_the_package_says_of_itself(packages: Packages) -> None:
    command = ["dpkg-deb", "--field", str(packages.now)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"\nVersion: {VERSION}\n" in said
    assert re.search(r"^Depends: libc6 \(>= 2\.\d+\), libgcc-s1, libstdc\+\+6$", said, re.MULTILINE)
    assert "\nSuggests: gimp (>= 3), krita (>= 5.2)\n" in said
    assert "maskwright plugins enable" in said
    shown = subprocess.run(
        ["dpkg-deb", "--fsys-tarfile", str(packages.now)], capture_output=True, check=True
    ).stdout
    tree = subprocess.run(
        ["tar", "--extract", "--to-stdout", "./usr/share/man/man1/maskwright.1.gz"],
        input=shown,
        capture_output=True,
        check=True,
    ).stdout
    page = subprocess.run(["gzip", "-dc"], input=tree, capture_output=True, check=True)
    text = page.stdout.decode().replace("\\-", "-")
    for words in ("cut [OPTIONS]", "doctor", "models get", "plugins enable", "serve", "stop"):
        assert f'.SS "maskwright {words.replace(" [OPTIONS]", "")}' in text
    assert ".B --clean-colours" in text


def test_an_ordinary_user_removes_backgrounds(packages: Packages, computer: Computer) -> None:
    said = computer.install(packages.now)
    assert "maskwright plugins enable" in said
    gimp, krita = computer.gimp(), computer.krita()
    before = homes_files(computer)

    enabled = computer.user("maskwright", "plugins", "enable")
    assert enabled.returncode == 0, enabled.stderr.decode()
    assert "switched on" in enabled.stdout.decode()
    assert homes_files(computer) ^ before <= {".config/kritarc"}
    for editor, folder in PLUG_INS.items():
        (check,) = computer.doctor(f"host:{editor}")
        assert check["status"] == "ok"
        assert check["figures"]["plugin"] == "in-place"
        assert check["figures"]["where"] == folder
    repaired = computer.user("maskwright", "doctor", "--repair")
    assert repaired.returncode == 0, repaired.stdout.decode()
    assert "No plug-in was mended." in repaired.stdout.decode()
    assert computer.user("maskwright", "plugins", "install").returncode == 0
    assert copies(computer) == []

    assert gimp_shows_it_with_ours(gimp.console(REMOVE_IN_GIMP, photo=SAMPLE_INSIDE)), gimp.said
    with krita.gui(SAMPLE) as window:
        window.do(NAMES)
        assert "Ctrl+Z takes the mask back" in removed(window)
        assert window.do(KRITAS_ENGINE) == ENGINE
        mask = window.do("import base64; answer(base64.b64encode(bytes_of(masks()[0])).decode())")
        assert is_the_cups(base64.b64decode(mask))
    new = {name for name in homes_files(computer) - before if "maskwright" in name}
    assert new == WRITTEN
    for editor in ("gimp", "krita"):
        (check,) = computer.doctor(f"host:{editor}")
        assert check["figures"]["plugin"] == "in-place"
    krita.move_out()


def copies(computer: Computer) -> list[Path]:
    """The plug-ins' own packages, in the home."""
    names = ("maskwright_gimp", "maskwright_krita", "maskwright_client")
    return [path for name in names for path in computer.stay.home.rglob(name)]


def homes_files(computer: Computer) -> set[str]:
    """Everything in the home folder."""
    return {str(path.relative_to(computer.stay.home)) for path in computer.stay.home.rglob("*")}


def test_a_shell_completes_the_commands(packages: Packages, computer: Computer) -> None:
    computer.install(packages.now)
    places = ("/usr/share/bash-completion/completions/maskwright", "complete -p maskwright")
    done = computer.user("bash", "-ec", "; ".join([f"source {places[0]}", places[1]]))
    assert done.stdout.decode().strip() == "complete -o nosort -F _maskwright_completion maskwright"
    words = {"COMP_WORDS": "maskwright plu", "COMP_CWORD": "1"}
    asked = computer.user("maskwright", env={**words, "_MASKWRIGHT_COMPLETE": "bash_complete"})
    assert asked.stdout.decode() == "plain,plugins\n"


def test_an_upgrade_while_the_engine_runs_and_a_gimp_is_open(
    packages: Packages, computer: Computer
) -> None:
    computer.install(packages.now)
    with computer.gimp().gui(SAMPLE) as window:
        assert gimp_shows_it_with_ours(window.do(REMOVE_IN_GIMP, photo=SAMPLE_INSIDE))
        first = engine_of(window.program.process.pid)
        assert is_running(computer.places)
        code, said = computer.unpack(packages.newer)
        assert code == 0, said
        assert computer.version() == "ii 99.1"
        assert not is_running(computer.places)
        assert not computer.places.runtime_file.exists()
        assert window.program.is_running
        assert gimp_shows_it_with_ours(window.do(REMOVE_IN_GIMP, photo=SAMPLE_INSIDE))
        assert engine_of(window.program.process.pid) != first


def engine_of(program: int) -> int:
    """The engine's process among those that a program has started."""
    for pid in descendants(program):
        if Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:2] == [
            ENGINE.encode(),
            b"serve",
        ]:
            return pid
    raise AssertionError("there is no engine")


def test_a_new_engine_that_does_not_start_changes_nothing(
    packages: Packages, computer: Computer
) -> None:
    computer.install(packages.now)
    before = computer.files()
    code, said = computer.unpack(packages.broken)
    assert code != 0
    assert "does not work here; the other one stays" in said
    assert computer.version() == f"ii {VERSION}"
    assert computer.files() == before
    assert computer.administer("dpkg", "--audit") == (0, "")
    assert computer.user("maskwright", "--version").stdout.decode().endswith(f"{VERSION}\n")
    done = computer.user("maskwright", "cut", SAMPLE_INSIDE, "--out", "/srv/files/cut.png")
    assert done.returncode == 0, done.stderr.decode()


def test_a_version_that_does_not_start_can_be_upgraded(
    packages: Packages, computer: Computer
) -> None:
    assert computer.unpack(packages.broken)[0] == 0  # nothing is there that could stay
    assert computer.unpack(packages.now)[0] == 0
    assert computer.version() == f"ii {VERSION}"
    assert computer.user("maskwright", "--version").returncode == 0


def test_what_is_removed_is_gone(packages: Packages, computer: Computer) -> None:
    before = computer.files()
    computer.install(packages.now)
    assert computer.files() != before
    # An editor that root has started compiles the plug-in, which only root may write.
    code, said = computer.administer("python3", "-m", "compileall", "-q", *PLUG_INS.values())
    assert code == 0, said
    with computer.stay.start("maskwright", "serve", name="engine"):
        wait_for(computer.places.runtime_file.exists)
        code, said = computer.administer("apt-get", "remove", "-y", "maskwright")
        assert code == 0, said
        assert not is_running(computer.places)
    assert computer.files() == before
    assert computer.administer("apt-get", "purge", "-y", "maskwright")[0] == 0
    assert computer.version() == ""
    assert computer.files() == before
    listed = computer.administer("sh", "-c", "ls /var/lib/dpkg/info")[1].split()
    assert [name for name in listed if name.startswith("maskwright")] == []
