"""How much the engine takes on, and what it says to more."""

import re
from dataclasses import dataclass
from typing import Final

from maskwright_client.protocol import (
    BUSY,
    MAX_SIDE,
    STOPPING,
    UNKNOWN_MATTE,
    UNSUPPORTED,
    ColoursRequest,
    MatteRequest,
    Pixels,
)

from maskwright.errors import Cancelled, InputError, MaskwrightError, ModelError

HARD_MAX_PIXELS: Final = 400_000_000
REQUESTS_AT_ONCE: Final = 16
CONNECTIONS: Final = 64
HEADER_BYTES: Final = 16 * 1024
SILENCE_S: Final = 15.0  # without a byte of a request that has begun
JOB_S: Final = 600.0
RETRY_AFTER_S: Final = 2

_MODEL_ID = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
_CLIENT = re.compile(r"[ -~]{1,64}")
# Beside the samples themselves: the matte, its smaller versions and what refining needs for itself.
_WORK_BYTES_PER_PIXEL: Final = 6
# Beside the samples, twice, and the mask: the whole layer at an eighth of its size, as floats.
_CLEANING_BYTES_PER_PIXEL: Final = 2

_STATUS: Final = {
    "unknown-model": 404,
    UNKNOWN_MATTE: 404,
    "not-found": 404,
    "bad-method": 405,
    "not-ready": 409,
    "download-running": 409,
    "licence-not-accepted": 409,
    "slow-request": 408,
    "photo-too-large": 413,
    UNSUPPORTED: 501,
    BUSY: 503,
    STOPPING: 503,
    "not-enough-memory": 507,
    "disk-full": 507,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """waiting: jobs in the queue; waiting_each: of one client; cache_bytes: for finished mattes."""

    max_pixels: int = 120_000_000
    waiting: int = 8
    waiting_each: int = 4
    cache_bytes: int = 768 << 20


class Busy(MaskwrightError):
    """The engine has enough to do; trying again later helps."""

    def __init__(self) -> None:
        super().__init__(BUSY, "The engine has too much to do right now; try again in a moment.")


class Stopping(MaskwrightError):
    """The engine is about to end."""

    def __init__(self) -> None:
        super().__init__(STOPPING, "The engine is stopping; try again to start a new one.")


def status_of(error: MaskwrightError) -> int:
    """The HTTP status for an error of ours."""
    by_kind = 400 if isinstance(error, InputError) else 409 if isinstance(error, Cancelled) else 500
    return _STATUS.get(error.code, by_kind)


def check_request(request: MatteRequest, limits: Limits) -> None:
    """Raise InputError `bad-photo`, `photo-too-large`, `unknown-model` or `bad-request`."""
    check_layout(request, limits)
    if len(request.model) > 64 or not _MODEL_ID.fullmatch(request.model):
        raise unknown_model()
    check_client(request.client)


def check_layout(request: Pixels, limits: Limits) -> None:
    """Raise InputError `bad-photo` or `photo-too-large`."""
    if request.channels not in (3, 4) or request.bits not in (8, 16):
        raise InputError("bad-photo", "A photo has 3 or 4 channels of 8 or 16 bits.")
    if not (1 <= request.width <= MAX_SIDE and 1 <= request.height <= MAX_SIDE):
        raise InputError("bad-photo", f"A photo's sides are 1 to {MAX_SIDE} pixels.")
    pixels = request.width * request.height
    if pixels > limits.max_pixels:
        raise InputError(
            "photo-too-large",
            f"The layer has {pixels / 1e6:.0f} megapixels and the engine takes up to "
            f"{limits.max_pixels / 1e6:.0f}; scale it down, or raise max_megapixels in the "
            "engine's settings.",
        )


def check_client(name: str) -> None:
    """Raise InputError `bad-request` for what is no client's name."""
    if not _CLIENT.fullmatch(name):
        raise InputError("bad-request", "A client's name is 1 to 64 printable ASCII characters.")


def matting_bytes(request: MatteRequest) -> int:
    """How much memory a matte takes while it is made."""
    return request.pixels_bytes + _WORK_BYTES_PER_PIXEL * request.width * request.height


def cleaning_bytes(request: ColoursRequest) -> int:
    """How much memory clean colours take while they are made."""
    work = _CLEANING_BYTES_PER_PIXEL * request.width * request.height
    return 2 * request.pixels_bytes + request.mask_bytes + work


def check_memory(wanted: int, free: int | None) -> None:
    """Raise ModelError `not-enough-memory` when so many bytes are not free."""
    if free is not None and wanted > free:
        raise ModelError(
            "not-enough-memory",
            f"This layer needs about {wanted >> 20} MB of memory and {free >> 20} MB are free; "
            "close other programs or scale the layer down.",
        )


def out_of_memory() -> ModelError:
    """What is said when memory ran out all the same."""
    return ModelError(
        "not-enough-memory",
        "There is not enough memory for this layer; close other programs.",
    )


def unknown_model() -> InputError:
    """What an id gets that is in no catalogue; it never echoes the id."""
    return InputError("unknown-model", "There is no such model; see the list of models.")


def is_model_id(text: str) -> bool:
    """Whether a text can be a model's id at all."""
    return len(text) <= 64 and _MODEL_ID.fullmatch(text) is not None
