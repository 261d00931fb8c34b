"""What a user may set about the engine: `engine` in the settings file.

{"engine": {"max_megapixels": 200, "unload_minutes": 5, "stop_minutes": 15}}
"""

import json
import logging
import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

from maskwright.service.limits import HARD_MAX_PIXELS, Limits

log = logging.getLogger(__name__)

_RANGES: Final = {
    "max_megapixels": (0.1, HARD_MAX_PIXELS / 1e6),
    "cache_megabytes": (1.0, 1e6),
    "unload_minutes": (0.02, 1e6),
    "stop_minutes": (0.02, 1e6),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """max_megapixels: of a layer; cache_megabytes: for finished mattes, in memory.

    unload_minutes: idle time after which models leave memory; stop_minutes: after which the engine
    ends.
    """

    max_megapixels: float = 120.0
    cache_megabytes: float = 768.0
    unload_minutes: float = 5.0
    stop_minutes: float = 15.0

    @property
    def limits(self) -> Limits:
        """The same as the desk wants it."""
        return Limits(
            max_pixels=int(self.max_megapixels * 1e6),
            cache_bytes=int(self.cache_megabytes * 1e6),
        )


def read_settings(path: Path) -> Settings:
    """The user's settings; what is missing or makes no sense is left at its default, and logged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["engine"]
        wishes = {str(name): value for name, value in found.items()}
    except (FileNotFoundError, KeyError):
        return Settings()
    except (OSError, ValueError, TypeError, AttributeError):
        log.warning("the settings file cannot be read; the defaults are used")
        return Settings()
    settings = Settings()
    for name in (field.name for field in fields(Settings)):
        if name not in wishes:
            continue
        value, (low, high) = wishes[name], _RANGES[name]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or not low <= value <= high:
            log.warning("the setting %s must be %g to %g; the default is used", name, low, high)
            continue
        settings = replace(settings, **{name: float(value)})
    return settings
