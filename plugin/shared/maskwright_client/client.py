"""What a plug-in can ask of an engine that was found.

Every call opens its own connection, so one engine may be used from any number of threads; there are
no threads in here. A call returns when it is done; another thread stops it through its CancelSwitch
within half a second. Calls without one take moments.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Generator, Iterator

from maskwright_client.cancel import CancelSwitch
from maskwright_client.discovery import Found
from maskwright_client.errors import Cancelled, ClientError, JobFailed
from maskwright_client.frames import (
    Alpha,
    Samples,
    alpha_body,
    colours_body,
    expected_alpha,
    frame_body,
    mistake,
    read_alpha,
    read_pixels,
)
from maskwright_client.loopback import Patience
from maskwright_client.meaning import bad_reply, broke_off, fault_error, translated
from maskwright_client.protocol import (
    CLEAN_COLOURS,
    UNSUPPORTED,
    AlphaRequest,
    ColoursRequest,
    DownloadEvent,
    DownloadRequest,
    DownloadState,
    Fault,
    Freed,
    Hello,
    MatteCreated,
    MatteEvent,
    MatteInfo,
    MatteRequest,
    MatteState,
    ModelInfo,
    ModelList,
    Pixels,
    Review,
)
from maskwright_client.transport import Body, Line, json_body

Progress = Callable[[MatteEvent], None]
DownloadProgress = Callable[[DownloadEvent], None]

# The engine says something at least twice a second.
_LISTENING = Patience(read_s=10.0)
# It says nothing while it cleans colours, which it does for one client after the other.
_CLEANING = Patience(read_s=120.0)
# For telling it what it finds out by itself a second later.
_FAREWELL = Patience(connect_s=0.1, read_s=0.25, whole_s=0.25)

_MATTE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MODEL_ID = re.compile(r"(?=.{1,64}$)[a-z0-9]+(?:[.-][a-z0-9]+)*")


class Engine:
    """An engine that was found and has proven itself; every call raises errors of the tree."""

    def __init__(self, found: Found, *, read_timeout_s: float = 30.0) -> None:
        self._found = found
        self._patience = Patience(read_s=read_timeout_s)

    @property
    def engine_version(self) -> str:
        """For people; what it can do is in the protocol's version."""
        return self._found.hello.engine_version

    @property
    def instance_id(self) -> str:
        """New with every start of the engine: another one has none of the mattes."""
        return self._found.hello.instance_id

    def can(self, feature: str) -> bool:
        """Whether it has one of the features that `protocol` names."""
        return feature in self._found.hello.features

    def hello(self) -> Hello:
        """How the engine stands now."""
        with self._line() as line:
            return line.record(Hello, "GET", "/v1/hello")

    def matte(
        self, request: MatteRequest, pixels: Samples, progress: Progress, cancel: CancelSwitch
    ) -> tuple[str, MatteInfo]:
        """Find the subject: send the photo and wait; gives the matte's id.

        `pixels` stay as they are and are not copied. `progress` is called in this thread.
        """
        body = frame_body(request, pixels, request.pixels_bytes)
        with self._line(cancel, _LISTENING) as line:
            matte_id = _created(line, body)
            info = self._wait(line, matte_id, progress, cancel)
        if (info.width, info.height) != (request.width, request.height):
            raise bad_reply()
        return matte_id, info

    def submit(self, request: MatteRequest, pixels: Samples, cancel: CancelSwitch) -> str:
        """Send a photo; gives the job's id.

        The engine drops a job whose events nobody has asked for within `protocol.ABSENCE_S`.
        """
        body = frame_body(request, pixels, request.pixels_bytes)
        with self._line(cancel, _LISTENING) as line:
            return _created(line, body)

    def events(self, matte_id: str, cancel: CancelSwitch) -> Generator[MatteEvent, None, None]:
        """How the job stands, until the final event; the engine is asked with the first `next`.

        Whoever closes the iterator before its end drops the job.
        """
        with self._line(cancel, _LISTENING) as line:
            yield from self._events(line, matte_id)

    def wait(self, matte_id: str, progress: Progress, cancel: CancelSwitch) -> MatteInfo:
        """Wait until a job is done; JobFailed, Cancelled."""
        with self._line(cancel, _LISTENING) as line:
            return self._wait(line, matte_id, progress, cancel)

    def alpha(
        self,
        matte_id: str,
        info: MatteInfo,
        request: AlphaRequest,
        mask: Samples | None = None,
        cancel: CancelSwitch | None = None,
    ) -> Alpha:
        """A finished matte with edge settings; of exactly the size that was asked for."""
        answer = expected_alpha(info, request)
        body = alpha_body(request, answer, mask)
        cancel = cancel or CancelSwitch()
        with self._line(cancel) as line, translated(cancel):
            return read_alpha(line.ask("POST", f"{_matte_path(matte_id)}/alpha", body), answer)

    def review(self, matte_id: str) -> Review:
        """How doubtful a finished matte is, and where."""
        with self._line() as line:
            return line.record(Review, "GET", f"{_matte_path(matte_id)}/review")

    def colours(
        self, request: ColoursRequest, pixels: Samples, mask: Samples, cancel: CancelSwitch
    ) -> bytearray:
        """A layer's pixels with the subject's own colours where the mask is soft, laid out as sent.

        `pixels` and `mask` stay as they are and are not copied. Raises JobFailed `unsupported`,
        with nothing sent, if the engine is too old for it: see `can`.
        """
        body = colours_body(request, pixels, mask)
        if not self.can(CLEAN_COLOURS):
            raise JobFailed(
                UNSUPPORTED,
                "The engine is too old to clean colours; run Maskwright's installer again.",
            )
        answer = Pixels(request.width, request.height, request.channels, request.bits)
        with self._line(cancel, _CLEANING) as line, translated(cancel):
            return read_pixels(line.ask("POST", "/v1/colours", body), answer)

    def forget(self, matte_id: str) -> None:
        """Let go of a matte, or cancel its job."""
        with self._line() as line:
            line.done("DELETE", _matte_path(matte_id))

    def models(self) -> tuple[ModelInfo, ...]:
        """Every model, in the order in which people should see them."""
        with self._line() as line:
            return line.record(ModelList, "GET", "/v1/models").models

    def download(
        self, model_id: str, accept_licence: bool, progress: DownloadProgress, cancel: CancelSwitch
    ) -> None:
        """Load a model's file; what has arrived before a cancel is kept for the next try."""
        path = f"{_model_path(model_id)}/download"
        with self._line(cancel) as line:
            try:
                line.done("POST", path, json_body(DownloadRequest(accept_licence)))
                for event in line.lines(DownloadEvent, "GET", path):
                    progress(event)
                    if event.state.is_final:
                        return _check_downloaded(event)
            except Cancelled:
                self._call_off(path)
                raise
        raise broke_off()

    def free_memory(self) -> tuple[str, ...]:
        """Have the engine let go of its models' memory; gives their ids."""
        with self._line() as line:
            return line.record(Freed, "POST", "/v1/free", _nothing()).models

    def shutdown(self) -> None:
        """Have the engine finish what runs, and end."""
        with self._line() as line:
            line.done("POST", "/v1/shutdown", _nothing())

    def _line(self, cancel: CancelSwitch | None = None, patience: Patience | None = None) -> Line:
        return Line(self._found.address, cancel or CancelSwitch(), patience or self._patience)

    def _wait(
        self, line: Line, matte_id: str, progress: Progress, cancel: CancelSwitch
    ) -> MatteInfo:
        for event in self._events(line, matte_id):
            progress(event)
            if event.state.is_final:
                return _result(event)
        raise broke_off()

    def _events(self, line: Line, matte_id: str) -> Iterator[MatteEvent]:
        path = _matte_path(matte_id)
        try:
            for event in line.lines(MatteEvent, "GET", f"{path}/events"):
                yield event
                if event.state.is_final:
                    return
        except Cancelled:
            self._call_off(path)
            raise
        raise broke_off()

    def _call_off(self, path: str) -> None:
        """Tell the engine that nobody wants this any more, if it listens."""
        with contextlib.suppress(ClientError), self._line(patience=_FAREWELL) as line:
            line.done("DELETE", path)


