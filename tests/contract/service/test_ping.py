"""The engine proves itself to whoever knows its token, and tells nothing to anybody else."""

import json

import pytest
from engine_process import EngineProcess
from maskwright_client.protocol import ping_proof

NONCE = "0123456789abcdef" * 4


def test_a_ping_proves_the_engine_without_a_token(engine: EngineProcess):
    reply = engine.ask("GET", f"/v1/ping?nonce={NONCE}", headers={"Authorization": ""})
    assert reply.status == 200
    assert json.loads(reply.body) == {"proof": ping_proof(engine.token, NONCE, engine.port)}


def test_the_proof_holds_for_one_nonce_and_one_port(engine: EngineProcess):
    proofs = {
        ping_proof(token, nonce, port)
        for token in (engine.token, "another")
        for nonce in (NONCE, NONCE[::-1])
        for port in (engine.port, engine.port + 1)
    }
    assert len(proofs) == 8


@pytest.mark.parametrize("nonce", ["", "ab", "A" * 64, "g" * 64, "0" * 129, "0" * 31, "%00" * 32])
def test_only_a_nonce_is_answered(engine: EngineProcess, nonce: str):
    reply = engine.ask("GET", f"/v1/ping?nonce={nonce}")
    assert reply.status == 400
    assert b"proof" not in reply.body


def test_no_answer_has_the_token_in_it(engine: EngineProcess):
    for path in ("/v1/hello", f"/v1/ping?nonce={NONCE}", "/v1/models", "/v1/nothing"):
        reply = engine.ask("GET", path)
        assert engine.token.encode() not in reply.body + repr(reply.headers).encode()
