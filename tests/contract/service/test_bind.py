"""Nobody outside of this machine can so much as connect."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_process import EngineProcess, command, engine_in
from maskwright.service.server import listen
from own_addresses import LOOPBACK_TOO, attempt, listeners, other_addresses

LOCALHOST = "0100007F"
EVERYWHERE = "0.0.0.0"  # noqa: S104  # what the engine must not do
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc who listens where")


@pytest.fixture(scope="module")
def talked_into(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """An engine that everything around it tells to listen everywhere."""
    home = tmp_path_factory.mktemp("home")
    settings = home / ".config" / "maskwright" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"engine": {"host": "0.0.0.0", "bind": "::", "port": 80}}')
    settings.chmod(0o600)
    names = ("HOST", "BIND", "UVICORN_HOST", "MASKWRIGHT_HOST", "MASKWRIGHT_BIND")
    with engine_in(home, environ=dict.fromkeys(names, EVERYWHERE)) as running:
        yield running


@pytest.mark.parametrize(
    "address",
    [
        EVERYWHERE,
        "::",
        "192.168.1.20",
        "10.0.0.1",
        "172.16.0.1",
        "169.254.1.1",
        "203.0.113.7",
        "255.255.255.255",
        "224.0.0.1",
        "fe80::1",
        "2001:db8::1",
        "::ffff:0.0.0.0",
        "localhost",
        "",
        "0",
        "127.0.0.1:80",
    ],
)
def test_no_other_address_is_listened_on(address: str):
    with pytest.raises(ValueError, match=r".+"):
        listen(address)


def test_the_loopback_is():
    with listen() as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("options", [["--host", EVERYWHERE], ["--bind", "::"], [EVERYWHERE]])
def test_no_option_is_there_for_it(options: list[str], tmp_path: Path):
    done = subprocess.run([*command(), "serve", *options], capture_output=True, timeout=30)
    assert done.returncode == 2


@pytest.mark.parametrize("which", ["engine", "talked_into"])
def test_an_engine_waits_on_one_socket_of_the_loopback(which: str, request: pytest.FixtureRequest):
    engine: EngineProcess = request.getfixturevalue(which)
    assert listeners(engine.process.pid) == [(LOCALHOST, engine.port)]
    assert engine.ask("GET", "/v1/hello").status == 200


@pytest.mark.parametrize("address", other_addresses())
def test_no_other_address_of_the_machine_leads_to_it(engine: EngineProcess, address: str):
    assert attempt(address, engine.port) == "ConnectionRefusedError"
    assert attempt("127.0.0.1", engine.port) == ""


def test_an_attempt_finds_what_listens_elsewhere():
    with socket.socket() as listener:
        # The audit of the tests is about the machine's borders; this is within.
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert attempt("127.0.0.1", port) == ""
        assert attempt(LOOPBACK_TOO, port) == "ConnectionRefusedError"
    assert attempt("127.0.0.1", port) == "ConnectionRefusedError"
