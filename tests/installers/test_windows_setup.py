"""The setup for Windows, run under Wine, with an engine that was frozen there (windows_engine.py).

Not a real Windows, but real programs of one: NSIS' setup, Python, onnxruntime, the engine.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from environment import Shell
from maskwright import hosts
from maskwright.setup.failure import InstallError
from PIL import Image
from plan import Plan
from windows.setup_exe import build, missing_runtime, refuse_incomplete, write
from windows_engine import windows_engine, windows_python
from wine import NoWine, Said, Windows, new_windows, provide, seen_from_inside

CHECKOUT = Path(__file__).resolve().parents[2]
CLIENT = CHECKOUT / "tests" / "support" / "windows_client.py"
SAMPLE = CHECKOUT / "installers" / "sample" / "coffee.jpg"
USER = "Zoë 山田"
ENTRY = r"user.reg: Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\Maskwright"
KRITARC = "[python]\nenable_other=true\n\n[theme]\nTheme=Krita dark\n"

pytestmark = [pytest.mark.installers, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Setups:
    """What is installed here: this version, another one, and one whose engine does not work."""

    first: Path
    other: Path
    broken: Path


@dataclass(frozen=True)
class User:
    """Somebody with GIMP 3.0 and 3.2, Krita, and a plug-in by somebody else."""

    windows: Windows

    @property
    def roaming(self) -> Path:
        return self.windows.home / "AppData" / "Roaming"

    @property
    def local(self) -> Path:
        return self.windows.home / "AppData" / "Local"

    @property
    def data(self) -> Path:
        return self.local / "maskwright"

    @property
    def entry(self) -> dict[str, str]:
        """What Windows' list of apps says about us; empty if nothing."""
        lines = self.windows.registry().get(ENTRY, [])
        pairs = (line.split("=", 1) for line in lines if "=" in line)
        return {name[1:-1]: value[1:-1] if value[0] == '"' else value for name, value in pairs}

    @property
    def engine(self) -> Path:
        """The program that the plug-ins start."""
        words = json.loads((self.data / "engine-command.json").read_text(encoding="ascii"))
        drive, _, place = str(words["command"][0]).partition(":\\")
        assert drive == "C"
        return self.windows.prefix / "drive_c" / place.replace("\\", "/")

    def maskwright(self, *words: str) -> Said:
        """Run the command that was placed."""
        return self.windows.run(self.windows.home / ".local" / "bin" / "maskwright.cmd", *words)

    def uninstall(self, *words: str) -> None:
        """Run the uninstaller, which goes on in a copy of itself, to its very end."""
        said = self.windows.run(self.local / "Programs/Maskwright/uninstall.exe", "/S", *words)
        assert said.code == 0, said.text
        self.windows.wait()

    def files(self) -> dict[str, str]:
        """Every folder, and every file with the name of its content.

        Without Windows' temporary folder, where NSIS leaves a copy of itself until the next start.
        """
        found = {}
        for path in self.windows.home.rglob("*"):
            place = path.relative_to(self.windows.home)
            if place.parts[0] != "Temp":
                found[str(place)] = content(path) if path.is_file() else "folder"
        return found


@contextmanager
def running_engine(user: User) -> Iterator[None]:
    """An engine that is there at first, and at last has ended as it should."""
    with user.windows.start(user.engine, "serve") as process:
        deadline = time.monotonic() + 60
        while not (user.data / "run" / "engine.json").exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        try:
            yield
            assert process.wait(60) == 0
        except BaseException:
            user.windows.end()  # it would be waited for
            raise


def content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(tmp_path_factory.mktemp("shell") / "log", os.environ)


@pytest.fixture(scope="module")
def engine(shell: Shell) -> Path:
    """A frozen engine for Windows."""
    try:
        provide(shell)
        return windows_engine()
    except NoWine as error:
        if os.environ.get("MASKWRIGHT_HOSTS") == "required":
            raise
        pytest.skip(f"Windows' programs do not run here: {error}")


@pytest.fixture(scope="module")
def python(engine: Path) -> Path:
    """A Python for Windows, as editors bring one; the one that froze the engine."""
    return windows_python()


