"""An id is looked up and nothing else: whatever it is made of, an unknown one is unknown."""

import json
from pathlib import Path

import pytest
from engine_process import EngineProcess, frame
from maskwright_client.protocol import JSON_TYPE, PIXELS_TYPE, AlphaRequest, MatteRequest

# As they stand in a path; none of them has a slash once it is decoded, which would make it two.
IDS = [
    "nothing",
    "..",
    ".",
    "...",
    "%2e%2e",
    "%252e%252e%252f",
    "..%5c..%5cwindows%5cwin.ini",
    "c%3a%5cwindows%5cwin.ini",
    "%5c%5cserver%5cshare",
    "con",
    "CON",
    "nul.onnx",
    "lpt1",
    "%00",
    "u2netp%00",
    "u2netp%00.onnx",
    "u2netp%0a",
    "%20u2netp",
    "u2netp%20",
    "U2NETP",
    "u2netp.",
    "u2netp.onnx",
    "own-0123456789ab",
    "own-..",
    "%c3%a9%c3%bc%e2%82%ac%f0%9f%98%80",
    "%ef%bd%95%32netp",
    "%ff%fe",
    "%e2%80%ae",
    "%00" * 100,
    "a" * 64,
    "a" * 65,
    "a" * 10_000,
    "-",
    "-rf",
    "--help",
    "$(id)",
    "%60id%60",
    "%25s%25n",
    "{0.__class__}",
    "'%20or%201=1--",
    "<script>alert(1)<",
    "~root",
    "*",
    "0",
    "-1",
    "null",
    "__proto__",
]
SPLIT = [
    "%2e%2e%2fx",
    "..%2f..%2fetc%2fpasswd",
    "%2fetc%2fpasswd",
    "u2netp%2f..%2fu2netp",
    "../x",
    "./u2netp",
    "/etc/passwd",
    "//x",
]
NAMES = {
    "models": [
        ("GET", "/v1/models/{}/download", None, None),
        ("POST", "/v1/models/{}/download", b"{}", JSON_TYPE),
        ("DELETE", "/v1/models/{}/download", None, None),
    ],
    "mattes": [
        ("DELETE", "/v1/mattes/{}", None, None),
        ("GET", "/v1/mattes/{}/events", None, None),
        ("POST", "/v1/mattes/{}/alpha", frame(AlphaRequest()), PIXELS_TYPE),
        ("GET", "/v1/mattes/{}/review", None, None),
        ("POST", "/v1/mattes/{}/hints", b"abcd", PIXELS_TYPE),
    ],
}
SAYS = {
    "models": ("unknown-model", "There is no such model; see the list of models."),
    "mattes": (
        "unknown-matte",
        "The engine does not have this matte any more; remove the background again.",
    ),
}


def test_the_answers_are_worth_comparing(engine: EngineProcess):
    """An id that is known gets another answer, from each route that answers at all."""
    known = engine.ask("GET", "/v1/models/u2netp/download")
    assert json.loads(known.body)["error"]["code"] == "not-found"
    photo = frame(MatteRequest(1, 1, 3, 8, "u2netp", "test"), b"abc")
    matte_id = json.loads(engine.ask("POST", "/v1/mattes", photo, PIXELS_TYPE).body)["id"]
    assert engine.ask("GET", f"/v1/mattes/{matte_id}/events").status == 200
    assert engine.ask("GET", f"/v1/mattes/{matte_id}/review").status == 200
    assert engine.ask("GET", f"/v1/mattes/{matte_id}x/review").status == 404


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("one", IDS, ids=lambda one: one[:20])
def test_an_unknown_id_is_unknown_and_no_more(engine: EngineProcess, kind: str, one: str):
    for method, path, body, type in NAMES[kind]:
        reply = engine.ask(method, path.format(one), body, type)
        assert reply.status == 404
        code, message = SAYS[kind]
        assert json.loads(reply.body) == {"error": {"code": code, "message": message}}


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("one", SPLIT)
def test_an_id_of_two_parts_is_no_path_at_all(engine: EngineProcess, kind: str, one: str):
    for method, path, body, type in NAMES[kind]:
        reply = engine.ask(method, path.format(one), body, type)
        assert reply.status in (404, 405)
        text = {404: "There is nothing here.", 405: "This method is not answered."}[reply.status]
        assert json.loads(reply.body)["error"]["message"] == text


MODELS = [
    "",
    "../x",
    "../../../../etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "http://127.0.0.1:1/x.onnx",
    "%2e%2e%2f",
    "..\\x",
    "C:\\windows\\win.ini",
    "\\\\server\\share",
    "con",
    "nul",
    "u2netp\0",
    "u2netp\0.onnx",
    "u2netp\n",
    " u2netp",
    "U2NETP",
    "u2netp/../u2netp",
    "./u2netp",
    "u2netp.onnx",
    "own-../../etc",
    "own-0123456789ab",
    "\u00e9\u20ac\U0001f600",
    "\uff552netp",
    "\ud800",
    "\u202eptenu2",
    "a" * 64,
    "a" * 65,
    "a" * 10_000,
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: ascii(model)[:24])
def test_an_unknown_model_in_a_head_is_unknown_and_no_more(engine: EngineProcess, model: str):
    photo = frame(MatteRequest(1, 1, 3, 8, model, "test"), b"abc")
    reply = engine.ask("POST", "/v1/mattes", photo, PIXELS_TYPE)
    assert reply.status == 404
    code, message = SAYS["models"]
    assert json.loads(reply.body) == {"error": {"code": code, "message": message}}


def test_nothing_came_of_it(engine: EngineProcess):
    """No folder and no file for any of them, not even a lock."""
    home: Path = engine.places.home
    found = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}
    run = engine.places.run.relative_to(home)
    ours = {f"{run}/engine.{ending}" for ending in ("json", "lock", "log")}
    assert found == {"engine-output.txt", *ours}
    assert json.loads(engine.ask("GET", "/v1/hello").body)["jobs"] == 0
