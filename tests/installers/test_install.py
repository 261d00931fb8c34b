"""The installer for real: packages, environment, command, cut-out, upgrade, uninstall."""

import fcntl
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CHECKOUT = Path(__file__).resolve().parents[2]
PYTHON_VENV = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"

pytestmark = [pytest.mark.installers, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class User:
    """Somebody with a checkout and a home, neither with an easy name."""

    home: Path
    checkout: Path
    environ: Mapping[str, str]

    @property
    def data(self) -> Path:
        return self.home / ".local/share/maskwright"

    @property
    def command(self) -> Path:
        return self.home / ".local/bin/maskwright"

    def install(self, *arguments: str, cwd: Path | None = None, **environ: str) -> "Said":
        script = str(self.checkout / "installers" / "install.py")
        return self.run(sys.executable, script, *arguments, cwd=cwd, **environ)

    def run(self, *command: str, cwd: Path | None = None, **environ: str) -> "Said":
        done = subprocess.run(
            command,
            env={**self.environ, **environ},
            cwd=cwd or self.home,
            capture_output=True,
            encoding="utf-8",
        )
        assert "Traceback" not in done.stderr
        return Said(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


def new_user(folder: Path, pip_cache: Path) -> User:
    home, checkout = folder / "Zoë 山田 home", folder / "chéckout 部"
    home.mkdir()
    checkout.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, checkout)
    for name in ("engine", "installers", "plugin"):
        skip = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / name, checkout / name, ignore=skip)
    ours = ("MASKWRIGHT_", "XDG_", "ORT_", "CI", "PYTHON")
    environ = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    environ.setdefault("PIP_CACHE_DIR", str(pip_cache))
    environ |= {"HOME": str(home), "PATH": "/usr/bin:/bin", "SHELL": "/bin/bash"}
    return User(home, checkout, environ)


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Every entry with its size and the time of its last change."""
    entries = {path: path.lstat() for path in folder.rglob("*")}
    return {
        str(path.relative_to(folder)): (entry.st_size, entry.st_mtime_ns)
        for path, entry in entries.items()
    }


def environments(user: User) -> list[str]:
    return [path.name for path in user.data.glob("env-*")]


@pytest.fixture(scope="module")
def pip_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pip")


@pytest.fixture
def newcomer(tmp_path: Path, pip_cache: Path) -> User:
    """A user with nothing installed."""
    return new_user(tmp_path, pip_cache)


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory, pip_cache: Path) -> User:
    """A user with Maskwright installed; a test leaves a working installation behind."""
    user = new_user(tmp_path_factory.mktemp("user"), pip_cache)
    before = listing(user.checkout)
    said = user.install()
    assert said.code == 0, said.err
    assert listing(user.checkout) == before
    assert f"Maskwright is installed: {user.command}" in said.out
    assert '  export PATH="$HOME/.local/bin:$PATH"' in said.out
    assert f"Cut-out of the sample photo: {user.home}/maskwright-sample-cutout.png" in said.out
    return user


def test_the_sample_is_cut_out(user: User) -> None:
    with (
        Image.open(user.checkout / "installers/sample/coffee.jpg") as photo,
        Image.open(user.home / "maskwright-sample-cutout.png") as cutout,
    ):
        assert cutout.mode == "RGBA"
        assert cutout.size == photo.size
        alpha = cutout.getchannel("A")
        counts = alpha.histogram()
        opaque = sum(counts[250:]) / sum(counts)
        assert 0.25 < opaque < 0.75
        at = np.asarray(alpha)
        assert at[180, 300] > 250
        assert at[10, 590] < 3


def test_a_cut_out_leaves_no_telemetry(user: User) -> None:
    places = {name.split("/")[0] for name in listing(user.home)}
    assert places == {".local", "maskwright-sample-cutout.png"}


def test_a_second_run_is_quick_changes_nothing_and_needs_no_network(user: User) -> None:
    before = listing(user.home)
    start = time.monotonic()
    said = user.install(PIP_NO_INDEX="1", PIP_CACHE_DIR=str(user.home / "none"))
    assert time.monotonic() - start < 15
    assert said.code == 0, said.err
    assert "up to date" in said.out
    assert "Cut-out of the sample photo" in said.out
    assert listing(user.home) == before


def test_the_command_is_found_by_name_and_ignores_foreign_packages(
    user: User, tmp_path: Path
) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('not this one')", encoding="utf-8")
    photo = user.checkout / "installers/sample/coffee.jpg"
    path = f"{user.command.parent}:/usr/bin:/bin"
    line = ["/bin/sh", "-c", 'maskwright cut "$0" -o "$1"', str(photo), str(tmp_path / "out.png")]
    said = user.run(*line, cwd=tmp_path, PATH=path, PYTHONPATH=str(tmp_path))
    assert said.code == 0, said.err
    with Image.open(tmp_path / "out.png") as cutout:
        assert cutout.mode == "RGBA"
    assert "PATH" not in user.install("--no-sample", PATH=path).out


def test_a_photo_is_cut_out_beside_it(user: User, tmp_path: Path) -> None:
    photo = tmp_path / "my café 写真.jpg"
    shutil.copy(user.checkout / "installers/sample/coffee.jpg", photo)
    result = tmp_path / "my café 写真-cutout.png"
    for _ in range(2):  # the second time the same result is there
        said = user.install(photo.name, cwd=tmp_path)
        assert said.code == 0, said.err
        assert said.out.rstrip().endswith(f": {result}")
    result.write_bytes(b"painted on")
    said = user.install(photo.name, cwd=tmp_path)
    assert said.out.rstrip().endswith(f": {result.with_stem(result.stem + '-2')}")
    assert result.read_bytes() == b"painted on"


def test_what_is_no_photo_ends_in_a_sentence(user: User, tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("no photo", encoding="utf-8")
    said = user.install("notes.jpg", cwd=tmp_path)
    assert said.code == 2
    assert len(said.err.strip().splitlines()) == 1
    assert user.install("missing.jpg").code == 2
    assert user.install("--purge").code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["notes.jpg"]


def test_a_failed_upgrade_keeps_what_works(user: User) -> None:
    before = listing(user.home)
    pyproject = user.checkout / "pyproject.toml"
    package = user.checkout / "engine/maskwright/cli/__init__.py"
    for broken, sentence in ((pyproject, "could not be built"), (package, "failed")):
        good = broken.read_bytes()
        broken.write_bytes(good + b"\n(\n")
        said = user.install()
        broken.write_bytes(good)
        assert said.code in (1, 3)
        assert sentence in said.err
        assert "still works" in said.out
        assert user.run(str(user.command), "--version").code == 0
        assert len(environments(user)) == 1
    assert user.install().code == 0
    assert listing(user.home).keys() == before.keys()


def test_an_upgrade_of_the_engine_needs_no_network(user: User) -> None:
    before = environments(user)
    with (user.checkout / "engine/maskwright/errors.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    said = user.install("--no-sample", PIP_NO_INDEX="1", PIP_CACHE_DIR=str(user.home / "none"))
    assert said.code == 0, said.err
    after = environments(user)
    assert len(after) == 1
    assert after != before
    assert user.run(str(user.command), "--version").code == 0


def test_a_broken_installation_is_mended(user: User) -> None:
    (environment,) = user.data.glob("env-*")
    (environment / "bin/maskwright").unlink()
    user.command.unlink()
    assert user.install("--no-sample").code == 0
    assert user.run(str(user.command), "--version").code == 0


def test_only_one_installer_works_at_a_time(user: User) -> None:
    with (user.data / "install.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = user.install()
    assert said.code == 1
    assert "Another installation" in said.err


def test_uninstalling_leaves_the_home_as_it_was(newcomer: User) -> None:
    (newcomer.home / ".local/share/other").mkdir(parents=True)
    (newcomer.home / "maskwright-sample-cutout.png").write_text("mine", encoding="utf-8")
    before = listing(newcomer.home).keys()
    assert newcomer.install().code == 0
    assert (newcomer.home / "maskwright-sample-cutout-2.png").exists()
    model = newcomer.data / "models/big.onnx"
    model.parent.mkdir(exist_ok=True)
    model.write_bytes(b"downloaded")

    said = newcomer.install("--uninstall")
    assert said.code == 0, said.err
    assert str(model.parent) in said.out
    assert model.exists()
    assert not newcomer.command.exists()
    assert environments(newcomer) == []

    assert newcomer.install("--uninstall", "--purge").code == 0
    assert listing(newcomer.home).keys() == before
    assert "not installed" in newcomer.install("--uninstall").out


def test_an_upgrade_and_an_uninstall_end_the_running_engine(newcomer: User) -> None:
    (newcomer.home / "snap/gimp/common").mkdir(parents=True)
    before = listing(newcomer.home).keys()
    assert newcomer.install("--no-sample").code == 0
    with (newcomer.checkout / "engine/maskwright/errors.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    for change in (["--no-sample"], ["--uninstall", "--purge"]):
        with running_engine(newcomer) as engine:
            assert newcomer.install(*change).code == 0
            assert engine.wait(30) == 0
        if change[0] == "--no-sample":
            with running_engine(newcomer) as engine:
                engine.kill()
                assert (newcomer.home / "snap/gimp/common/maskwright/engine.json").exists()
    assert listing(newcomer.home).keys() == before


@contextmanager
def running_engine(user: User) -> Iterator[subprocess.Popen[bytes]]:
    """An engine as a plug-in starts it."""
    command = json.loads((user.data / "engine-command.json").read_bytes())["command"]
    engine = subprocess.Popen([*command, "serve", "--quiet"], env=user.environ)
    try:
        announced = user.data / "run/engine.json"
        while not announced.exists() or f'"pid":{engine.pid},' not in announced.read_text():
            assert engine.poll() is None
            time.sleep(0.05)
        yield engine
    finally:
        engine.kill()
        engine.wait()


def plugin_states(user: User, *options: str, editor: str = "gimp") -> list[str]:
    """What the installed doctor says about the plug-in in each GIMP, or each Krita."""
    report = json.loads(user.run(str(user.command), "doctor", "--json", *options).out)
    return [c["figures"]["plugin"] for c in report["checks"] if c["name"] == f"host:{editor}"]


def test_the_plug_in_goes_into_every_gimp_and_leaves_with_it(newcomer: User) -> None:
    profiles = [newcomer.home / ".config/GIMP" / version for version in ("3.0", "3.2")]
    profiles.append(newcomer.home / ".var/app/org.gimp.GIMP/config/GIMP/3.2")
    for profile in profiles:
        (profile / "plug-ins/other").mkdir(parents=True)
    before = listing(newcomer.home).keys()
    extra = newcomer.checkout / "plugin/shared/maskwright_client/extra.py"
    extra.touch()

    said = newcomer.install("--no-sample")
    for version in ("3.0", "3.2"):
        assert said.out.count(f"GIMP {version}: Filters > Remove Background") == 1
    scripts = [profile / "plug-ins/maskwright/maskwright.py" for profile in profiles]
    for script in scripts:
        assert stat.S_IMODE(script.stat().st_mode) == 0o755
        for part in ("maskwright_gimp/host.py", "maskwright_client/extra.py"):
            assert (script.parent / part).exists()
    assert plugin_states(newcomer) == ["in-place", "in-place", "unused"]

    placed = listing(newcomer.home)
    said = newcomer.install("--no-sample")
    assert "up to date" in said.out
    assert listing(newcomer.home) == placed

    scripts[0].chmod(0o644)
    cache = scripts[0].parent / "maskwright_client/__pycache__"
    cache.mkdir()
    (cache / "client.pyc").touch()
    extra.unlink()
    assert newcomer.install("--no-sample").code == 0
    assert not list(newcomer.home.rglob("maskwright_client/extra.py"))
    assert os.access(scripts[0], os.X_OK)

    assert newcomer.install("--uninstall", "--purge").code == 0
    assert listing(newcomer.home).keys() == before


def test_another_plug_in_of_that_name_is_left_alone(user: User) -> None:
    profile = user.home / ".config/GIMP/3.2"
    mine = profile / "plug-ins/maskwright/maskwright.py"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine", encoding="utf-8")
    said = user.install("--no-sample")
    assert f"GIMP 3.2: {profile}/plug-ins has another plug-in of that name" in said.out
    assert plugin_states(user, "--repair") == ["foreign"]
    assert [path.name for path in profile.rglob("*")] == ["plug-ins", "maskwright", mine.name]
    assert mine.read_text(encoding="utf-8") == "mine"
    mine.write_text("import maskwright_gimp  # mine, too", encoding="utf-8")
    assert "run `maskwright doctor --repair`" in user.install("--no-sample").out
    shutil.rmtree(user.home / ".config")


def test_what_the_doctor_places_belongs_to_the_installation(newcomer: User) -> None:
    assert newcomer.install("--no-sample").code == 0
    profile = newcomer.home / ".config/GIMP/3.4"
    (profile / "plug-ins").mkdir(parents=True)
    shutil.rmtree(newcomer.checkout / "plugin")  # the installation has what it needs
    assert plugin_states(newcomer) == ["missing"]
    assert plugin_states(newcomer, "--repair") == ["in-place"]
    script = profile / "plug-ins/maskwright/maskwright.py"
    assert script.read_bytes() == (CHECKOUT / "plugin/gimp/maskwright/maskwright.py").read_bytes()
    shutil.copytree(CHECKOUT / "plugin", newcomer.checkout / "plugin")
    with (newcomer.checkout / "plugin/shared/maskwright_client/client.py").open("a") as file:
        file.write("# newer\n")
    assert plugin_states(newcomer) == ["in-place"]
    assert newcomer.install("--no-sample").code == 0
    assert (script.parent / "maskwright_client/client.py").read_text().endswith("# newer\n")
    assert plugin_states(newcomer) == ["in-place"]
    shutil.rmtree(script.parent)
    assert plugin_states(newcomer, "--repair") == ["in-place"]
    assert newcomer.install("--uninstall", "--purge").code == 0
    assert [path.name for path in profile.rglob("*")] == ["plug-ins"]


KRITARC = "# mine\r\n\na=1\n[python]\nenable_other=true\n\n\n[z]\nb = 2"


def test_the_plug_in_goes_into_every_krita_and_leaves_with_it(newcomer: User) -> None:
    sandbox = newcomer.home / ".var/app/org.kde.krita"
    resources = [newcomer.home / ".local/share/krita", sandbox / "data/krita"]
    kritarcs = [newcomer.home / ".config/kritarc", sandbox / "config/kritarc"]
    (resources[0] / "pykrita/other").mkdir(parents=True)
    (sandbox / "config").mkdir(parents=True)
    kritarcs[0].parent.mkdir()
    kritarcs[0].write_text(KRITARC, encoding="utf-8", newline="")
    kritarcs[0].chmod(0o640)
    before = listing(newcomer.home).keys()

    said = newcomer.install("--no-sample")
    assert said.out.count("Krita: Tools > Scripts > Remove Background, after its next") == 2
    for folder in resources:
        for part in ("maskwright.desktop", "maskwright/maskwright_client/client.py"):
            assert (folder / "pykrita" / part).is_file()
        assert (folder / "actions/maskwright.action").is_file()
    header = "[python]\n"
    switched = KRITARC.replace(header, f"{header}enable_maskwright=true\r\n")
    assert kritarcs[0].read_bytes().decode() == switched
    assert stat.S_IMODE(kritarcs[0].stat().st_mode) == 0o640
    assert kritarcs[1].read_text() == f"{header}enable_maskwright=true\n"
    assert plugin_states(newcomer, editor="krita") == ["in-place", "in-place"]

    placed = listing(newcomer.home)
    said = newcomer.install("--no-sample")
    assert "up to date" in said.out
    assert listing(newcomer.home) == placed

    cache = resources[0] / "pykrita/maskwright/maskwright_client/__pycache__"
    cache.mkdir()
    (cache / "client.pyc").touch()
    assert newcomer.install("--uninstall", "--purge").code == 0
    assert listing(newcomer.home).keys() == before
    assert kritarcs[0].read_bytes().decode() == KRITARC


def test_in_krita_the_users_no_stands_until_the_doctor_is_asked(newcomer: User) -> None:
    resources, kritarc = newcomer.home / ".local/share/krita", newcomer.home / ".config/kritarc"
    resources.mkdir(parents=True)
    assert newcomer.install("--no-sample").code == 0
    kritarc.write_text("[python]\nenable_maskwright=false\n")
    said = newcomer.install("--no-sample")
    assert "up to date" in said.out
    assert "Krita: the plug-in is switched off, and stays so" in said.out
    assert plugin_states(newcomer, editor="krita") == ["disabled"]

    (resources / "pykrita/maskwright.desktop").unlink()
    assert plugin_states(newcomer, "--repair", editor="krita") == ["in-place"]
    assert kritarc.read_text() == "[python]\nenable_maskwright=true\n"
    assert "up to date" in newcomer.install("--no-sample").out

    kritarc.write_text("[python]\nenable_maskwright=true\nenable_other=false\n\n[x]\n")
    assert newcomer.install("--uninstall", "--purge").code == 0
    assert kritarc.read_text() == "[python]\nenable_other=false\n\n[x]\n"
    assert list(resources.rglob("*")) == []


def test_a_foreign_command_is_left_alone(newcomer: User) -> None:
    newcomer.command.parent.mkdir(parents=True)
    newcomer.command.write_text("#!/bin/sh\n", encoding="utf-8")
    before = listing(newcomer.home)
    said = newcomer.install()
    assert said.code == 1
    assert str(newcomer.command) in said.err
    assert listing(newcomer.home) == before
    assert newcomer.install("--uninstall").code == 0
    assert listing(newcomer.home) == before


def test_ctrl_c_leaves_nothing(newcomer: User) -> None:
    script = str(newcomer.checkout / "installers" / "install.py")
    with subprocess.Popen(
        [sys.executable, script],
        env=dict(newcomer.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        said = b""
        while b"Downloading" not in said:
            said += os.read(process.stdout.fileno(), 4096)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == 130
    assert err.decode().strip() == "Cancelled."
    assert listing(newcomer.home) == {}


def test_an_old_python_is_turned_away(newcomer: User) -> None:
    said = pretending(newcomer, "sys.version_info = (3, 9, 2, 'final', 0)")
    assert said.code == 1
    assert "needs Python 3.11 or newer, and this is Python 3.9:" in said.err
    assert listing(newcomer.home) == {}


WITHOUT_VENV = "import os; sys.modules['ensurepip'] = None; os.geteuid = lambda: {uid}"


def test_a_user_without_the_venv_module_is_told_the_package(newcomer: User) -> None:
    bin_folder = fake_apt_get(newcomer)
    said = pretending(newcomer, WITHOUT_VENV.format(uid=1000), path=f"{bin_folder}:/usr/bin:/bin")
    assert said.code == 1
    assert f"run 'sudo apt install {PYTHON_VENV}'" in said.err
    assert not (bin_folder / "calls").exists()
    assert listing(newcomer.home) == {}


def test_root_without_the_venv_module_gets_the_package(newcomer: User) -> None:
    bin_folder = fake_apt_get(newcomer)
    said = pretending(newcomer, WITHOUT_VENV.format(uid=0), path=f"{bin_folder}:/usr/bin:/bin")
    install = f"install -y --no-install-recommends {PYTHON_VENV}"
    calls = (bin_folder / "calls").read_text(encoding="utf-8").splitlines()
    assert calls == [install, "update"]
    assert f"installing the package {PYTHON_VENV}" in said.out
    assert said.code == 1
    assert "E: no such package" in said.err


def pretending(user: User, lie: str, path: str = "/usr/bin:/bin") -> Said:
    """Run the installer in a Python that was told `lie`."""
    script = str(user.checkout / "installers" / "install.py")
    folder = str(user.checkout / "installers")
    code = (
        f"import runpy, sys; sys.argv = [{script!r}]; sys.path.insert(0, {folder!r}); {lie}; "
        f"runpy.run_path({script!r}, run_name='__main__')"
    )
    return user.run(sys.executable, "-c", code, PATH=path)


def fake_apt_get(user: User) -> Path:
    """A folder with an apt-get that writes down its calls and has no package."""
    folder = user.checkout.parent / "fake bin"
    folder.mkdir()
    tool = folder / "apt-get"
    tool.write_text(
        f'#!/bin/sh\necho "$@" >> "{folder}/calls"\necho "E: no such package" >&2\nexit 100\n',
        encoding="utf-8",
    )
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    return folder
