"""What goes wrong below has one meaning above: an error of the tree, with a sentence."""

import http.client
import socket

import pytest
from maskwright_client import errors
from maskwright_client.cancel import CancelSwitch
from maskwright_client.codec import WireError
from maskwright_client.errors import (
    BadReply,
    Cancelled,
    ClientError,
    EngineBusy,
    EngineGone,
    EngineRefused,
    JobFailed,
)
from maskwright_client.meaning import fault_error, refusal, translated
from maskwright_client.protocol import Fault


@pytest.mark.parametrize(
    ("below", "kind", "code"),
    [
        (ConnectionRefusedError(), EngineGone, "engine-gone"),
        (ConnectionResetError(), EngineGone, "engine-gone"),
        (BrokenPipeError(), EngineGone, "engine-gone"),
        (http.client.RemoteDisconnected("x"), EngineGone, "engine-gone"),
        (http.client.IncompleteRead(b""), EngineGone, "engine-gone"),
        (OSError(101, "Network is unreachable"), EngineGone, "engine-gone"),
        (TimeoutError(), EngineGone, "engine-silent"),
        (socket.timeout(), EngineGone, "engine-silent"),  # noqa: UP041
        (http.client.BadStatusLine("x"), BadReply, "bad-reply"),
        (http.client.LineTooLong("x"), BadReply, "bad-reply"),
        (WireError("x"), BadReply, "bad-reply"),
        (JobFailed("code", "Words."), JobFailed, "code"),
    ],
)
def test_every_mishap_has_its_place(below: Exception, kind: type[ClientError], code: str):
    with pytest.raises(ClientError) as caught, translated(CancelSwitch()):
        raise below
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert str(caught.value).endswith(".")
    cancel = CancelSwitch()
    cancel.cancel()
    with pytest.raises(Cancelled), translated(cancel):
        raise below


def test_a_mistake_in_the_program_stays_one():
    with pytest.raises(ZeroDivisionError), translated(CancelSwitch()):
        raise ZeroDivisionError


def test_an_engines_words_are_one_short_line():
    error = fault_error(Fault("code", "One\n two.\t" + "x" * 10_000))
    assert error.message.startswith("One two. xxx")
    assert len(error.message) == 500


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (200, None, BadReply),
        (302, "moved", BadReply),
        (400, None, BadReply),
        (401, None, EngineRefused),
        (409, "licence-not-accepted", JobFailed),
        (409, "not-ready", JobFailed),
        (503, None, EngineBusy),
        (503, "engine-stopping", EngineGone),
    ],
)
def test_a_status_and_a_word_together(status: int, code: str | None, kind: type[ClientError]):
    fault = None if code is None else Fault(code, "Words.")
    assert type(refusal(status, fault, "")) is kind


def test_every_error_is_in_the_drawing_of_the_tree():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert len(kinds) > 8
    for kind in kinds:
        assert issubclass(kind, ClientError)
        assert errors.__doc__ is not None
        assert f" {kind.__name__} " in errors.__doc__ or kind is ClientError


def test_an_error_has_a_code_and_words():
    assert (Cancelled().code, str(Cancelled())) == ("cancelled", "Cancelled.")
    busy = EngineBusy("engine-busy", "Wait.", 2.0)
    assert (busy.code, busy.message, str(busy), busy.retry_after_s) == (
        "engine-busy",
        "Wait.",
        "Wait.",
        2.0,
    )
