"""Work of the main thread in parts, between which Krita may draw and listen."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")
Steps = Generator[None, None, T]
"""Each `next` is one part; what comes of it all is returned."""
