"""Finding the engine that runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maskwright_client.cancel import CancelSwitch
from maskwright_client.errors import EngineAbsent, EngineBusy, EngineGone
from maskwright_client.loopback import Patience
from maskwright_client.meaning import stranger
from maskwright_client.places import Places
from maskwright_client.protocol import Hello
from maskwright_client.runtime import Trace, absent, check_versions, traces
from maskwright_client.transport import Address, Line

_PATIENCE = Patience(read_s=5.0, whole_s=5.0)


@dataclass(frozen=True)
class Found:
    """An engine that has proven itself, and what it said of itself then."""

    address: Address
    hello: Hello


def find(places: Places, environ: Mapping[str, str], cancel: CancelSwitch) -> Found:
    """The engine that runs.

    Raises EngineAbsent (with the code `stranger` if something else answers in its place; nothing
    was shown to that, `engine-busy` if it has no time to prove itself), EngineRefused,
    VersionMismatch, EngineBusy, BadReply, Cancelled.
    """
    nobody = absent()
    for trace in traces(places, environ):
        try:
            return prove(trace, cancel)
        except EngineGone as error:
            nobody = EngineAbsent(error.code, error.message)
    raise nobody


def prove(trace: Trace, cancel: CancelSwitch) -> Found:
    """Make sure that the engine of a runtime file is there, and ours, and of our time.

    Raises EngineGone if it is not there (with the code `stranger` if something else is), and what
    `find` raises.
    """
    address = Address(trace.port, trace.token)
    with Line(address, cancel, _PATIENCE) as line:
        try:
            line.prove()
        except EngineBusy as error:  # which anybody can say who has proven nothing
            raise EngineGone(error.code, error.message) from error
        check_versions(trace.protocol_min, trace.protocol_max)
        hello = line.record(Hello, "GET", "/v1/hello")
    if hello.instance_id != trace.instance_id:
        raise stranger()
    check_versions(hello.protocol_min, hello.protocol_max)
    return Found(address, hello)
