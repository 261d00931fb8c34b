"""Bringing one model file into the store: never a wrong byte under the final name.

Bytes go into a part file in the same folder, which a later run goes on with (Range and If-Range)
when the server still has the same file. When all are there they are on the disk, then the whole
file is hashed, and only then does it get its name. Never the other way round: a kill between
naming and checking would leave a file that counts as checked.
"""

import random
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import requests

from maskwright import __version__
from maskwright.cancel import CancelToken
from maskwright.errors import InputError, ModelError
from maskwright.models.catalogue import ModelSpec
from maskwright.models.part import Part, storage_error, too_little_space
from maskwright.models.seal import sha256_of
from maskwright.models.transfer import Head, HopSession, Line, Trouble, failed, follow

Progress = Callable[[int, int], None]

_ATTEMPTS: Final = 4
_BACK_OFF_S: Final = 0.5
_WORTHWHILE: Final = 1 << 20  # bytes after which a broken attempt does not count as a failure
_TRY_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class Step(Enum):
    """How far a download has come; each is reported when it is done."""

    connected = "connected"
    received = "received"
    verified = "verified"
    named = "named"


@dataclass(frozen=True, slots=True)
class _Order:
    """What one call of `fetch` wants, so that its steps need not hand on six things each."""

    spec: ModelSpec
    target: Path
    part: Part
    token: Callable[[str], str | None]
    progress: Progress
    cancel: CancelToken


class Downloader:
    """Fetches catalogue models; everything it needs from the world is passed in."""

    def __init__(
        self,
        *,
        session: Callable[[], requests.Session] = HopSession,
        allow_http: bool = False,
        stall_s: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        disk_free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
        on_step: Callable[[Step], None] = lambda step: None,
    ) -> None:
        self._line = Line(session, allow_http, stall_s)
        self._sleep = sleep
        self._jitter = jitter
        self._disk_free = disk_free
        self._on_step = on_step

    def fetch(
        self,
        spec: ModelSpec,
        target: Path,
        *,
        token: Callable[[str], str | None],
        progress: Progress,
        cancel: CancelToken,
    ) -> None:
        """Load the model into `target`, whose folder exists; on return it is whole and verified.

        `token` gives the access token for a host, `progress` is told bytes done and bytes in all.
        Raises ModelError (`download-failed`, `bad-hash`, `wrong-size`, `host-refused`, `disk-full`,
        `store-unwritable`), InputError `access-denied`, Cancelled.
        """
        part = Part(target)
        order = _Order(spec, target, part, token, progress, cancel)
        try:
            part.refuse_links()
            self._check_space(order)
            troubles: list[Trouble] = []
            for url in spec.urls:
                try:
                    return self._fetch_from(url, order)
                except Trouble as trouble:
                    troubles.append(trouble)
        except OSError as error:
            trouble_with_disk = storage_error(error, target.parent, 2 * spec.bytes)
            if trouble_with_disk.code == "disk-full":
                part.discard()
            raise trouble_with_disk from error
        # What is wrong with this model says more than that some mirror could not be reached.
        telling = (t for t in troubles if t.error.code != "download-failed")
        raise next(telling, troubles[-1]).error

    def _check_space(self, order: _Order) -> None:
        needed = 2 * order.spec.bytes - min(order.part.size, order.spec.bytes)
        if self._disk_free(order.target.parent) < needed:
            raise too_little_space(order.target.parent, needed)

    def _fetch_from(self, url: str, order: _Order) -> None:
        """Everything that can be had from one URL: two goes at the bytes if the first were old."""
        old = order.part.size == order.spec.bytes or order.part.validator(url) is not None
        self._receive(url, order)
        if not self._verify(order):
            if not old:
                raise _bad_hash(order.spec)
            self._receive(url, order)
            if not self._verify(order):
                raise _bad_hash(order.spec)
        self._on_step(Step.verified)
        order.part.finish(order.target)
        self._on_step(Step.named)

    def _verify(self, order: _Order) -> bool:
        if sha256_of(order.part.path, order.cancel) == order.spec.sha256:
            return True
        order.part.discard()
        return False

    def _receive(self, url: str, order: _Order) -> None:
        """Try until the part has all its bytes."""
        failures, furthest = 0, order.part.size
        while True:
            try:
                self._attempt(url, order)
                self._on_step(Step.received)
                return
            except Trouble as trouble:
                # Counted from the furthest point, so that even a server that makes it start
                # again and again comes to an end.
                if order.part.size - furthest >= _WORTHWHILE:
                    failures, furthest = 0, order.part.size
                failures += 1
                if not trouble.again or failures >= _ATTEMPTS:
                    raise
                pause = _BACK_OFF_S * 2 ** (failures - 1) * (0.5 + self._jitter())
                self._wait(max(pause, trouble.wait_s), order.cancel)

    def _wait(self, seconds: float, cancel: CancelToken) -> None:
        while seconds > 0:
            cancel.check()
            self._sleep(min(seconds, 0.1))
            seconds -= 0.1
        cancel.check()

    def _attempt(self, url: str, order: _Order) -> None:
        """Ask for what is missing, and add it to the part."""
        spec, part, host = order.spec, order.part, urlsplit(url).hostname or ""
        token = order.token(host) if _asks_for_token(spec, host) else None
        etag = part.validator(url)
        if part.size == spec.bytes:
            return
        if part.size > spec.bytes or etag is None:
            part.discard()
        headers = {"Accept-Encoding": "identity", "User-Agent": f"maskwright/{__version__}"}
        if part.size and etag is not None:
            headers |= {"Range": f"bytes={part.size}-", "If-Range": etag}
        with follow(url, spec.urls, headers, token, self._line, order.cancel) as (head, body):
            _check_status(head, host, spec, part)
            if not _continues(head, part, etag, spec):
                _check_length(head, spec, host)
                part.begin(url, head.etag)
            self._on_step(Step.connected)
            self._append(body, order)
        if part.size < spec.bytes:
            raise failed(host, "the connection broke", again=True)

    def _append(self, body: Iterator[bytes], order: _Order) -> None:
        total = order.spec.bytes
        done = order.part.size
        with order.part.appending() as file:
            order.progress(done, total)
            for chunk in body:
                done += len(chunk)
                if done > total:
                    break
                file.write(chunk)
                order.progress(done, total)
        if done > total:
            order.part.discard()
            raise _wrong_size(order.spec)


