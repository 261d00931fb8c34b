"""`maskwright models`, with the real catalogue and an empty store."""

import io
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from maskwright.cli import cli
from maskwright.cli.models import download
from maskwright.models.catalogue import load_catalogue
from maskwright.models.store import Store, open_store
from own_process import on_a_terminal


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    monkeypatch.setenv("MASKWRIGHT_MODELS", str(folder))
    return folder


def run(*arguments: str, **more):
    return CliRunner().invoke(cli, ["models", *arguments], **more)


def test_list_has_a_line_for_each_model_with_its_licence():
    done = run("list")
    assert done.exit_code == 0
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "built in" in lines["u2netp"]
    assert "commercial" in lines["u2netp"]
    assert "recommended" in lines["birefnet-lite"]
    assert "unverified" in lines["birefnet-lite"]
    assert "NON-COMMERCIAL" in lines["rmbg-2.0"]


def test_list_as_json_says_what_is_here():
    rows = {row["id"]: row for row in json.loads(run("list", "--json").stdout)}
    assert rows["u2netp"]["installed"] is True
    assert os.path.getsize(rows["u2netp"]["path"]) == rows["u2netp"]["bytes"]
    assert rows["rmbg-2.0"]["installed"] is False
    assert rows["rmbg-2.0"]["commercial"] is False
    assert rows["rmbg-2.0"]["licence_url"].startswith("https://")


def test_path_is_the_folder_or_the_models_file(store):
    assert run("path").stdout == f"{store}\n"
    assert run("path", "u2netp").stdout.endswith("u2netp.onnx\n")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["path", "nonsense"], 2, "no such model"),
        (["path", "birefnet-lite"], 3, "maskwright models get birefnet-lite"),
        (["get", "nonsense"], 2, "no such model"),
        (["remove", "u2netp"], 2, "stays"),
        (["remove", "birefnet-lite"], 3, "maskwright models get"),
        (["add", "no such file", "--like", "u2netp"], 2, "cannot be read"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_done_is_a_sentence(arguments, code, says):
    done = run(*arguments)
    assert done.exit_code == code
    assert says in done.stderr
    assert done.stdout == ""


def test_what_is_here_already_is_not_downloaded():
    done = run("get", "u2netp")
    assert done.exit_code == 0
    assert done.stdout.startswith("u2netp -> ")


def test_a_non_commercial_licence_is_shown_and_refused_where_nobody_can_be_asked():
    done = run("get", "rmbg-1.4")
    assert done.exit_code == 2
    assert "https://huggingface.co/briaai/RMBG-1.4" in done.stderr
    assert "maskwright models get rmbg-1.4 --accept-licence" in done.stderr


@pytest.mark.parametrize("answer", [b"\n", b"n\n", b"\x03"])
def test_on_a_terminal_the_licence_is_asked_for_and_the_answer_is_no_unless_yes(answer):
    code, shown = on_a_terminal("models", "get", "rmbg-1.4", typed=answer)
    assert code == (130 if answer == b"\x03" else 2)
    assert b"Do you accept this licence? [y/N]" in shown
    assert b"https://huggingface.co/briaai/RMBG-1.4" in shown
    assert b"Traceback" not in shown


class ThreeSteps(Store):
    """A store whose download is three steps without a network."""

    def __init__(self):
        pass

    def get(self, model_id, *, accept_licence=False, progress=print, cancel=None):
        for done in (0, 50, 100):
            progress(done, 100)
        return Path(model_id)


def test_a_download_shows_a_bar_on_a_terminal(monkeypatch):
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    spec = load_catalogue().get("modnet")
    spec = replace(spec, bytes=100)
    assert download(ThreeSteps(), spec, accept_licence=False) == Path("modnet")
    assert "modnet" in terminal.getvalue()
    assert "100%" in terminal.getvalue()


def test_an_own_model_is_added_listed_and_removed(store):
    source = open_store({"MASKWRIGHT_MODELS": str(store)}).path("u2netp")
    copy = store.parent / "my network.onnx"
    copy.write_bytes(source.read_bytes() + b"\x32\x00")  # an empty metadata field: other bytes
    added = run("add", str(copy), "--like", "u2netp")
    assert added.exit_code == 0, added.output
    model_id = added.stdout.split()[-1]
    assert model_id.startswith("own-")
    rows = {row["id"]: row for row in json.loads(run("list", "--json").stdout)}
    assert rows[model_id]["installed"] is True
    assert "my network" in rows[model_id]["title"]
    assert run("remove", model_id).exit_code == 0
    assert model_id not in run("list").stdout
