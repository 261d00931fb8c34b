"""Exceptions as sentences and exit codes."""

import errno
import io
import subprocess

import click
import pytest
from click.testing import CliRunner
from maskwright.cli.exits import combined
from maskwright.cli.failure import Translating
from maskwright.cli.options import debug_option
from maskwright.cli.speech import forgive_odd_names
from maskwright.errors import Cancelled, InputError, ModelError
from own_process import environment, maskwright_command


def run(error: BaseException, *arguments: str, env=None):
    @click.group(cls=Translating)
    @debug_option
    def root():
        """Stand for the real one."""

    @root.command()
    @debug_option
    def fail():
        raise error

    split = arguments.index("fail") if "fail" in arguments else 0
    line = arguments if "fail" in arguments else ("fail", *arguments)
    assert line[split] == "fail"
    return CliRunner().invoke(root, line, env=env)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("bad-photo", "This is bad; give another."), 2),
        (ModelError("model-missing", "This is bad; give another."), 3),
        (Cancelled("This is bad; give another."), 130),
    ],
)
def test_an_error_of_ours_is_its_sentence_and_its_code(error, code):
    done = run(error)
    assert (done.exit_code, done.stdout) == (code, "")
    assert done.stderr == "maskwright: This is bad; give another.\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_is_130(error):
    done = run(error)
    assert done.exit_code == 130
    assert done.stderr == "maskwright: Cancelled.\n"


def test_what_nobody_foresaw_is_one_sentence_and_3():
    done = run(ZeroDivisionError("secret detail"))
    assert done.exit_code == 3
    assert done.stderr.count("\n") == 1
    assert "ZeroDivisionError" in done.stderr
    assert "--debug" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        (["fail", "--debug"], None),
        (["--debug", "fail"], None),
        (["fail"], {"MASKWRIGHT_DEBUG": "1"}),
    ],
)
def test_debug_shows_where(arguments, env):
    for error, code in ((ZeroDivisionError("detail"), 3), (InputError("bad", "Bad."), 2)):
        done = run(error, *arguments, env=env)
        assert done.exit_code == code
        assert "Traceback (most recent call last)" in done.stderr
        assert type(error).__name__ in done.stderr


def test_a_reader_that_went_away_is_no_message():
    done = run(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert done.exit_code == 1
    assert done.output == ""


def test_a_reader_that_went_away_ends_a_real_process_quietly():
    with subprocess.Popen(
        maskwright_command("models", "list"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 1


def test_odd_names_are_printed_as_escapes():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    forgive_odd_names(stream)
    stream.write("caf\u00e9 \udcff")
    stream.flush()
    assert raw.getvalue() == rb"caf\xe9 \udcff"


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ([], 0),
        ([0, 0], 0),
        ([2], 2),
        ([3], 3),
        ([0, 2], 1),
        ([3, 0], 1),
        ([2, 2], 2),
        ([2, 3, 2], 3),
    ],
)
def test_many_codes_become_one(codes, code):
    assert combined(codes) == code
