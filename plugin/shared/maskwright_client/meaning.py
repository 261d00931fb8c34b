"""What an exception or a refusal means, as an error of the tree: in one place, a sentence each."""

from __future__ import annotations

import contextlib
import http.client
import re
from collections.abc import Iterator

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
from maskwright_client.protocol import BUSY, STOPPING, Fault

# Of an EngineGone or EngineAbsent: something answers where the engine was, and it is not ours.
STRANGER = "stranger"

_NOT_LET_IN = (401, 403, 421)
_MOST_SENTENCE = 500
_RETRY_AFTER_S = 1.0
_MOST_RETRY_AFTER_S = 300.0


@contextlib.contextmanager
def translated(cancel: CancelSwitch) -> Iterator[None]:
    """Raise what the body raises as an error of the tree; as Cancelled if it was cancelled."""
    try:
        yield
    except (ClientError, OSError, http.client.HTTPException, WireError) as error:
        if cancel.cancelled and not isinstance(error, Cancelled):
            raise Cancelled from error
        if isinstance(error, ClientError):
            raise
        raise _meaning(error) from error


def refusal(status: int, fault: Fault | None, retry_after: str) -> ClientError:
    """What a reply means that brings no result; `fault` None if it has no word of the engine's."""
    if status in _NOT_LET_IN:
        return EngineRefused(
            "engine-refused",
            "The engine does not let this plug-in in; stop it with `maskwright stop`, then try "
            "again.",
        )
    retry_after_s = _seconds(retry_after)
    if fault is not None and status >= 400:
        return fault_error(fault, retry_after_s)
    if status == 503:  # what the web server below the engine says when too many come at once
        busy = "The engine has too much to do right now; try again in a moment."
        return EngineBusy(BUSY, busy, retry_after_s)
    return bad_reply()


def fault_error(fault: Fault, retry_after_s: float = _RETRY_AFTER_S) -> ClientError:
    """What the engine says it could not do, as an error."""
    message = " ".join(fault.message.split())[:_MOST_SENTENCE]
    if fault.code == STOPPING:
        return EngineGone(STOPPING, message)
    if fault.code == BUSY:
        return EngineBusy(BUSY, message, retry_after_s)
    return JobFailed(fault.code, message)


def bad_reply() -> BadReply:
    """What to say to a reply that is not what was agreed."""
    return BadReply(
        "bad-reply",
        "The engine's answer makes no sense and was not used; run Maskwright's installer again, "
        "and report this if it does not help.",
    )


def stranger() -> EngineGone:
    """What to say when something else answers in the engine's place; it was shown nothing."""
    return EngineGone(
        STRANGER,
        "The engine went away and another program is in its place; try again and the engine is "
        "started anew.",
    )


def broke_off() -> EngineGone:
    """What to say when the engine stopped in the middle."""
    return EngineGone(
        "engine-gone",
        "The engine went away in the middle of the work; try again and it is started anew.",
    )


def _meaning(error: Exception) -> ClientError:
    if isinstance(error, TimeoutError):
        return EngineGone(
            "engine-silent",
            "The engine has not answered for too long; try again, and if that does not help, stop "
            "it with `maskwright stop`.",
        )
    if isinstance(error, ConnectionRefusedError):
        return EngineGone(
            "engine-gone", "The engine is not running any more; try again and it is started anew."
        )
    if isinstance(error, (OSError, http.client.IncompleteRead)):
        return broke_off()
    return bad_reply()


def _seconds(retry_after: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}", retry_after):
        return _RETRY_AFTER_S
    return min(float(retry_after), _MOST_RETRY_AFTER_S)
