"""Bodies with raw samples: the head's length, the head, the samples; never copied on the way."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, replace
from typing import Union

from maskwright_client.codec import WireError, dumps, loads
from maskwright_client.errors import BadRequest
from maskwright_client.protocol import (
    ALPHA_TYPE,
    HEAD_LENGTH_BYTES,
    MAX_HEAD_BYTES,
    PIXELS_TYPE,
    AlphaHead,
    AlphaRequest,
    ColoursRequest,
    Combine,
    MatteInfo,
    Pixels,
    preview_size,
)
from maskwright_client.transport import Body

# Anything else that has a contiguous buffer goes as a memoryview of it.
Samples = Union[bytes, bytearray, memoryview]  # noqa: UP007  # evaluated, and Python 3.10

_SLICE = 1 << 20


@dataclass(frozen=True)
class Alpha:
    """width x height samples of alpha, rows from top to bottom, 16-bit ones little-endian."""

    width: int
    height: int
    bits: int
    samples: bytearray


def frame_body(head: object, samples: Samples, wanted_bytes: int) -> Body:
    """A head and its samples as a request's body; BadRequest unless there are as many as wanted."""
    try:
        text = dumps(head)
    except (TypeError, ValueError) as error:
        raise _senseless(error) from error
    flat = _flat(samples, wanted_bytes)
    if len(text) > MAX_HEAD_BYTES:
        raise mistake("what it announces is too long")
    return Body(PIXELS_TYPE, len(text).to_bytes(HEAD_LENGTH_BYTES, "big") + text, flat)


def expected_alpha(info: MatteInfo, request: AlphaRequest) -> AlphaHead:
    """What the answer's head must be; BadRequest for what no matte of that size can answer."""
    if request.bits not in (8, 16):
        raise mistake("alpha has 8 or 16 bits")
    if request.region is None and request.preview is None:
        return AlphaHead(info.width, info.height, request.bits)
    if request.region is None:
        longest = request.preview or 0
        if longest < 1:
            raise mistake("a preview has at least one pixel")
        return AlphaHead(*preview_size(info.width, info.height, longest), request.bits)
    region = request.region
    if request.preview is not None:
        raise mistake("a region has no preview")
    if not (
        0 <= region.left < region.left + region.width <= info.width
        and 0 <= region.top < region.top + region.height <= info.height
    ):
        raise mistake("the region is not inside the matte")
    return AlphaHead(region.width, region.height, request.bits)


def alpha_body(request: AlphaRequest, answer: AlphaHead, mask: Samples | None) -> Body:
    """The request's body, with the mask that is to be combined; BadRequest."""
    if (mask is None) != (request.combine is Combine.replace):
        raise mistake("a mask is sent along when it is to be combined, and only then")
    wanted = 0 if mask is None else answer.width * answer.height
    return frame_body(request, b"" if mask is None else mask, wanted)


def colours_body(request: ColoursRequest, pixels: Samples, mask: Samples) -> Body:
    """The request's body, with the layer and its mask; BadRequest."""
    if request.channels not in (3, 4) or request.bits not in (8, 16):
        raise mistake("a layer has 3 or 4 channels of 8 or 16 bits")
    body = frame_body(request, pixels, request.pixels_bytes)
    return replace(body, more=_flat(mask, request.mask_bytes))


def read_alpha(response: http.client.HTTPResponse, answer: AlphaHead) -> Alpha:
    """Read a reply of exactly that size; WireError, or what reading from a socket raises."""
    samples = _read(response, ALPHA_TYPE, answer, answer.alpha_bytes)
    return Alpha(answer.width, answer.height, answer.bits, samples)


def read_pixels(response: http.client.HTTPResponse, answer: Pixels) -> bytearray:
    """Read a reply of exactly that layout; WireError, or what reading from a socket raises."""
    return _read(response, PIXELS_TYPE, answer, answer.pixels_bytes)


def mistake(what: str) -> BadRequest:
    """A mistake of the plug-in's own, found before anything was sent."""
    return BadRequest(
        "bad-request", f"The plug-in made a mistake, please report it: {what}; nothing was sent."
    )


def _senseless(error: Exception) -> BadRequest:
    return mistake(f"what it wants to send makes no sense ({error})")


def _flat(samples: Samples, wanted_bytes: int) -> memoryview:
    try:
        flat = memoryview(samples).cast("B")
    except (TypeError, ValueError) as error:
        raise _senseless(error) from error
    if len(flat) != wanted_bytes:
        raise mistake(f"it has {len(flat)} bytes of samples and announces {wanted_bytes}")
    return flat


def _read(
    response: http.client.HTTPResponse, kind: str, answer: object, samples_bytes: int
) -> bytearray:
    """The samples of a frame whose head is `answer`; no memory before the lengths are right."""
    length = response.length
    if response.headers.get_content_type() != kind or length is None or response.chunked:
        raise WireError("the reply must be a frame of a given length")
    head_bytes = length - HEAD_LENGTH_BYTES - samples_bytes
    if not 0 < head_bytes <= MAX_HEAD_BYTES:
        raise WireError("the reply must have as many samples as were asked for")
    if int.from_bytes(_exactly(response, HEAD_LENGTH_BYTES), "big") != head_bytes:
        raise WireError("the reply's lengths must agree")
    if loads(type(answer), _exactly(response, head_bytes)) != answer:
        raise WireError("the reply must be of the size that was asked for")
    return _exactly(response, samples_bytes)


def _exactly(response: http.client.HTTPResponse, wanted: int) -> bytearray:
    samples = bytearray(wanted)
    free = memoryview(samples)
    while free:
        read = response.readinto(free[:_SLICE])
        if not read:
            raise http.client.IncompleteRead(b"", len(free))
        free = free[read:]
    return samples
