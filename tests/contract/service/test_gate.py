"""No page, no stranger and no broken program gets through; without the gate nearly all would."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from attacks import (
    ATTACKS,
    FREE,
    HELLO,
    MATTES,
    PIXELS,
    PREFLIGHT,
    ROUTES,
    Attack,
    Naive,
    ask,
    post,
)
from bent_launcher import SECRET
from engine_process import EngineProcess, engine_in, wait_for
from maskwright_client.protocol import JSON_TYPE, PIXELS_TYPE
from raw_reply import RawReply, parsed

BENT = Path(__file__).parents[2] / "support" / "bent_launcher.py"
FIXED = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture(scope="module")
def generous(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    home = tmp_path_factory.mktemp("generous")
    with engine_in(home, launcher=BENT, environ={"BENT": "generous"}) as running:
        yield running


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    home = tmp_path_factory.mktemp("broken")
    with engine_in(home, launcher=BENT, environ={"BENT": "broken"}) as running:
        yield running


def told(engine: EngineProcess, attack: Attack, *, patience_s: float = 20.0) -> RawReply:
    request = attack.request(engine.port, engine.token)
    return parsed(engine.say(request, patience_s=patience_s))


def check_harmless(engine: EngineProcess, reply: RawReply) -> None:
    """Nothing in an answer helps a page to read it, or tells how the engine is made."""
    assert not [name for name in reply.names if name.startswith("access-control")]
    assert not reply.names & {"server", "date", "set-cookie", "location", "www-authenticate"}
    for inner in (
        engine.token,
        engine.runtime.instance_id,
        "Traceback",
        "/",
        "uvicorn",
        "starlette",
    ):
        assert inner.encode() not in reply.body.replace(b"application/", b"")
    assert {name: reply.header(name) for name in FIXED} == FIXED
    assert reply.header("content-type") == JSON_TYPE
    assert reply.header("content-length").isdigit()
    if reply.body:
        assert json.loads(reply.body)["error"].keys() == {"code", "message"}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_the_engine_refuses(engine: EngineProcess, attack: Attack):
    reply = told(engine, attack)
    assert reply.status == attack.status
    assert reply.header("connection").lower() == "close"
    assert reply.body.count(b"HTTP/1.1") == 0  # one answer
    check_harmless(engine, reply)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_without_a_gate_it_would_get_in(naive: EngineProcess, attack: Attack):
    reply = told(naive, attack, patience_s=0.3 if attack.naive is Naive.waits else 20.0)
    if attack.naive is Naive.serves:
        assert reply.status in (200, 202)
        if reply.status == 202:  # room for the next one
            naive.ask("DELETE", f"/v1/mattes/{json.loads(reply.body)['id']}")
    elif attack.naive is Naive.waits:
        assert reply.status == 0
    else:
        assert reply.status in (400, 404)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "LocalHost"])
def test_both_of_its_names_are_right_in_any_case(engine: EngineProcess, name: str):
    request = ask(HELLO, f"Host: {name}:{{port}}", without="Host")
    assert parsed(engine.say(request(engine.port, engine.token))).status == 200


def test_what_no_page_sent_is_answered(engine: EngineProcess):
    # A browser's address bar says `none`, and so may a program that is made of a browser.
    request = ask(HELLO, "Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate")
    assert parsed(engine.say(request(engine.port, engine.token))).status == 200


@pytest.mark.parametrize("path", [path for path in ROUTES if path != "*"])
def test_a_generous_server_would_let_pages_in(generous: EngineProcess, path: str):
    asked = ask(f"OPTIONS {path} HTTP/1.1", *PREFLIGHT, "Origin: https://evil.example")
    reply = parsed(generous.say(asked(generous.port, generous.token)))
    assert reply.status == 200
    assert reply.header("access-control-allow-origin") == "https://evil.example"
    with pytest.raises(AssertionError):
        check_harmless(generous, reply)


EACH_STATUS = {
    200: ask(HELLO),
    400: ask(HELLO, "Content-Length: 1", body=b"x"),
    401: ask(HELLO, without="Authorization"),
    403: ask(HELLO, "Origin: null"),
    404: ask(HELLO.replace("hello", "nothing")),
    405: ask("PUT /v1/hello HTTP/1.1"),
    411: ask(FREE, f"Content-Type: {JSON_TYPE}"),
    413: post(FREE, JSON_TYPE, bytes(5000)),
    415: post(FREE, "text/plain", b"{}"),
    421: ask(HELLO, "Host: evil.example", without="Host"),
    431: ask(HELLO, "X: " + "a" * 17_000),
    501: post("POST /v1/mattes/ID/hints HTTP/1.1", PIXELS_TYPE, b""),
}


@pytest.mark.parametrize("status", EACH_STATUS)
def test_no_status_opens_the_door_to_pages(engine: EngineProcess, status: int):
    request = EACH_STATUS[status](engine.port, engine.token)
    if status == 501:
        request = request.replace(b"ID", _matte(engine).encode())
    reply = parsed(engine.say(request))
    assert reply.status == status
    assert not [name for name in reply.names if name.startswith("access-control")]
    assert {name: reply.header(name) for name in FIXED} == FIXED


def _matte(engine: EngineProcess) -> str:
    created = engine.ask("POST", "/v1/mattes", PIXELS, PIXELS_TYPE)
    matte_id = str(json.loads(created.body)["id"])
    engine.ask("GET", f"/v1/mattes/{matte_id}/events")
    return matte_id


def test_a_failure_inside_says_nothing_of_the_inside(broken: EngineProcess):
    reply = parsed(broken.say(ask(HELLO)(broken.port, broken.token)))
    assert reply.status == 500
    assert reply.code == "internal-error"
    assert SECRET.encode() not in reply.body
    check_harmless(broken, reply)
    wait_for(lambda: SECRET in broken.places.log.read_text(encoding="utf-8"))  # where it belongs


def test_a_refused_body_is_not_asked_for(engine: EngineProcess):
    waiting = ask(
        MATTES, f"Content-Type: {PIXELS_TYPE}", "Content-Length: 99", "Expect: 100-continue"
    )
    asked = engine.say(waiting(engine.port, engine.token), patience_s=0.3)
    assert asked == b"HTTP/1.1 100 \r\n\r\n" or asked.startswith(b"HTTP/1.1 100 Continue\r\n")
    refused = ask(
        MATTES,
        f"Content-Type: {PIXELS_TYPE}",
        "Content-Length: 99",
        "Expect: 100-continue",
        "Origin: null",
    )
    assert parsed(engine.say(refused(engine.port, engine.token))).status == 403


def test_a_refused_body_never_becomes_the_next_request(engine: EngineProcess):
    good = ask(HELLO)(engine.port, engine.token)
    request = post(FREE, "text/plain", good, without="Connection")
    heard = engine.say(request(engine.port, engine.token))
    assert heard.count(b"HTTP/1.1 ") == 1
    reply = parsed(heard)
    assert (reply.status, reply.header("connection")) == (415, "close")


def test_after_all_that_it_is_well(engine: EngineProcess):
    hello = json.loads(engine.ask("GET", "/v1/hello").body)
    assert hello["jobs"] == 0