@pytest.fixture(scope="module")
def setups(engine: Path, shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> Setups:
    """As users get it, and two quick ones: newer, and with a network that is none."""
    folder = tmp_path_factory.mktemp("setups")

    def changed(name: str, version: str, place: str, text: bytes) -> Path:
        copy = folder / name
        shutil.copytree(engine, copy, copy_function=os.link)
        (copy / place).unlink(missing_ok=True)
        (copy / place).write_bytes(text)
        return write(folder / f"{name}.exe", version, copy, shell, quick=True)

    network = "_internal/maskwright/models/builtin/u2netp.onnx"
    plan = Plan("0.1.0", engine, folder, folder, shell, print)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(build, plan)
        other = pool.submit(changed, "other", "0.2.0", "_internal/news.txt", b"news")
        broken = pool.submit(changed, "broken", "0.3.0", network, b"no network")
        return Setups(first.result(), other.result(), broken.result())


@pytest.fixture(scope="module")
def new_user(
    setups: Setups, shell: Shell, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], User]]:
    """Makes users with nothing installed."""
    made: list[Windows] = []

    def make() -> User:
        made.append(new_windows(tmp_path_factory.mktemp("wine") / "prefix", USER, shell))
        user = User(made[-1])
        for place in ("GIMP/3.0/plug-ins/other", "GIMP/3.2", "krita", "GIMP/2.10"):
            (user.roaming / place).mkdir(parents=True)
        (user.roaming / "GIMP/3.0/plug-ins/other/other.py").write_text("# somebody else's\n")
        (user.local / "kritarc").write_text(KRITARC)
        return user

    yield make
    for windows in made:
        windows.end()


@pytest.fixture(scope="module")
def user(new_user: Callable[[], User], setups: Setups) -> User:
    """Somebody with Maskwright installed; a test leaves a working installation behind."""
    user = new_user()
    said = user.windows.run(setups.first, "/S")
    assert said.code == 0, said.text
    return user


def test_an_engine_for_another_system_is_refused(tmp_path: Path) -> None:
    (tmp_path / "maskwright").touch()
    with pytest.raises(InstallError, match="no engine for Windows"):
        refuse_incomplete(tmp_path)


def test_an_engine_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    (tmp_path / "_internal/maskwright/plugin").mkdir(parents=True)
    (tmp_path / "maskwright.exe").touch()
    with pytest.raises(InstallError, match="lacks _internal/papers"):
        refuse_incomplete(tmp_path)
    (tmp_path / "_internal/papers").mkdir()
    (tmp_path / "_internal/VCRUNTIME140.dll").touch()
    (tmp_path / "_internal/some.pyd").write_bytes(b"..\0VCRUNTIME140.dll\0MSVCP140_1.dll\0..")
    assert missing_runtime(tmp_path) == ["msvcp140_1.dll"]
    with pytest.raises(InstallError, match=r"lacks msvcp140_1\.dll"):
        refuse_incomplete(tmp_path)


def test_the_plug_ins_are_in_every_editor_as_they_are_in_the_sources(user: User) -> None:
    for version in ("3.0", "3.2"):
        folder = user.roaming / "GIMP" / version / "plug-ins" / "maskwright"
        parts = hosts.gimp_parts(CHECKOUT / "plugin")
        assert {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} == {*parts}
        for name, source in parts.items():
            assert (folder / name).read_bytes() == source.read_bytes(), name
    for name, source in hosts.krita_parts(CHECKOUT / "plugin").items():
        assert (user.roaming / "krita" / name).read_bytes() == source.read_bytes(), name
    assert not (user.roaming / "GIMP/2.10/plug-ins").exists()


def test_krita_starts_the_plug_in_and_keeps_its_settings(user: User) -> None:
    lines = (user.local / "kritarc").read_text().splitlines()
    assert "enable_maskwright=true" in lines
    assert [line for line in lines if line != "enable_maskwright=true"] == KRITARC.splitlines()


def test_windows_lists_the_app(user: User) -> None:
    entry = user.entry
    place = r"C:\\users\\Zo\xeb \x5c71\x7530\\AppData\\Local"  # as Wine writes it
    uninstall = rf"\"{place}\\Programs\\Maskwright\\uninstall.exe\""
    assert entry["DisplayName"] == "Maskwright"
    assert entry["DisplayVersion"] == "0.1.0"
    assert entry["Publisher"] == "Maskwright"
    assert entry["InstallLocation"] == rf"{place}\\maskwright"
    assert entry["UninstallString"] == uninstall
    assert entry["QuietUninstallString"] == f"{uninstall} /S"
    assert 100_000 < int(entry["EstimatedSize"].removeprefix("dword:"), 16) < 200_000


