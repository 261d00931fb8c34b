"""The engine's folder is its user's only, and so is the token in it."""

import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attacks import HELLO, ask
from engine_process import EngineProcess, command, engine_in
from maskwright_client.places import Places, locate
from maskwright_client.trust import replace_private
from other_user import NOBODY, as_nobody, attempts
from proc_files import descendants
from raw_reply import parsed

pytestmark = pytest.mark.skipif(os.name != "posix", reason="about POSIX owners and modes")
AS_ROOT = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="only root can be another user"
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def serve(home: Path) -> subprocess.CompletedProcess[str]:
    """An engine that is not expected to start."""
    theirs = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    return subprocess.run(
        [*command(), "serve"],
        env={**theirs, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.fixture
def places(tmp_path: Path) -> Places:
    found = locate(sys.platform, {}, tmp_path)
    found.data.mkdir(parents=True)
    return found


def test_all_that_it_writes_is_its_users_only(engine: EngineProcess):
    run = engine.places.run
    assert (mode(run), run.lstat().st_uid) == (0o700, os.geteuid())
    files = list(run.iterdir())
    assert {"engine.json", "engine.lock", "engine.log"} <= {path.name for path in files}
    for path in files:
        assert stat.S_ISREG(path.lstat().st_mode)
        assert (mode(path), path.lstat().st_uid) == (0o600, os.geteuid()), path.name


def test_folders_that_it_makes_on_its_way_are_too(engine: EngineProcess):
    assert mode(engine.places.data) == 0o700


def test_it_is_closed_whatever_the_users_mask_and_the_folder_were_before(places: Places):
    places.run.mkdir(mode=0o755)
    before = os.umask(0)
    try:
        with engine_in(places.home) as engine:
            os.umask(before)
            assert mode(engine.places.run) == 0o700
            assert mode(engine.places.runtime_file) == mode(engine.places.log) == 0o600
    finally:
        os.umask(before)


def test_its_file_is_closed_from_the_first_moment_whatever_the_mask(tmp_path: Path):
    before = os.umask(0)
    try:
        replace_private(tmp_path / "engine.json", b"{}")
    finally:
        os.umask(before)
    assert mode(tmp_path / "engine.json") == 0o600


def _symlink(places: Places) -> None:
    elsewhere = places.home / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    places.run.symlink_to(elsewhere)


def _dangling(places: Places) -> None:
    places.run.symlink_to(places.home / "elsewhere")


def _file(places: Places) -> None:
    places.run.write_text("in the way")


def _writable_by_group(places: Places) -> None:
    places.run.mkdir()
    places.run.chmod(0o770)


def _writable_by_all(places: Places) -> None:
    places.run.mkdir()
    places.run.chmod(0o1777)


def _of_another(places: Places) -> None:
    places.run.mkdir(mode=0o700)
    os.chown(places.run, NOBODY, NOBODY)


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (_symlink, "is no ordinary folder"),
        (_writable_by_group, "run: chmod go-w"),
        (_writable_by_all, "run: chmod go-w"),
        pytest.param(_of_another, "belongs to another user", marks=AS_ROOT),
    ],
)
def test_a_folder_that_others_could_have_a_hand_in_is_refused(
    places: Places, prepare: Callable[[Places], None], says: str
):
    prepare(places)
    done = serve(places.home)
    assert (done.returncode, done.stdout) == (3, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert str(places.run) in done.stderr
    assert list(places.run.iterdir()) == []


@pytest.mark.parametrize("prepare", [_file, _dangling])
def test_what_is_no_folder_is_refused(places: Places, prepare: Callable[[Places], None]):
    prepare(places)
    done = serve(places.home)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    assert f"{places.run} cannot be used" in done.stderr
    assert not (places.home / "elsewhere").exists()


@pytest.mark.parametrize("name", ["engine.log", "engine.lock"])
def test_a_link_in_its_folder_is_not_followed(places: Places, name: str):
    precious = places.home / "precious"
    precious.write_text("precious")
    places.run.mkdir(mode=0o700)
    (places.run / name).symlink_to(precious)
    done = serve(places.home)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert f"{places.run / name} cannot be used" in done.stderr
    assert precious.read_text() == "precious"


def test_a_link_in_the_place_of_its_file_is_replaced(places: Places):
    places.run.mkdir(mode=0o700)
    places.runtime_file.symlink_to(places.home / "elsewhere")
    with engine_in(places.home) as engine:
        assert not engine.places.runtime_file.is_symlink()
    assert not (places.home / "elsewhere").exists()


def test_another_engines_stays(tmp_path: Path):
    with engine_in(tmp_path) as engine:
        other = engine.places.runtime_file.read_bytes().replace(engine.token.encode(), b"T" * 43)
        engine.places.runtime_file.write_bytes(other)
    assert engine.process.returncode == 0
    assert engine.places.runtime_file.read_bytes() == other


@pytest.mark.slow
def test_it_goes_when_the_engine_ends_and_the_next_one_has_another_token(tmp_path: Path):
    tokens = set()
    for _ in range(2):
        with engine_in(tmp_path) as engine:
            tokens.add(engine.token)
            assert len(engine.token) == 43  # 32 bytes
        assert engine.process.returncode == 0
        assert not engine.places.runtime_file.exists()
        assert not list(engine.places.run.glob("*.new"))
    assert len(tokens) == 2


def test_the_token_is_nowhere_else(engine: EngineProcess):
    """Neither where every user can look, as `ps` does, nor where a crash report takes it from."""
    pids = [engine.process.pid, *descendants(engine.process.pid)]
    assert len(pids) > 1
    for pid in pids:
        for name in ("cmdline", "environ", "comm", "status"):
            assert engine.token.encode() not in Path(f"/proc/{pid}/{name}").read_bytes()
    written = [path for path in engine.places.home.rglob("*") if path.is_file()]
    having = [path for path in written if engine.token.encode() in path.read_bytes()]
    assert having == [engine.places.runtime_file]


@pytest.fixture(scope="module")
def open_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """An engine in a home that everybody can look into, down to its folder."""
    home = Path(tempfile.mkdtemp(prefix="maskwright-test-", dir="/tmp"))
    try:
        data = locate(sys.platform, {}, home).data
        data.mkdir(parents=True)
        for folder in (home, *data.relative_to(home).parents[::-1], data):
            (home / folder).chmod(0o755)
        (data / "open.txt").write_text("everybody may read this")
        (data / "open.txt").chmod(0o644)
        with engine_in(home) as running:
            (home / "engine-output.txt").chmod(0o600)
            yield running
    finally:
        shutil.rmtree(home)


@AS_ROOT
def test_another_user_can_read_neither_token_nor_folder_nor_log(open_home: EngineProcess):
    places, pid = open_home.places, open_home.process.pid

    def pry() -> list[str]:
        return attempts(
            (places.data / "open.txt").read_bytes,
            lambda: os.listdir(places.data),
            lambda: os.listdir(places.run),
            places.runtime_file.read_bytes,
            places.log.read_bytes,
            lambda: os.open(places.lock, os.O_RDWR),
            lambda: (places.run / "engine.json").write_bytes(b"{}"),
            lambda: os.rename(places.run, places.data / "stolen"),
            lambda: Path(f"/proc/{pid}/environ").read_bytes(),
            lambda: Path(f"/proc/{pid}/mem").open("rb").close(),
            lambda: os.kill(pid, 0),
        )

    found = as_nobody(pry)
    assert isinstance(found, list)
    assert found[:2] == ["done", "done"]
    assert set(found[2:]) == {"PermissionError"}


@AS_ROOT
def test_another_user_can_connect_and_gets_nothing(open_home: EngineProcess):
    requests = [
        ask(HELLO, without="Authorization"),
        ask(HELLO.replace("hello", "models"), without="Authorization"),
        ask(HELLO.replace("hello", "mattes/x/review"), without="Authorization"),
        ask(HELLO.replace("hello", "ping?nonce=" + "0" * 64), without="Authorization"),
    ]
    built = [request(open_home.port, "") for request in requests]

    def pry() -> list[str]:
        said = []
        for request in built:
            with socket.socket() as line:
                line.settimeout(20)
                line.connect(("127.0.0.1", open_home.port))
                line.sendall(request)
                heard = b""
                while chunk := line.recv(65536):
                    heard += chunk
                said.append(heard.decode())
        return said

    found = as_nobody(pry)
    assert isinstance(found, list)
    assert [parsed(said.encode()).status for said in found] == [401, 401, 401, 200]
    assert open_home.token not in "".join(found)


@AS_ROOT
def test_the_probe_of_another_user_can_read_what_is_open(tmp_path: Path):
    assert as_nobody(os.geteuid) == NOBODY
    assert as_nobody(lambda: attempts(lambda: os.listdir("/tmp"))) == ["done"]
    closed = tmp_path / "closed"
    closed.write_text("")
    closed.chmod(0o600)
    assert as_nobody(lambda: attempts(closed.read_bytes)) == ["PermissionError"]
