"""What may be asked, and with what body: one table for the gate and for the application."""

from dataclasses import dataclass
from typing import Final

from maskwright_client.protocol import (
    HEAD_LENGTH_BYTES,
    JSON_TYPE,
    MAX_HEAD_BYTES,
    PIXELS_TYPE,
)

from maskwright.service.limits import HARD_MAX_PIXELS

_SMALL_JSON: Final = 4096
_HEAD: Final = HEAD_LENGTH_BYTES + MAX_HEAD_BYTES


@dataclass(frozen=True, slots=True)
class Rule:
    """name: of the endpoint that answers; body: the one content type it takes; most: its bytes."""

    method: str
    path: str
    name: str
    body: str | None = None
    most: int = 0


PING: Final = "/v1/ping"

RULES: Final = (
    Rule("GET", PING, "ping"),
    Rule("GET", "/v1/hello", "hello"),
    Rule("POST", "/v1/mattes", "create", PIXELS_TYPE, _HEAD + 8 * HARD_MAX_PIXELS),
    Rule("DELETE", "/v1/mattes/{id}", "forget"),
    Rule("GET", "/v1/mattes/{id}/events", "events"),
    Rule("POST", "/v1/mattes/{id}/alpha", "alpha", PIXELS_TYPE, _HEAD + HARD_MAX_PIXELS),
    Rule("GET", "/v1/mattes/{id}/review", "review"),
    Rule("POST", "/v1/mattes/{id}/hints", "hints", PIXELS_TYPE, _HEAD + HARD_MAX_PIXELS),
    Rule("POST", "/v1/colours", "colours", PIXELS_TYPE, _HEAD + 9 * HARD_MAX_PIXELS),
    Rule("GET", "/v1/models", "models"),
    Rule("POST", "/v1/models/{id}/download", "download", JSON_TYPE, _SMALL_JSON),
    Rule("GET", "/v1/models/{id}/download", "download_events"),
    Rule("DELETE", "/v1/models/{id}/download", "download_cancel"),
    Rule("POST", "/v1/free", "free", JSON_TYPE, _SMALL_JSON),
    Rule("POST", "/v1/shutdown", "shutdown", JSON_TYPE, _SMALL_JSON),
)
