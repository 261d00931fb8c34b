"""The download for one user: unpacked, installed, updated, taken back, removed; nothing is left."""

import base64
import json
import os
import platform
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from debian_computer import HOME, REMOVE_IN_GIMP, Computer, computer_in
from engine_process import wait_for
from environment import Shell
from host_root import Root
from krita_screens import NAMES, removed
from linux import tarball
from linux.glibc import oldest_glibc
from PIL import Image
from plan import Plan
from sample_mask import SAMPLE_INSIDE, gimp_shows_it, is_the_cups

pytestmark = [pytest.mark.installers, pytest.mark.timeout(600)]

CHECKOUT = Path(__file__).resolve().parents[2]
SAMPLE = CHECKOUT / "installers/sample/coffee.jpg"
NAME = f"maskwright-0.1.0-linux-{platform.machine()}"
QUICK = 0  # xz's level
_UID = 1234


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Person:
    """An ordinary user whose home and downloads have no easy names."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "Zoë 山田's home"

    @property
    def data(self) -> Path:
        return self.home / ".local/share/maskwright"

    @property
    def command(self) -> Path:
        return self.home / ".local/bin/maskwright"

    @property
    def engines(self) -> list[str]:
        return sorted(path.name for path in (self.data / "engine").iterdir())

    @property
    def engine_in_use(self) -> Path:
        words = json.loads((self.data / "engine-command.json").read_bytes())["command"]
        return Path(words[0]).parent

    def words(self, *command: str | Path) -> list[str]:
        as_user = ["setpriv", f"--reuid={_UID}", f"--regid={_UID}", "--clear-groups"]
        return [*(as_user if os.geteuid() == 0 else []), *map(str, command)]

    def environ(self, **more: str) -> dict[str, str]:
        return {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "SHELL": "/bin/bash", **more}

    def run(self, *command: str | Path, **more: str) -> Said:
        done = subprocess.run(
            self.words(*command),
            env=self.environ(**more),
            cwd=self.folder,
            capture_output=True,
            encoding="utf-8",
        )
        assert "Traceback" not in done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    def owns(self, folder: Path) -> None:
        if os.geteuid() == 0:
            subprocess.run(["chown", "-hR", f"{_UID}:{_UID}", str(folder)], check=True)

    def another(self, download: Path, name: str) -> Path:
        """A copy of the download, to be changed; links save the disk until then."""
        target = self.folder / name
        shutil.copytree(download, target, symlinks=True, copy_function=os.link)
        return target


def replace(path: Path, content: bytes) -> None:
    """Change a file, but not those that are linked to it."""
    path.unlink()
    path.write_bytes(content)
    path.chmod(0o755)


def listing(folder: Path) -> dict[str, Any]:
    """Everything below, files with their size and the time of their last change."""
    found = {path: path.lstat() for path in folder.rglob("*")}
    return {
        str(path.relative_to(folder)): (entry.st_size, entry.st_mtime_ns)
        if stat.S_ISREG(entry.st_mode)
        else stat.S_IFMT(entry.st_mode)
        for path, entry in found.items()
    }


@pytest.fixture(scope="module")
def archive(frozen: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tarball")
    shell = Shell(folder / "log.txt", os.environ)
    return tarball.build(Plan("0.1.0", frozen, folder, folder / "work", shell, print), QUICK)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter, which pytest's are not."""
    with tempfile.TemporaryDirectory(prefix="maskwright for all ") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def download(archive: Path) -> Iterator[Path]:
    """The unpacked download, which is only read."""
    with open_folder() as folder:
        subprocess.run(["tar", "-xf", str(archive), "-C", str(folder)], check=True)
        (unpacked,) = folder.iterdir()
        yield unpacked


@pytest.fixture
def person() -> Iterator[Person]:
    with open_folder() as folder:
        somebody = Person(folder)
        (somebody.home / ".config").mkdir(parents=True)
        (somebody.home / ".config/notes").write_text("mine")
        somebody.owns(folder)
        yield somebody


def test_what_is_in_the_tarball(archive: Path, frozen: Path, tmp_path: Path) -> None:
    with tarfile.open(archive) as opened:
        members = opened.getmembers()
        texts = {
            name: opened.extractfile(f"{NAME}/{name}").read().decode()  # type: ignore[union-attr]
            for name in ("README.txt", "install.sh")
        }
    assert archive.name == f"{NAME}.tar.xz"
    top = {Path(member.name).parts[1] for member in members[1:]}
    assert {Path(member.name).parts[0] for member in members} == {NAME}
    assert top == {
        *("README.txt", "install.sh", "LICENSE", "THIRD-PARTY.md"),
        *("licences", "sbom.cdx.json", "engine"),
    }
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {
        (0, 0, "", "", 315532800)
    }
    assert {m.mode for m in members if not m.issym()} == {0o755, 0o644}
    engine = {m.name.partition("/engine/")[2]: m for m in members if "/engine/" in m.name}
    assert engine.keys() == {str(path.relative_to(frozen)) for path in frozen.rglob("*")}
    assert all(m.issym() == (frozen / name).is_symlink() for name, m in engine.items())
    assert "@" not in texts["README.txt"]
    glibc = oldest_glibc(frozen, Shell(tmp_path / "log.txt", os.environ))
    assert f"\nneeded_glibc={glibc}\n" in texts["install.sh"]
    assert f"glibc {glibc} or newer" in texts["README.txt"]
    sys.stdout.write(f"\n{archive.name}: {archive.stat().st_size / 1e6:.1f} MB at level {QUICK}\n")


