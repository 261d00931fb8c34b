"""`maskwright doctor` on the machine that the tests run on."""

import json

import pytest
from click.testing import CliRunner
from maskwright.cli import cli


def doctor(*arguments):
    return CliRunner().invoke(cli, ["doctor", *map(str, arguments)])


def test_a_machine_on_which_the_tests_run_is_well():
    done = doctor()
    assert done.exit_code == 0, done.output
    assert "The built-in model runs on the processor" in done.stdout
    assert "Traceback" not in done.output


def test_the_report_is_the_json_and_replaces_only_reports(tmp_path):
    report = tmp_path / "report.json"
    done = doctor("--json", "--report", report)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == json.loads(report.read_text())
    assert json.loads(done.stdout)["is_well"] is True
    assert doctor("--report", report).exit_code == 0
    report.write_text("my notes")
    assert doctor("--report", report).exit_code == 2
    assert report.read_text() == "my notes"


@pytest.mark.parametrize("content", ["not that model", ""])
def test_something_broken_ends_with_3_and_says_how_to_repair_it(tmp_path, monkeypatch, content):
    monkeypatch.setenv("MASKWRIGHT_MODELS", str(tmp_path))
    (tmp_path / "modnet").mkdir()
    (tmp_path / "modnet" / "modnet.onnx").write_text(content)
    done = doctor()
    assert done.exit_code == 3
    assert "Run `maskwright models get modnet`." in done.stdout
