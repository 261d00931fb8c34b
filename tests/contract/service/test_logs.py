"""What the engine writes down helps whoever mends it, and nobody who pries."""

import base64
import json
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from attacks import ATTACKS
from engine_process import EngineProcess, engine_in, frame
from leaks import PATTERN, leaks
from maskwright.models.store import open_store
from maskwright.service.log import log_to
from maskwright_client.protocol import (
    PIXELS_TYPE,
    AlphaRequest,
    Combine,
    MatteRequest,
)
from tiny_onnx import nan_model

TOKEN = "of-this-very-engine-0123456789-and-some-more"  # noqa: S105
BENT = Path(__file__).parents[2] / "support" / "bent_launcher.py"


def photo(model: str, size: int, client: str = "test") -> bytes:
    """A photo of nothing but the pattern."""
    samples = PATTERN * (size * size * 3 // len(PATTERN) + 1)
    return frame(MatteRequest(size, size, 3, 8, model, client), samples[: size * size * 3])


def matted(engine: EngineProcess, model: str, size: int = 64) -> tuple[str, str]:
    """Send one; its id, and how it ended."""
    created = engine.ask("POST", "/v1/mattes", photo(model, size), PIXELS_TYPE)
    matte_id = str(json.loads(created.body)["id"])
    events = engine.ask("GET", f"/v1/mattes/{matte_id}/events").body.splitlines()
    return matte_id, str(json.loads(events[-1])["state"])


def live(engine: EngineProcess, failing: str) -> None:
    """All that may happen to an engine: good jobs, failing ones, attacks, broken bodies."""
    matte_id, state = matted(engine, "u2netp")
    assert state == "done"
    mask = frame(AlphaRequest(combine=Combine.add), PATTERN * 512)
    assert engine.ask("POST", f"/v1/mattes/{matte_id}/alpha", mask, PIXELS_TYPE).status == 200
    assert matted(engine, failing)[1] == "failed"
    wrong = photo("u2netp", 8)[:-1]
    assert engine.ask("POST", "/v1/mattes", wrong, PIXELS_TYPE).status == 400
    assert engine.ask("POST", "/v1/mattes", PATTERN * 9, PIXELS_TYPE).status == 400
    unknown = photo("/home/somebody/Pictures/portrait", 8)
    assert engine.ask("POST", "/v1/mattes", unknown, PIXELS_TYPE).status == 404
    # No file of it is here, so this one fails in another way.
    assert matted(engine, "modnet")[1] == "failed"
    for attack in ATTACKS:
        if attack.aims_at in ("token", "length", "syntax", "type"):
            engine.say(attack.request(engine.port, engine.token))
    engine.ask("POST", "/v1/free", b"{}", "application/json")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[EngineProcess, bytes]:
    """An engine that has lived and ended, and all that it wrote in that time."""
    folder = tmp_path_factory.mktemp("life")
    environ = {"MASKWRIGHT_MODELS": str(folder / "models")}
    failing = open_store(environ).add(nan_model(folder / "nan.onnx"), "u2netp").id
    home = folder / "home"
    home.mkdir()
    with engine_in(home, environ=environ) as engine:
        live(engine, failing)
    logs = [*engine.places.run.glob("*.log*"), home / "engine-output.txt"]
    return engine, b"".join(path.read_bytes() for path in logs)


def test_it_says_what_happened(written: tuple[EngineProcess, bytes]):
    _, text = written
    for wanted in (b"started", b"job failed: bad-output", b"job failed: model-missing", b"ended"):
        assert wanted in text


def test_it_has_neither_token_nor_pixels_nor_paths(written: tuple[EngineProcess, bytes]):
    engine, text = written
    assert leaks(text, engine.token, home=str(engine.places.home)) == []
    assert b"portrait" not in text
    assert b"Traceback" not in text


def test_bad_requests_do_not_fill_it(written: tuple[EngineProcess, bytes]):
    _, text = written
    assert len(text.splitlines()) < 20


def test_it_is_its_users_only(written: tuple[EngineProcess, bytes]):
    engine, _ = written
    assert stat.S_IMODE(engine.places.log.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"nothing of the kind", []),
        (b"asked with Bearer " + TOKEN.encode(), ["token"]),
        (b"token " + TOKEN[:28].encode() + b"...", ["token"]),
        (b"body: %r" % (PATTERN * 3), ["pixels"]),
        (b"sent " + PATTERN.hex().encode(), ["pixels"]),
        (b"array([80, 73, 67, 84, 85, 82, 69, 83, 80], dtype=uint8)", ["pixels"]),
        (b"[80 73 67 ... 69 83 80]", ["pixels"]),
        (base64.b64encode(b"." + PATTERN * 3), ["pixels"]),
        (b"cannot open /home/somebody/Pictures/1.png", ["home"]),
    ],
)
def test_a_leak_would_be_found(line: bytes, found: list[str]):
    assert leaks(b"2026 INFO " + line, TOKEN, home="/home/somebody") == found


def test_a_failure_inside_has_its_place_and_no_token(tmp_path: Path):
    with engine_in(tmp_path, launcher=BENT, environ={"BENT": "broken"}) as engine:
        assert engine.ask("GET", "/v1/hello").status == 500
    text = engine.places.log.read_bytes() + (tmp_path / "engine-output.txt").read_bytes()
    assert b"RuntimeError" in text
    assert leaks(text, engine.token, home=str(tmp_path)) == []


@pytest.fixture
def logger(tmp_path: Path) -> Iterator[logging.Logger]:
    """A logger whose lines go where the engine's would."""
    root, uvicorn = logging.getLogger(), logging.getLogger("uvicorn.error")
    before = root.level, uvicorn.level
    mask = os.umask(0)  # its files are closed whatever the user wants of others
    try:
        with log_to(tmp_path / "engine.log"):
            yield logging.getLogger("test_logs")
    finally:
        os.umask(mask)
        root.setLevel(before[0])
        uvicorn.setLevel(before[1])


def test_it_turns_over_and_never_grows_large(tmp_path: Path, logger: logging.Logger):
    for number in range(2500):
        logger.info("%06d %s", number, "x" * 1000)
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == ["engine.log", "engine.log.1", "engine.log.2"]
    assert all(path.stat().st_size <= 512 * 1024 for path in files)
    assert "002499" in files[0].read_text()
    assert "000000" not in "".join(path.read_text() for path in files)
    if os.name == "posix":
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_what_every_page_can_bring_about_is_not_written(tmp_path: Path, logger: logging.Logger):
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    logging.getLogger("uvicorn.access").debug("GET /")
    logger.info("seen")
    assert len((tmp_path / "engine.log").read_text().splitlines()) == 1


def test_odd_characters_do_not_break_a_line(tmp_path: Path, logger: logging.Logger):
    logger.info("caf\u00e9 \U0001f600")
    assert "caf\u00e9" in (tmp_path / "engine.log").read_text(encoding="utf-8")
