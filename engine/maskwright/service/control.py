"""Running, asking and stopping the user's engine from the command line."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.codec import to_json
from maskwright_client.command import engine_command
from maskwright_client.discovery import Found, find
from maskwright_client.errors import ClientError, EngineAbsent, EngineGone
from maskwright_client.places import Places, current_places

from maskwright.errors import ModelError
from maskwright.service.engine import run_engine
from maskwright.service.instance import AlreadyRunning, is_running
from maskwright.service.server import LOOPBACK

_PATIENCE_S: Final = 20.0
_STOP_S: Final = 40.0
_LOOK_S: Final = 0.1


def serve_here(
    environ: Mapping[str, str], chosen: Mapping[str, float], tell: Callable[[str], None]
) -> None:
    """Be the engine until it ends, or say that another one is; raises ModelError.

    An engine that is about to end is waited for.
    """
    places = current_places(environ)
    give_up_at = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return run_engine(places, environ, chosen, tell)
        except AlreadyRunning:
            if _found(places, environ) is not None:
                tell("The engine is running already.")
                return
            if time.monotonic() > give_up_at:
                raise ModelError(
                    "engine-stuck",
                    f"Another engine holds {places.lock} and does not answer; end its process, "
                    "then try again.",
                ) from None
            time.sleep(_LOOK_S)


def state(environ: Mapping[str, str]) -> dict[str, Any]:
    """Whether the engine runs, how it stands, and why plug-ins could not start it, if so.

    Raises ModelError where something is wrong with the engine that runs.
    """
    places = current_places(environ)
    found = _found(places, environ)
    return {
        "running": found is not None,
        "url": f"http://{LOOPBACK}:{found.address.port}" if found else None,
        "engine": to_json(found.hello) if found else None,
        "start_problem": _start_problem(places),
        "log": str(places.log),
    }


def _start_problem(places: Places) -> str | None:
    try:
        engine_command(places, None, sandboxed=False)
    except ClientError as error:
        return str(error)
    return None


def stop_engine(environ: Mapping[str, str]) -> bool:
    """Have the engine end and wait for that; False if none was running. Raises ModelError."""
    places = current_places(environ)
    found = _found(places, environ)
    if found is None and not is_running(places):
        return False
    if found is not None:
        try:
            Engine(found).shutdown()
        except EngineGone:
            pass
        except ClientError as error:
            raise ModelError(error.code, str(error)) from error
    give_up_at = time.monotonic() + _STOP_S
    while is_running(places):
        if time.monotonic() > give_up_at:
            raise ModelError(
                "engine-stuck", f"The engine does not end; its log may say why: {places.log}"
            )
        time.sleep(_LOOK_S)
    return True


def _found(places: Places, environ: Mapping[str, str]) -> Found | None:
    try:
        return find(places, environ, CancelSwitch())
    except EngineAbsent:
        return None
    except ClientError as error:
        raise ModelError(error.code, str(error)) from error