def _asks_for_token(spec: ModelSpec, host: str) -> bool:
    """Only the publisher's own host, which comes first, may ask; a mirror is never told."""
    return spec.gated and host == urlsplit(spec.urls[0]).hostname


def _check_status(head: Head, host: str, spec: ModelSpec, part: Part) -> None:
    """Trouble unless the answer carries the file or a part of it."""
    if head.status in (401, 403) and _asks_for_token(spec, host):
        raise Trouble(
            InputError(
                "access-denied",
                f"{host} gives {spec.title} only to registered users; accept its terms at "
                f"{spec.licence_url}, and put an access token into the settings file or the "
                "environment (HF_TOKEN).",
            ),
            again=False,
        )
    if head.status == 416:
        part.discard()
        raise failed(host, "it has another file now", again=True)
    if head.status not in (200, 206) or not head.plain:
        why = f"it answered {head.status}"
        raise failed(host, why, again=head.status in _TRY_AGAIN, wait_s=head.wait_s)


def _continues(head: Head, part: Part, etag: str | None, spec: ModelSpec) -> bool:
    """Whether the answer is exactly the rest of the part; Trouble when it is another piece."""
    if head.status == 200:
        return False
    same_file = head.etag is None or head.etag == etag
    if part.size and same_file and head.span == (part.size, spec.bytes - 1, spec.bytes):
        return True
    part.discard()
    raise failed("the server", "it sent another piece than was asked for", again=True)


def _check_length(head: Head, spec: ModelSpec, host: str) -> None:
    if head.length is not None and head.length != spec.bytes:
        raise _wrong_size(spec)


def _wrong_size(spec: ModelSpec) -> Trouble:
    return Trouble(
        ModelError(
            "wrong-size",
            f"The server has another file than {spec.title}: its size is not {spec.bytes} bytes; "
            "nothing was kept, try again later or look for a newer Maskwright.",
        ),
        again=False,
    )


def _bad_hash(spec: ModelSpec) -> Trouble:
    return Trouble(
        ModelError(
            "bad-hash",
            f"What was loaded for {spec.title} is not the file that was published; it was deleted, "
            "try again later or look for a newer Maskwright.",
        ),
        again=False,
    )
