"""What a batch has done so far, kept beside its results so that it can go on later."""

import json
import os
import threading
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

SCHEMA = 1
LEDGER_NAME = ".maskwright-batch.json"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file's size in bytes and modification time in nanoseconds: changed means another file."""

    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Source:
    """What a result is made from.

    photo:  relative to the batch's folder, with forward slashes.
    recipe: a digest of the model and all settings.
    """

    photo: str
    stamp: Stamp
    recipe: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One result; `record` is the JSON object that the report shows."""

    source: Source
    result_stamp: Stamp
    record: dict[str, Any]


class Standing(Enum):
    """What the ledger and the disk say together about one result."""

    missing = "missing"  # no such file: make it
    current = "current"  # made from this photo with these settings: leave it
    outdated = "outdated"  # ours and untouched, but the photo or the settings changed: make it anew
    foreign = "foreign"  # not ours, or changed since: only `--force` replaces it


def stamp(path: Path) -> Stamp | None:
    """Return the file's stamp, or None where there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return Stamp(status.st_size, status.st_mtime_ns)


class Ledger:
    """Entries by the result's path relative to the output folder; safe to use from many threads."""

    def __init__(self, path: Path) -> None:
        """Read the ledger at `path`; without one, or with a damaged one, it starts empty."""
        self._path = path
        self._lock = threading.Lock()
        entries = _read(path)
        self.was_damaged = entries is None
        self._entries = entries or {}

    def entry(self, result: str) -> Entry | None:
        """Return what is known of `result`."""
        return self._entries.get(result)

    def standing(self, result: str, there: Stamp | None, source: Source) -> Standing:
        """Judge `result`, whose file has the stamp `there`, against what it should come from."""
        if there is None:
            return Standing.missing
        entry = self._entries.get(result)
        if entry is None:
            return Standing.foreign
        if entry.source == source:
            return Standing.current
        return Standing.outdated if entry.result_stamp == there else Standing.foreign

    def record(self, result: str, entry: Entry) -> None:
        """Remember a result that lies finished on the disk, at once and for good."""
        with self._lock:
            self._entries[result] = entry
            entries = {name: asdict(one) for name, one in sorted(self._entries.items())}
            write_json(self._path, {"maskwright_batch": SCHEMA, "results": entries})


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write JSON under a temporary name beside `path` and rename it."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(document, indent=1) + "\n", "ascii")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Entry] | None:
    try:
        document = json.loads(path.read_text("ascii"))
        if document["maskwright_batch"] != SCHEMA:
            return None
        return {name: _entry(one) for name, one in document["results"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _entry(one: dict[str, Any]) -> Entry:
    source = one["source"]
    return Entry(
        source=Source(str(source["photo"]), Stamp(**source["stamp"]), str(source["recipe"])),
        result_stamp=Stamp(**one["result_stamp"]),
        record=dict(one["record"]),
    )