def _created(line: Line, body: Body) -> str:
    matte_id = line.record(MatteCreated, "POST", "/v1/mattes", body).id
    if not _MATTE_ID.fullmatch(matte_id):
        raise bad_reply()
    return matte_id


def _result(event: MatteEvent) -> MatteInfo:
    """What a final event brings."""
    if event.state is MatteState.done and event.info is not None:
        return event.info
    if event.state is MatteState.cancelled:
        raise _stopped(event.error)
    raise bad_reply() if event.error is None else fault_error(event.error)


def _check_downloaded(event: DownloadEvent) -> None:
    if event.state is DownloadState.cancelled:
        raise _stopped(event.error)
    if event.state is DownloadState.failed:
        raise bad_reply() if event.error is None else fault_error(event.error)


def _stopped(fault: Fault | None) -> ClientError:
    """Somebody stopped it who is not our own user, who must be told."""
    if fault is not None:
        return fault_error(fault)
    return JobFailed("stopped", "The engine stopped the work; try again.")


def _nothing() -> Body:
    return Body("application/json", b"{}")


def _matte_path(matte_id: str) -> str:
    if not _MATTE_ID.fullmatch(matte_id):
        raise mistake("this is no matte's id")
    return f"/v1/mattes/{matte_id}"


def _model_path(model_id: str) -> str:
    if not _MODEL_ID.fullmatch(model_id):
        raise mistake("this is no model's id")
    return f"/v1/models/{model_id}"
