"""When engines were started in vain, so that nobody tries for ever.

A file, as GIMP runs a plug-in in a new process each time.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path

from maskwright_client import trust
from maskwright_client.errors import EngineRefused

MOST = 3
WITHIN_S = 60.0

_MOST_BYTES = 4096


class FailedStarts:
    """The times of the last failures; a file that cannot be read or written counts as none."""

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now = now

    @property
    def too_many(self) -> bool:
        """Whether to stop trying for now."""
        return len(self._recent()) >= MOST

    def add(self) -> None:
        """Remember that one has just failed."""
        times = [*self._recent(), self._now()][-MOST:]
        with contextlib.suppress(OSError):
            trust.replace_private(self._path, json.dumps(times).encode("ascii"))

    def clear(self) -> None:
        """Forget them, as one has succeeded."""
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _recent(self) -> list[float]:
        try:
            found = json.loads(trust.read_private(self._path, _MOST_BYTES))
        except (OSError, ValueError, RecursionError, EngineRefused):
            return []
        now = self._now()
        times = found if isinstance(found, list) else []
        # A time in the future is one that a clock showed which has been set back since.
        return [
            float(one)
            for one in times
            if isinstance(one, (int, float)) and 0 <= now - one < WITHIN_S
        ]