def test_the_same_engine_makes_the_same_tarball(
    archive: Path, frozen: Path, tmp_path: Path
) -> None:
    shell = Shell(tmp_path / "log.txt", os.environ)
    again = tarball.build(Plan("0.1.0", frozen, tmp_path, tmp_path, shell, print), QUICK)
    assert again.read_bytes() == archive.read_bytes()
    assert not list(tmp_path.glob("*.new"))


def test_installed_used_installed_again_and_removed(download: Path, person: Person) -> None:
    before = listing(person.home)
    said = person.run(download / "install.sh")
    assert said.code == 0, said.err
    assert f"Maskwright is installed: {person.command}" in said.out
    with Image.open(person.home / "maskwright-sample-cutout.png") as cutout:
        alpha = np.asarray(cutout.getchannel("A"))
    assert alpha[180, 300] > 250
    assert alpha[10, 590] < 3
    photo = person.home / "my café 写真.jpg"
    shutil.copy(SAMPLE, photo)
    path = f"{person.command.parent}:/usr/bin:/bin"
    said = person.run("sh", "-c", 'maskwright cut "$0"', photo, PATH=path)
    assert said.code == 0, said.err
    photo.with_name("my café 写真-cutout.png").unlink()
    photo.unlink()

    settled = listing(person.home)
    start = time.monotonic()
    said = person.run("sh", download / "install.sh", "--no-sample")
    seconds = time.monotonic() - start
    assert said.code == 0, said.err
    assert "up to date" in said.out
    assert listing(person.home) == settled
    sys.stdout.write(f"\nthe second run: {seconds:.1f} s\n")

    said = person.run(person.command, "setup", "uninstall")
    assert said.code == 0, said.err
    assert listing(person.home) == before


def test_a_newer_version_and_back_again(download: Path, person: Person) -> None:
    before = listing(person.home)
    assert person.run(download / "install.sh", "--no-sample").code == 0
    first = person.engine_in_use
    newer = person.another(download, "newer")
    replace(newer / "engine/_internal/papers/THIRD-PARTY.md", b"newer\n")
    running = subprocess.Popen(person.words(person.command, "serve"), env=person.environ())
    wait_for(lambda: (person.data / "run/engine.json").exists())
    said = person.run(newer / "install.sh", "--no-sample")
    assert said.code == 0, said.err
    assert running.wait(20) == 0
    second = person.engine_in_use
    assert second != first
    assert len(person.engines) == 2
    said = person.run(person.command, "setup", "rollback")
    assert said.code == 0, said.err
    assert person.engine_in_use == first
    said = person.run(newer / "install.sh", "--rollback")
    assert said.code == 0, said.err
    assert person.engine_in_use == second
    assert person.run(person.command, "--version").code == 0
    said = person.run(newer / "install.sh", "--uninstall", "--purge")
    assert said.code == 0, said.err
    assert listing(person.home) == before


@pytest.fixture
def broken(download: Path, person: Person) -> Path:
    """A download whose engine starts, but cannot make a mask."""
    folder = person.another(download, "broken")
    (library,) = (folder / "engine/_internal/onnxruntime/capi").glob("*pybind11_state*")
    replace(library, library.read_bytes()[:1_000_000])
    return folder


def test_a_version_that_does_not_work_is_not_installed(broken: Path, person: Person) -> None:
    before = listing(person.home)
    said = person.run(broken / "install.sh")
    assert said.code in (1, 3), said
    assert len(said.err.strip().splitlines()) == 1
    assert listing(person.home) == before


def test_a_newer_version_that_does_not_work_changes_nothing(
    download: Path, broken: Path, person: Person
) -> None:
    assert person.run(download / "install.sh", "--no-sample").code == 0
    before = listing(person.home)
    said = person.run(broken / "install.sh", "--no-sample")
    assert said.code in (1, 3), said
    assert "still works" in said.out
    assert listing(person.home) == before
    assert person.run(person.command, "--version").code == 0


PRETENDED = {
    "another system": (
        {"uname": "case $1 in -s) echo Darwin ;; *) echo arm64 ;; esac"},
        "is Darwin",
    ),
    "another processor": (
        {"uname": "case $1 in -s) echo Linux ;; *) echo aarch64 ;; esac"},
        "one is aarch64",
    ),
    "an old glibc": ({"getconf": "echo glibc 2.9"}, "glibc 2.9, and Maskwright needs"),
    "another C library": ({"getconf": "exit 1"}, "has no glibc"),
}


