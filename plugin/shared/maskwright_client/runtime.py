"""What a running engine left for its clients: where to look for it, and whether to believe it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from maskwright_client import trust
from maskwright_client.codec import WireError, loads
from maskwright_client.errors import EngineAbsent, EngineRefused, VersionMismatch
from maskwright_client.places import Places, inside_snap
from maskwright_client.protocol import PROTOCOL_MAX, PROTOCOL_MIN, RuntimeFile

SCHEMA = 1

_MOST = 16 * 1024
_URL = re.compile(r"http://127\.0\.0\.1:([1-9][0-9]{0,4})")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,256}")


@dataclass(frozen=True)
class Trace:
    """Where an engine was when it wrote its file; it may be gone, and a stranger in its place."""

    port: int
    token: str = field(repr=False)
    instance_id: str
    protocol_min: int
    protocol_max: int


def traces(places: Places, environ: Mapping[str, str]) -> Iterator[Trace]:
    """Every engine that left a file, the likeliest first.

    Raises EngineRefused for a file that somebody else may have written, VersionMismatch.
    """
    snap = inside_snap(environ)
    for path in (snap, places.runtime_file) if snap else (places.runtime_file,):
        try:
            yield read_trace(path)
        except EngineAbsent:
            continue
        except EngineRefused:
            # A snap is kept from hidden folders, which says nothing about who may write there.
            if snap is None or path is snap:
                raise


def read_trace(path: Path) -> Trace:
    """Read and check a runtime file.

    Raises EngineAbsent when it is missing or damaged (the next engine writes a new one),
    EngineRefused when somebody else may have written it, VersionMismatch.
    """
    try:
        content = trust.read_private(path, _MOST)
    except (FileNotFoundError, NotADirectoryError):
        raise absent() from None
    except OSError as error:
        raise EngineRefused(
            "unsafe-file",
            f"{path} cannot be read ({error.strerror}); make sure that it is yours, then try "
            "again.",
        ) from error
    return parse_trace(content)


def parse_trace(content: bytes) -> Trace:
    """Check what a runtime file says; EngineAbsent when it makes no sense, VersionMismatch."""
    try:
        schema = loads(_Schema, content).schema
        if schema == SCHEMA:
            return _trace(loads(RuntimeFile, content))
    except WireError as error:
        raise absent() from error
    raise too_old("engine" if schema < SCHEMA else "plug-in")


def absent() -> EngineAbsent:
    """What to say when nobody is there; whoever can start an engine does so instead."""
    return EngineAbsent("engine-absent", "Maskwright's engine is not running; try again.")


def check_versions(protocol_min: int, protocol_max: int) -> None:
    """Raise VersionMismatch unless both sides speak a common version."""
    if protocol_max < PROTOCOL_MIN:
        raise too_old("engine")
    if protocol_min > PROTOCOL_MAX:
        raise too_old("plug-in")


def too_old(side: str) -> VersionMismatch:
    """What to say when the engine, or the plug-in, is the older side."""
    if side == "engine":
        return VersionMismatch(
            "engine-too-old",
            "The engine is older than this plug-in: run Maskwright's installer again, then "
            "restart the engine with `maskwright stop`.",
        )
    return VersionMismatch(
        "plugin-too-old",
        "This plug-in is older than the engine: run Maskwright's installer again, then restart "
        "this program.",
    )


@dataclass(frozen=True)
class _Schema:
    schema: int


def _trace(found: RuntimeFile) -> Trace:
    url = _URL.fullmatch(found.url)
    if url is None or int(url[1]) > 65535:
        raise WireError("RuntimeFile.url must be on the loopback")
    if not _TOKEN.fullmatch(found.token):
        raise WireError("RuntimeFile.token must be one")
    return Trace(
        int(url[1]), found.token, found.instance_id, found.protocol_min, found.protocol_max
    )
