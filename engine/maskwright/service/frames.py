"""Bodies with raw samples: reading a frame as it comes in, answering with one, lines of events."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from maskwright_client.codec import dumps, loads
from maskwright_client.protocol import (
    HEAD_LENGTH_BYTES,
    LINES_TYPE,
    MAX_HEAD_BYTES,
)
from numpy.typing import NDArray
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from maskwright.errors import InputError
from maskwright.matting.photo import Samples
from maskwright.service.limits import SILENCE_S

T = TypeVar("T")

_SLICE = 1 << 20


@dataclass(frozen=True, slots=True)
class Frame(Generic[T]):
    """A head and the samples after it (uint8, in one row, writable by nobody else); `digest` is the
    SHA-256 of the samples.
    """

    head: T
    samples: NDArray[np.uint8]
    digest: bytes


async def read_body(request: Request) -> bytes:
    """The whole of a small body, whose length the gate has limited."""
    return b"".join([chunk async for chunk in _chunks(request)])


async def read_frame(
    request: Request, kind: type[T], samples_bytes: Callable[[T], int]
) -> Frame[T]:
    """Read a head of `kind` and as many bytes of samples as `samples_bytes` says that it names.

    Memory for samples is taken after the head was found good and the lengths agree. Raises
    WireError, InputError `wrong-length` or `slow-request`, ClientDisconnect, and what
    `samples_bytes` raises.
    """
    length = int(request.headers["content-length"])
    chunks = _chunks(request)
    start = await _at_least(HEAD_LENGTH_BYTES, bytearray(), chunks)
    head_bytes = int.from_bytes(start[:HEAD_LENGTH_BYTES], "big")
    body_at = HEAD_LENGTH_BYTES + head_bytes
    if head_bytes > MAX_HEAD_BYTES or body_at > length:
        raise InputError("wrong-length", "The head is longer than the body or than allowed.")
    start = await _at_least(body_at, start, chunks)
    head = loads(kind, start[HEAD_LENGTH_BYTES:body_at])
    wanted = samples_bytes(head)
    if length - body_at != wanted:
        raise InputError(
            "wrong-length",
            f"The head announces {wanted} bytes of samples and {length - body_at} were sent.",
        )
    samples = np.empty(wanted, np.uint8)
    digest, filled = hashlib.sha256(), 0
    target = samples.data
    chunk = bytes(start[body_at:])
    while True:
        target[filled : filled + len(chunk)] = chunk
        digest.update(chunk)
        filled += len(chunk)
        if filled == wanted:
            return Frame(head, samples, digest.digest())
        chunk = await anext(chunks, b"")
        if not chunk:
            raise InputError("wrong-length", "The body ended early.")


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """What is received, piece by piece; InputError `slow-request` when nothing comes for long."""
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(SILENCE_S):
                chunk = await anext(stream, b"")
        except TimeoutError as error:
            raise InputError("slow-request", "The request did not come to its end.") from error
        if not chunk:
            return
        yield chunk


async def _at_least(wanted: int, start: bytearray, chunks: AsyncIterator[bytes]) -> bytearray:
    while len(start) < wanted:
        chunk = await anext(chunks, b"")
        if not chunk:
            raise InputError("wrong-length", "The body ended early.")
        start += chunk
    return start


class FrameReply:
    """An ASGI answer: a head and samples, sent in slices so that no whole copy is made."""

    def __init__(self, kind: str, head: object, samples: Samples) -> None:
        self._kind = kind
        self._head = head
        self._samples = np.ascontiguousarray(samples)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        head = dumps(self._head)
        samples = self._samples.data.cast("B")
        start = len(head).to_bytes(HEAD_LENGTH_BYTES, "big") + head
        headers = [
            (b"content-type", self._kind.encode()),
            (b"content-length", str(len(start) + len(samples)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": start, "more_body": True})
        for at in range(0, len(samples), _SLICE):
            body = samples[at : at + _SLICE]
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class Lines:
    """An ASGI answer: records as lines of JSON while they come; ends when the client goes."""

    def __init__(self, records: Callable[[], AsyncIterator[Any]]) -> None:
        self._records = records

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them; the iterator is closed at once when nobody listens any more."""
        headers = [(b"content-type", LINES_TYPE.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        with suppress(ClientDisconnect):
            await while_wanted(receive, self._send(send))

    async def _send(self, send: Send) -> None:
        records = self._records()
        try:
            async for record in records:
                line = dumps(record) + b"\n"
                await send({"type": "http.response.body", "body": line, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await records.aclose()  # type: ignore[attr-defined]


async def while_wanted(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """What the work gives; when the client goes, it is cancelled and ClientDisconnect raised."""
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait((working, gone), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        for task in (working, gone):
            task.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
