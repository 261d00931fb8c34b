"""One HTTP exchange that can be cancelled at once, and the rules for where it may go.

The network is read in a thread of its own, because a socket that waits for a silent server cannot
be asked to stop; the caller waits for what the thread reports and can walk away from it.
"""

import contextlib
import queue
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

import requests

from maskwright.cancel import CancelToken
from maskwright.errors import MaskwrightError, ModelError

MAX_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CHUNK: Final = 1 << 16
_POLL_S: Final = 0.1
# Where the two hosts that publish models hand out the bytes:
# https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api (assets),
# https://huggingface.co/docs/hub/en/xet/using-xet-storage
_CDN: Final = {
    "github.com": re.compile(r"(?:release-assets|objects)\.githubusercontent\.com"),
    "huggingface.co": re.compile(
        r"(?:[a-z0-9-]+\.)+hf\.co|cdn-lfs(?:-[a-z0-9]+)*\.huggingface\.co"
    ),
}


class Trouble(Exception):
    """A transfer that did not work: what to tell people, and whether trying again can help."""

    def __init__(self, error: MaskwrightError, *, again: bool, wait_s: float = 0.0) -> None:
        super().__init__(str(error))
        self.error = error
        self.again = again
        self.wait_s = wait_s


def failed(host: str, why: str, *, again: bool, wait_s: float = 0.0) -> Trouble:
    """Trouble `download-failed` with one host."""
    return Trouble(
        ModelError(
            "download-failed",
            f"The download from {host} failed: {why}; check the connection and the proxy settings "
            "and try again, what has arrived is kept.",
        ),
        again=again,
        wait_s=wait_s,
    )


class HopSession(requests.Session):
    """A session that leaves redirects alone.

    Even when told not to follow, requests looks at where a redirect leads and for that reads all
    of its body, however long.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        """There is none, as far as requests is concerned."""


@dataclass(frozen=True, slots=True)
class Line:
    """How to reach the network: a source of sessions, and the limits. `stall_s` is in seconds."""

    session: Callable[[], requests.Session]
    allow_http: bool = False
    stall_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Head:
    """The start of an answer. `etag` only if strong, `span` is (start, end, total) of a part."""

    status: int
    etag: str | None
    length: int | None
    span: tuple[int, int, int] | None
    location: str | None
    wait_s: float
    plain: bool


def is_allowed(url: str, origins: Iterable[str], *, allow_http: bool) -> bool:
    """Whether a download that may use the `origins` (URLs) may go to `url`."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        return False
    secure = parts.scheme == "https" and port in (None, 443)
    if not (secure or (allow_http and parts.scheme == "http")) or parts.username is not None:
        return False
    hosts = {urlsplit(origin).hostname for origin in origins}
    cdns = [_CDN[known] for known in hosts if known in _CDN]
    return host is not None and (host in hosts or any(cdn.fullmatch(host) for cdn in cdns))


@contextlib.contextmanager
def follow(
    url: str,
    origins: Iterable[str],
    headers: Mapping[str, str],
    token: str | None,
    line: Line,
    cancel: CancelToken,
) -> Iterator[tuple[Head, Iterator[bytes]]]:
    """Ask for `url`, going along with redirects that stay among the allowed hosts.

    Gives the answer's head and its bytes as they come. The token goes to the host of `url` only.
    Raises Trouble, or Cancelled within a fraction of a second.
    """
    hop = url
    for _ in range(MAX_REDIRECTS + 1):
        if not is_allowed(hop, origins, allow_http=line.allow_http):
            host = (urlsplit(hop).hostname or "")[:255] or "nowhere"
            raise Trouble(
                ModelError(
                    "host-refused",
                    f"The download was sent on to {host}, which is not one of the safe addresses "
                    "for this model; nothing was loaded, try again later.",
                ),
                again=False,
            )
        bearer = token if _server(hop) == _server(url) else None
        exchange = _Exchange(hop, headers, bearer, line)
        try:
            head = exchange.head(cancel)
            if head.status not in _REDIRECTS or head.location is None:
                yield head, exchange.body(cancel)
                return
            hop = _joined(hop, head.location)
        finally:
            exchange.close()
    raise failed(urlsplit(url).hostname or "", "it was sent on too many times", again=False)


def _joined(hop: str, location: str) -> str:
    try:
        return urljoin(hop, location)
    except ValueError:
        return ""  # which is nowhere, and refused as such


