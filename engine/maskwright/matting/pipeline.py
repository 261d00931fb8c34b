"""The way from a photo to its matte: predict, focus, refine, review."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from maskwright.cancel import CancelToken
from maskwright.matting.focus import agrees, blend, crop, focus_window
from maskwright.matting.geometry import Box
from maskwright.matting.photo import Photo, Samples
from maskwright.matting.prediction import Prediction, predict
from maskwright.matting.refine import refine
from maskwright.matting.review import NOTHING_TO_JUDGE, Review, review
from maskwright.matting.warnings import (
    MatteWarning,
    found_something,
    matte_warnings,
    nothing_found,
    photo_warnings,
)
from maskwright.models.contract import Network

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class MatteResult:
    """A matte and what is known about it.

    matte:        H x W, the photo's dtype, 0 is background, full range is subject.
    seconds:      wall time by stage: predict, focus, refine, review.
    network_runs: how often the network ran.
    """

    matte: Samples
    warnings: tuple[MatteWarning, ...]
    review: Review
    seconds: dict[str, float]
    network_runs: int


@dataclass(slots=True)
class _Stages:
    """Times the stages, tells progress, and stops between them."""

    cancel: CancelToken
    progress: Progress | None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, fraction: float) -> Iterator[None]:
        self.cancel.check()
        if self.progress is not None:
            self.progress(name, fraction)
        started = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0) + time.perf_counter() - started

    def done(self) -> None:
        self.cancel.check()
        if self.progress is not None:
            self.progress("done", 1.0)


def matte_photo(
    photo: Photo,
    network: Network,
    *,
    cancel: CancelToken,
    progress: Progress | None = None,
    focus: bool = True,
) -> MatteResult:
    """Find the subject of a photo.

    `progress` hears the stage that begins and the fraction that lies behind, 0..1. With `focus`, a
    subject that is small in the frame gets a second network run of its own. Raises Cancelled within
    half a second of `cancel.cancel()`, and ModelError when the network fails.
    """
    stages = _Stages(cancel, progress)
    if photo.alpha is not None and not photo.alpha.any():
        return _empty(photo, None, stages)
    with stages.stage("predict", 0.0):
        prediction = predict(photo, network, cancel)
    if not found_something(prediction):
        return _empty(photo, prediction, stages)

    window, closer, runs = Box(0, 0, photo.width, photo.height), prediction, 1
    candidate = focus_window(prediction, photo.width, photo.height) if focus else None
    if candidate is not None:
        with stages.stage("focus", 0.4):
            second = predict(crop(photo, candidate), network, cancel)
        runs = 2
        if agrees(second, candidate, photo.width, photo.height):
            window, closer = candidate, second

    with stages.stage("refine", 0.8):
        matte = refine(photo, prediction, cancel)
        if closer is not prediction:
            blend(matte, refine(crop(photo, window), closer, cancel), window)
    with stages.stage("review", 0.95):
        verdict = review(closer, window)
        warnings = (*photo_warnings(photo), *matte_warnings(closer))
    stages.done()
    return MatteResult(matte, warnings, verdict, stages.seconds, runs)


def _empty(photo: Photo, prediction: Prediction | None, stages: _Stages) -> MatteResult:
    matte = np.zeros((photo.height, photo.width), photo.rgb.dtype)
    warnings = (nothing_found(prediction), *photo_warnings(photo))
    runs = 0 if prediction is None else 1
    stages.done()
    return MatteResult(matte, warnings, NOTHING_TO_JUDGE, stages.seconds, runs)
