"""A job: from a photo's pixels to a stored matte. All of it lives on the event loop."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from maskwright_client.protocol import (
    Fault,
    MatteEvent,
    MatteInfo,
    MatteRequest,
    MatteState,
    Pixels,
)
from numpy.typing import NDArray

from maskwright.cancel import CancelToken
from maskwright.errors import Cancelled
from maskwright.matting.photo import Photo, Samples
from maskwright.service.mattes import MatteKey
from maskwright.service.pace import Plan, add_known

# The pipeline's stages, as a plan knows them and as clients see them.
STAGES = {
    "predict": ("predict", MatteState.predicting),
    "focus": ("predict", MatteState.predicting),
    "refine": ("finish", MatteState.refining),
    "review": ("finish", MatteState.refining),
}


@dataclass(eq=False, slots=True)
class Job:
    """One request for a matte and how it stands.

    pixels:        let go of as soon as the job has ended.
    refining_from: the fraction of the work that lay behind when refining began.
    changed:       set whenever `event` would say something new.
    """

    request: MatteRequest
    key: MatteKey
    pixels: NDArray[np.uint8] | None
    plan: Plan
    receive_s: float
    created_at: float
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    cancel: CancelToken = field(default_factory=CancelToken)
    state: MatteState = MatteState.queued
    info: MatteInfo | None = None
    error: Fault | None = None
    refining_from: float = 0.0
    listeners: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def enter(self, stage: str, fraction: float, now: float) -> None:
        """The pipeline has come to a stage, or to this fraction of all its work within the last."""
        if self.state.is_final or stage not in STAGES:
            return
        planned, state = STAGES[stage]
        if state is MatteState.refining and self.state is state:
            self.plan.reach((fraction - self.refining_from) / (1 - self.refining_from))
            return  # those who listen hear of it with the next tick
        self.refining_from = fraction
        self.plan.enter(planned, now)
        self.move(state)

    def move(self, state: MatteState) -> None:
        """Change the state and wake those who listen; the final one stays."""
        if self.state.is_final:
            return
        self.state = state
        if state.is_final:
            self.pixels = None
        self.changed.set()

    def fail(self, fault: Fault) -> None:
        """End with an error."""
        self.error = fault
        self.move(MatteState.failed)

    def finish(self, info: MatteInfo) -> None:
        """End with a matte."""
        self.info = info
        self.move(MatteState.done)

    def event(self, now: float, ahead_s: Sequence[float | None] = ()) -> MatteEvent:
        """How the job stands; `ahead_s` is what the jobs before it will take."""
        fraction = 1.0 if self.state is MatteState.done else self.plan.fraction(now)
        if self.state.is_final:
            return MatteEvent(self.state, fraction, error=self.error, info=self.info)
        left = add_known([*ahead_s, self.plan.left(now)])
        return MatteEvent(self.state, fraction, left, len(ahead_s))

    def photo(self) -> Photo:
        """The pixels as the pipeline wants them, not copied; Cancelled once the job has ended."""
        if self.pixels is None:
            raise Cancelled
        return photo_of(self.request, self.pixels)


def photo_of(layout: Pixels, samples: NDArray[np.uint8]) -> Photo:
    """Pixels as they came, in one row of bytes, as a photo; not copied."""
    numbers: Samples = samples if layout.bits == 8 else samples.view("<u2")
    image = numbers.reshape(layout.height, layout.width, layout.channels)
    if layout.channels == 3:
        return Photo(image)
    alpha = image[..., 3]
    # Most layers have an alpha channel and nothing in it; without one it all goes faster.
    opaque = alpha.min() == np.iinfo(alpha.dtype).max
    return Photo(image[..., :3], None if opaque else alpha)