def _server(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


class _Exchange:
    """One request; the thread reports a head, then bytes, then None, or an exception instead."""

    def __init__(self, url: str, headers: Mapping[str, str], token: str | None, line: Line) -> None:
        self._url, self._line = url, line
        self._headers = dict(headers)
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self._reports: queue.Queue[Head | bytes | Exception | None] = queue.Queue(maxsize=4)
        self._given_up = threading.Event()
        self._response: requests.Response | None = None
        threading.Thread(target=self._run, name="model-download", daemon=True).start()

    def head(self, cancel: CancelToken) -> Head:
        """The answer's head."""
        report = self._next(cancel)
        if not isinstance(report, Head):
            raise self._trouble(report if isinstance(report, Exception) else None)
        return report

    def body(self, cancel: CancelToken) -> Iterator[bytes]:
        """The answer's bytes, in whatever pieces they arrive."""
        while (report := self._next(cancel)) is not None:
            if not isinstance(report, bytes):
                raise self._trouble(report if isinstance(report, Exception) else None)
            yield report

    def close(self) -> None:
        """Walk away: the thread is told, and woken if it waits for bytes."""
        self._given_up.set()
        if self._response is not None:
            with contextlib.suppress(OSError, RuntimeError, ValueError, AttributeError):
                self._response.raw.shutdown()

    def _next(self, cancel: CancelToken) -> Head | bytes | Exception | None:
        deadline = time.monotonic() + self._line.stall_s
        while True:
            cancel.check()
            with contextlib.suppress(queue.Empty):
                return self._reports.get(timeout=_POLL_S)
            if time.monotonic() > deadline:
                host = urlsplit(self._url).hostname or ""
                seconds = round(self._line.stall_s)
                raise failed(host, f"nothing came for {seconds} seconds", again=True)

    def _run(self) -> None:
        try:
            with (
                self._line.session() as session,
                session.get(
                    self._url,
                    headers=self._headers,
                    stream=True,
                    allow_redirects=False,
                    timeout=self._line.stall_s,
                    # Set so that a password file (.netrc) cannot replace our own header.
                    auth=_no_change,
                ) as response,
            ):
                self._response = response
                self._report(_head(response))
                self._read(response)
        except Exception as error:  # the thread's boundary: everything is reported, nothing lost
            self._report(error)

    def _read(self, response: requests.Response) -> None:
        while not self._given_up.is_set():
            chunk = response.raw.read1(_CHUNK, decode_content=False)
            self._report(chunk or None)
            if not chunk:
                return

    def _report(self, report: Head | bytes | Exception | None) -> None:
        while not self._given_up.is_set():
            with contextlib.suppress(queue.Full):
                self._reports.put(report, timeout=_POLL_S)
                return

    def _trouble(self, error: Exception | None) -> Trouble:
        host = urlsplit(self._url).hostname or ""
        if isinstance(error, requests.exceptions.SSLError):
            return failed(host, "its certificate could not be checked", again=False)
        if isinstance(error, requests.exceptions.ProxyError):
            return failed(host, "the proxy did not let it through", again=True)
        if isinstance(error, ValueError):  # what requests says to a proxy setting it cannot use
            return failed(host, "the address or the proxy setting is not usable", again=False)
        return failed(host, "the connection broke", again=True)


def _no_change(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No password added."""
    return request


def _head(response: requests.Response) -> Head:
    headers = response.headers
    etag = headers.get("ETag")
    strong = etag is not None and re.fullmatch(r'"[\x21\x23-\x7e]*"', etag) is not None
    length = headers.get("Content-Length", "")
    wait = headers.get("Retry-After", "")
    return Head(
        status=int(response.status_code),
        etag=etag if strong else None,
        length=int(length) if re.fullmatch(r"[0-9]{1,18}", length) else None,
        span=_span(headers.get("Content-Range", "")),
        location=headers.get("Location"),
        wait_s=min(float(wait), 30.0) if re.fullmatch(r"[0-9]{1,9}", wait) else 0.0,
        plain=headers.get("Content-Encoding", "identity").lower() == "identity",
    )


def _span(value: str) -> tuple[int, int, int] | None:
    found = re.fullmatch(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", value.strip())
    return (int(found[1]), int(found[2]), int(found[3])) if found else None