def test_the_command_cuts_out_as_on_linux(user: User, tmp_path: Path) -> None:
    assert "Maskwright" in user.maskwright("doctor").text
    windows, linux = tmp_path / "windows.png", tmp_path / "linux.png"
    said = user.maskwright("cut", seen_from_inside(SAMPLE), "-o", seen_from_inside(windows))
    assert said.code == 0, said.text
    here = [sys.executable, "-m", "maskwright", "cut", str(SAMPLE), "-o", str(linux)]
    engine = {**os.environ, "PYTHONPATH": f"{CHECKOUT}/engine:{CHECKOUT}/plugin/shared"}
    subprocess.run(here, env=engine, check=True, capture_output=True)
    with Image.open(windows) as one, Image.open(linux) as two:
        difference = np.abs(np.asarray(one).astype(int) - np.asarray(two).astype(int))
    assert difference.max() <= 2


def test_a_plug_in_starts_the_engine_and_gets_a_matte(
    user: User, python: Path, tmp_path: Path
) -> None:
    photo, matte = tmp_path / "photo.raw", tmp_path / "matte.raw"
    with Image.open(SAMPLE) as picture:
        width, height = picture.size
        photo.write_bytes(picture.convert("RGB").tobytes())
    plug_in = user.roaming / "GIMP" / "3.2" / "plug-ins" / "maskwright"
    words = [seen_from_inside(path) for path in (CLIENT, plug_in, photo)]
    words += [str(width), str(height), seen_from_inside(matte)]
    said = user.windows.run(python, *words)
    assert said.code == 0, said.text
    assert said.text.split() == ["starting", "ready"]
    alpha = np.frombuffer(matte.read_bytes(), np.uint8).reshape(height, width)
    assert alpha[180, 300] > 250
    assert alpha[10, 590] < 3


def test_a_second_run_changes_nothing(user: User, setups: Setups) -> None:
    before, entry = user.files(), user.entry
    assert user.windows.run(setups.first, "/S").code == 0
    assert (user.files(), user.entry) == (before, entry)


def test_a_version_that_does_not_work_changes_nothing(user: User, setups: Setups) -> None:
    before, entry = user.files(), user.entry
    assert user.windows.run(setups.broken, "/S").code == 3
    assert (user.files(), user.entry) == (before, entry)
    log = (user.windows.home / "Temp" / "maskwright-setup.log").read_text(encoding="utf-16")
    assert "Cutting out" in log


def test_an_upgrade_asks_the_running_engine_to_stop(user: User, setups: Setups) -> None:
    old = user.engine
    with running_engine(user):
        said = user.windows.run(setups.other, "/S")
        assert said.code == 0, said.text
    assert user.entry["DisplayVersion"] == "0.2.0"
    assert user.engine != old
    assert (user.engine.parent / "_internal" / "news.txt").exists()
    assert user.windows.run(user.engine, "--version").code == 0
    said = user.windows.run(user.engine, "setup", "rollback")
    assert said.code == 0, said.text
    assert user.engine == old


def test_uninstalling_leaves_nothing_but_models_and_settings(
    new_user: Callable[[], User], setups: Setups
) -> None:
    user = new_user()
    files, registry = user.files(), user.windows.registry()
    assert user.windows.run(setups.first, "/S").code == 0
    own = {"models/mine/mine.onnx": "a model", "settings.json": "{}"}
    for place, text in own.items():
        (user.data / place).parent.mkdir(parents=True, exist_ok=True)
        (user.data / place).write_text(text)
    user.uninstall()
    left = {place for place in user.files() if place not in files}
    data = "AppData/Local/maskwright"
    kept = {data, f"{data}/models", f"{data}/models/mine", *(f"{data}/{place}" for place in own)}
    assert left == {*kept, f"{data}/install.json"}
    assert user.windows.registry() == registry

    assert user.windows.run(setups.first, "/S").code == 0
    with running_engine(user):
        user.uninstall("/PURGE")
    assert user.files() == files
    assert user.windows.registry() == registry
