"""`--help` answers at once, imports nothing heavy, and documents what there is."""

import subprocess
import sys

import pytest
from click.testing import CliRunner
from maskwright import __version__
from maskwright.cli import cli
from own_process import environment

HEAVY = {"onnxruntime", "numpy", "PIL", "requests", "imagecodecs", "tifffile", "filelock"}
COMMANDS = [
    [],
    ["cut"],
    ["batch"],
    ["doctor"],
    ["models"],
    ["models", "list"],
    ["models", "get"],
    ["models", "add"],
    ["models", "remove"],
    ["models", "path"],
    ["plugins"],
    ["setup"],
]


def start_up(*arguments):
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "maskwright", *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["cut", "--help"], ["--version"], ["cut"]])
def test_nothing_heavy_is_imported_before_a_command_runs(arguments):
    done = start_up(*arguments)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert {"maskwright.cli", "click"} <= imported
    assert not {name for name in imported if name.partition(".")[0] in HEAVY}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(command):
    done = CliRunner().invoke(cli, [*command, "--help"], prog_name="maskwright")
    assert done.exit_code == 0
    assert f"maskwright {' '.join(command)}".strip() in done.output.partition("Example")[2]


@pytest.mark.parametrize("command", [[], ["cut"], ["batch"]], ids=" ".join)
def test_exit_codes_are_documented(command):
    text = CliRunner().invoke(cli, [*command, "--help"]).output.partition("Exit codes:")[2]
    for code in ("0 ", "1 ", "2 ", "3 ", "130 "):
        assert code in text


def test_version():
    done = CliRunner().invoke(cli, ["--version"])
    assert done.output == f"maskwright, version {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["cut"],
        ["cut", "--nonsense", "a.jpg"],
        ["nonsense"],
        ["batch", "."],
        ["batch", "no such folder", "--out", "x"],
        ["batch", ".", "--out", "x", "--jobs", "0"],
        ["models", "get"],
        ["models", "add", "x.onnx"],
        ["cut", "a.jpg", "--shift", "11"],
        ["cut", "a.jpg", "--feather", "-1"],
        ["cut", "a.jpg", "--contrast", "2"],
        ["cut", "a.jpg", "--midpoint", "x"],
        ["cut", "a.jpg", "--max-pixels", "0"],
    ],
    ids=" ".join,
)
def test_bad_usage_ends_with_2(arguments):
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert done.stderr
