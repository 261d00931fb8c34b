"""Licences that were accepted, access tokens, and the private file that holds both."""

import json
import os
import stat
from pathlib import Path

import pytest
from maskwright.errors import InputError
from maskwright.models.access import Access
from maskwright.models.store import Store
from store_bench import Bench


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def licence_code(store: Store, *, accept: bool = False) -> str:
    try:
        store.get("private", accept_licence=accept)
    except InputError as error:
        return error.code
    return "fine"


def test_a_private_licence_is_accepted_once(bench: Bench) -> None:
    assert licence_code(bench.store) == "licence-not-accepted"
    assert bench.fetched == []
    assert licence_code(bench.store, accept=True) == "fine"
    assert stat.S_IMODE(bench.settings.stat().st_mode) == 0o600
    bench.store.remove("private")
    assert licence_code(bench.again()) == "fine"
    assert bench.fetched == ["private", "private"]


def test_settings_keep_what_they_do_not_know(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.json"
    access = Access(path, {})
    access.accept("one")
    path.write_text(json.dumps({"theme": "dark", "accepted_licences": ["one"]}), encoding="utf-8")
    access.accept("two")
    access.accept("two")
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content == {"theme": "dark", "accepted_licences": ["one", "two"]}
    assert access.accepted("one")
    assert not access.accepted("three")


def write_settings(path: Path, content: str, mode: int = 0o600) -> None:
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)


def test_tokens_come_from_the_environment_or_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    write_settings(path, '{"tokens": {"huggingface": "from-file"}}')
    own, common = {"MASKWRIGHT_TOKEN_HUGGINGFACE": "own"}, {"HF_TOKEN": "common\n"}
    assert Access(path, own | common).token("huggingface.co") == "own"
    assert Access(path, common).token("huggingface.co") == "common"
    assert Access(path, {"HF_TOKEN": ""}).token("huggingface.co") == "from-file"
    for other in ("github.com", "evil.example", "cdn-lfs.huggingface.co", ""):
        assert Access(path, own | common).token(other) is None
    assert Access(tmp_path / "none.json", {}).token("huggingface.co") is None


@pytest.mark.parametrize("token", ["a b", "a\nb: c", "ä", " ", "x" * 2000])
def test_what_cannot_be_a_token_is_refused_and_not_repeated(tmp_path: Path, token: str) -> None:
    with pytest.raises(InputError) as caught:
        Access(tmp_path / "none.json", {"HF_TOKEN": token}).token("huggingface.co")
    assert caught.value.code == "bad-token"
    assert token.strip() not in str(caught.value) or not token.strip()


@pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX thing")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o601])
def test_settings_that_others_can_read_are_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "settings.json"
    write_settings(path, '{"tokens": {"huggingface": "secret"}}', mode)
    with pytest.raises(InputError) as caught:
        Access(path, {}).token("huggingface.co")
    assert caught.value.code == "settings-not-private"
    assert "chmod 600" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("content", ["{", "[]", "\x00", '"text"'])
def test_damaged_settings_are_one_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "settings.json"
    write_settings(path, content)
    with pytest.raises(InputError) as caught:
        Access(path, {}).accept("one")
    assert caught.value.code == "bad-settings"
    assert path.read_text(encoding="utf-8") == content
