"""Starting the engine when there is none, and waiting until it is ready."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from maskwright_client import trust
from maskwright_client.cancel import CancelSwitch
from maskwright_client.command import engine_command, is_sandboxed, not_here
from maskwright_client.discovery import Found, find
from maskwright_client.errors import (
    ClientError,
    EngineAbsent,
    EngineBusy,
    EngineNotStarting,
    EngineRefused,
)
from maskwright_client.failed_starts import FailedStarts
from maskwright_client.meaning import STRANGER
from maskwright_client.places import Places
from maskwright_client.process import Child, clean_environ, spawn
from maskwright_client.protocol import BUSY

READY_WITHIN_S = 20.0

_FAILED = "engine-start-failed"
_POLL_S = 0.05
_RETRY_AFTER_S = 2.0

Waited = Callable[[float], None]
Spawn = Callable[[Sequence[str], Mapping[str, str], Path, int], Child]


class Starter:
    """Starts engines for one user; `command` is the host's setting.

    An engine outlives whoever started it. While this lives on, it takes note of the end of those
    that it started.
    """

    def __init__(
        self,
        places: Places,
        environ: Mapping[str, str],
        *,
        command: Sequence[str] | None = None,
        root: Path = Path("/"),
        spawn: Spawn = spawn,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._places = places
        self._environ = environ
        self._command = command
        self._root = root
        self._spawn = spawn
        self._clock = clock
        self._failed = FailedStarts(places.failed_starts, now)
        self._children: list[Child] = []

    def start(self, waited: Waited, cancel: CancelSwitch) -> Found:
        """Start an engine and wait for it; `waited` is told the seconds.

        If somebody else starts one at the same time, either will do. Raises EngineAbsent when none
        can be started from here, EngineNotStarting, EngineRefused, EngineBusy, VersionMismatch,
        Cancelled (the engine is then left to itself and ends when nobody needs it).
        """
        sandboxed = is_sandboxed(self._environ, self._root)
        command = engine_command(self._places, self._command, sandboxed=sandboxed, root=self._root)
        if self._failed.too_many:
            raise EngineNotStarting(
                "engine-keeps-failing",
                "The engine failed three times within a minute to start; run `maskwright doctor` "
                f"in a terminal, or see {self._places.start_log}",
            )
        child = self._run(command, sandboxed=sandboxed)
        try:
            found = self._wait(child, waited, cancel)
        except EngineNotStarting as error:
            self._failed.add()
            if sandboxed and error.code == _FAILED:  # made for another system than is in here
                raise not_here(sandboxed=True) from error
            raise
        self._failed.clear()
        return found

    def reap(self) -> bool:
        """Take note of engines that have ended, which otherwise stay as zombies; never waits.

        Returns whether one that was started here still runs.
        """
        self._children = [child for child in self._children if child.poll() is None]
        return bool(self._children)

    def _run(self, command: Sequence[str], *, sandboxed: bool) -> Child:
        environ = clean_environ(self._environ, sandboxed=sandboxed)
        try:
            trust.make_private_folder(self._places.run)
            output = trust.create_private(self._places.start_log)
        except OSError as error:
            raise EngineNotStarting(
                "no-run-folder",
                f"{self._places.run} cannot be written to ({error.strerror}); make room or give "
                "yourself access to it, then try again.",
            ) from error
        try:
            words = [*command, "serve", "--quiet"]
            child = self._spawn(words, environ, Path(command[0]).parent, output)
        except OSError as error:
            if sandboxed:
                raise not_here(sandboxed=True) from error
            raise EngineNotStarting(
                _FAILED,
                f"{command[0]} could not be run ({error.strerror}); run Maskwright's installer "
                "again.",
            ) from error
        finally:
            os.close(output)
        self._children.append(child)
        return child

    def _wait(self, child: Child, waited: Waited, cancel: CancelSwitch) -> Found:
        started_at = self._clock()
        while True:
            try:
                return find(self._places, self._environ, cancel)
            except EngineAbsent as error:
                nobody = error
            # Code 0 says that another engine is there already, or about to be.
            if code := child.poll():
                raise EngineNotStarting(
                    _FAILED,
                    f"The engine ended with code {code} as soon as it was started; run "
                    f"`maskwright doctor` in a terminal, or see {self._places.start_log}",
                )
            seconds = self._clock() - started_at
            if seconds > READY_WITHIN_S:
                raise self._not_ready(nobody)
            waited(seconds)
            cancel.pause(_POLL_S)

    def _not_ready(self, nobody: EngineAbsent) -> ClientError:
        if nobody.code == STRANGER:
            return EngineRefused(
                STRANGER,
                "Another program is in the place of Maskwright's engine, and was shown nothing; "
                f"delete {self._places.runtime_file} and try again.",
            )
        if nobody.code == BUSY:
            return EngineBusy(BUSY, nobody.message, _RETRY_AFTER_S)
        return EngineNotStarting(
            "engine-not-ready",
            f"The engine was not ready after {READY_WITHIN_S:.0f} seconds; try again, or see "
            f"{self._places.start_log}",
        )