@pytest.mark.parametrize("what", PRETENDED)
def test_where_it_cannot_run_it_says_so(download: Path, person: Person, what: str) -> None:
    before = listing(person.home)
    programs, sentence = PRETENDED[what]
    folder = person.folder / "programs"
    folder.mkdir()
    for name, script in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    said = person.run(download / "install.sh", PATH=f"{folder}:/usr/bin:/bin")
    assert said.code == 1
    assert sentence in said.err
    assert len(said.err.splitlines()) == 1
    assert listing(person.home) == before


def test_a_later_glibc_will_do(download: Path, person: Person) -> None:
    folder = person.folder / "programs"
    folder.mkdir()
    (folder / "getconf").write_text("#!/bin/sh\necho glibc 3.0\n")
    (folder / "getconf").chmod(0o755)
    path = f"{folder}:/usr/bin:/bin"
    assert person.run(download / "install.sh", "--uninstall", PATH=path).code == 0


def test_half_a_download_is_told_so(download: Path, person: Person) -> None:
    half = person.folder / "half a download"
    half.mkdir()
    shutil.copy(download / "install.sh", half)
    said = person.run(half / "install.sh")
    assert (said.code, "unpack the whole download" in said.err) == (1, True)
    (half / "engine").mkdir()
    (half / "engine/maskwright").write_text("no program")
    said = person.run(half / "install.sh")
    assert (said.code, "may not be executed" in said.err) == (1, True)


def test_its_own_words(download: Path, person: Person) -> None:
    before = listing(person.home)
    said = person.run(download / "install.sh", "--help")
    assert said.code == 0
    for word in ("--no-sample", "--rollback", "--uninstall", "--purge", "setup uninstall"):
        assert word in said.out
    for wrong in (["--nonsense"], ["no such photo.jpg"], ["--rollback", "--purge"]):
        said = person.run(download / "install.sh", *wrong)
        assert said.code == 2, said
        assert said.err.strip()
    said = person.run(download / "install.sh", "--rollback")
    assert (said.code, len(said.err.splitlines())) == (1, 1)
    assert listing(person.home) == before


@pytest.fixture
def computer(debian: Root, tmp_path: Path) -> Iterator[Computer]:
    with computer_in(debian, tmp_path) as made:
        yield made


EDITORS_OWN = (
    *(".cache", ".config/GIMP", ".config/krita", ".dbus"),
    *(".local/share/krita", ".local/share/gvfs"),
)


def test_from_the_download_to_a_mask_in_gimp_and_krita(archive: Path, computer: Computer) -> None:
    """Debian 13, an ordinary user, the real editors: everything happens in there."""
    gimp, krita = computer.gimp(), computer.krita()
    home = computer.stay.home
    computer.stay.bring(archive)
    before = {str(path.relative_to(home)) for path in home.rglob("*")}

    start = time.monotonic()
    computer.user("mkdir", f"{HOME}/Downloads")
    # There is no xz in this small Debian, but Python.
    done = computer.user("python3", "-m", "tarfile", "-e", archive.name, f"{HOME}/Downloads")
    assert done.returncode == 0, done.stderr.decode()
    unpacked = time.monotonic()
    done = computer.user(f"{HOME}/Downloads/{NAME}/install.sh")
    assert done.returncode == 0, done.stderr.decode()
    said = done.stdout.decode()
    assert "Filters > Remove Background, after its next start" in said
    assert "Tools > Scripts > Remove Background" in said
    installed = time.monotonic()
    computer.user("rm", "-r", f"{HOME}/Downloads")
    found = gimp.console(REMOVE_IN_GIMP, photo=SAMPLE_INSIDE)
    masked = time.monotonic()
    sys.stdout.write(
        f"\nunpacked {unpacked - start:.1f} s, installed {installed - unpacked:.1f} s, "
        f"a mask in GIMP {masked - installed:.1f} s; together {masked - start:.1f} s\n"
    )
    assert gimp_shows_it(found)
    assert found["engine"].startswith(f"{HOME}/.local/share/maskwright/engine/0.1.0-")

    with krita.gui(SAMPLE) as window:
        window.do(NAMES)
        assert "Ctrl+Z takes the mask back" in removed(window)
        mask = window.do("import base64; answer(base64.b64encode(bytes_of(masks()[0])).decode())")
        assert is_the_cups(base64.b64decode(mask))
        window.do("document().setModified(False)")  # else it would ask
        assert window.quit() == 0

    done = computer.user(f"{HOME}/.local/bin/maskwright", "doctor", "--json")
    checks = json.loads(done.stdout)["checks"]
    assert {check["status"] for check in checks} == {"ok"}, checks
    done = computer.user(f"{HOME}/.local/bin/maskwright", "setup", "uninstall")
    assert done.returncode == 0, done.stderr.decode()
    left = {str(path.relative_to(home)) for path in home.rglob("*")} - before
    assert [name for name in left if not name.startswith(EDITORS_OWN)] == []
    assert [name for name in left if "maskwright" in name] == []
    assert "enable_maskwright" not in (home / ".config/kritarc").read_text()
    krita.move_out()
