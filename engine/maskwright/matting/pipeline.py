"""The way from a photo to its matte: predict, look again, refine, review."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import numpy as np

from maskwright.cancel import CancelToken
from maskwright.matting.focus import agrees, blend, covered, crop, focus_window
from maskwright.matting.geometry import Box
from maskwright.matting.looks import agreed, closer_window, is_small, kept, seen_in
from maskwright.matting.photo import Photo, Samples
from maskwright.matting.prediction import Prediction, predict, predict_mirrored
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

# How far the work has come when the network has run for the last time; what refining adds.
_LOOKED = 0.8
_REFINING = 0.15


@dataclass(frozen=True, slots=True)
class MatteResult:
    """A matte and what is known about it.

    matte:        H x W, the photo's dtype, 0 is background, full range is subject.
    seconds:      wall time by stage: predict, focus (all further looks), refine, review.
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

    def look(self, run: int, planned: int) -> AbstractContextManager[None]:
        """The stage of a further look, after `run` of `planned` network runs."""
        return self.stage("focus", _LOOKED * run / planned)

    def refining(self, start: float, end: float) -> Callable[[float], None] | None:
        """What hears how far, 0..1, a part of the refinement has come; both are shares of it."""
        progress = self.progress
        if progress is None:
            return None
        first, span = _LOOKED + _REFINING * start, _REFINING * (end - start)
        return lambda share: progress("refine", first + span * share)

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
    subject that is small in the frame gets a network run of its own, and a small network looks
    twice more at any. Raises Cancelled within half a second of `cancel.cancel()`, and ModelError
    when the network fails.
    """
    stages = _Stages(cancel, progress)
    if photo.alpha is not None and not photo.alpha.any():
        return _empty(photo, None, 0, stages)
    with stages.stage("predict", 0.0):
        prediction = predict(photo, network, cancel)
    if not found_something(prediction):
        return _empty(photo, prediction, 1, stages)
    seen = _Seen(prediction, prediction, Box(0, 0, photo.width, photo.height), 1)
    if focus:
        seen = _focused(photo, prediction, network, stages)
        if is_small(network.contract):
            seen = _looked_again(photo, seen, network, stages)
        if not found_something(seen.closer):
            return _empty(photo, seen.closer, seen.runs, stages)
    with stages.stage("refine", _LOOKED):
        matte = _refined(photo, seen, stages)
    with stages.stage("review", 0.96):
        verdict = review(seen.closer, seen.window)
        warnings = (*photo_warnings(photo), *matte_warnings(seen.closer))
    stages.done()
    return MatteResult(matte, warnings, verdict, stages.seconds, seen.runs)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the network said of a photo, and what closer of a window in it; how often it ran.

    Where no closer look counts, `closer` is `whole` and the window the frame.
    """

    whole: Prediction
    closer: Prediction
    window: Box
    runs: int


def _focused(photo: Photo, first: Prediction, network: Network, stages: _Stages) -> _Seen:
    """Look once more at a subject that is small in the frame."""
    width, height, small = photo.width, photo.height, is_small(network.contract)
    frame, window = Box(0, 0, width, height), focus_window(first, width, height)
    if window is None:
        return _Seen(first, first, frame, 1)
    with stages.look(1, 3 if small else 2):
        closer = predict(crop(photo, window), network, stages.cancel)
    if not agrees(closer, window, width, height):
        return _Seen(first, first, frame, 2)
    if not small:
        closer = kept(seen_in(first, window, photo, closer), closer)
    return _Seen(first, closer, window, 2)


def _looked_again(photo: Photo, seen: _Seen, network: Network, stages: _Stages) -> _Seen:
    """Look at the same mirrored, and closer if there was no closer look yet."""
    with stages.look(seen.runs, 3):
        part = crop(photo, seen.window)
        mirrored = predict_mirrored(part, seen.closer, network, stages.cancel)
    closer = agreed(seen.closer, mirrored)
    whole = closer if seen.closer is seen.whole else seen.whole
    window = closer_window(whole, photo.width, photo.height) if seen.runs == 1 else None
    if window is None:
        return _Seen(whole, closer, seen.window, seen.runs + 1)
    with stages.look(2, 3):
        closer = predict(crop(photo, window), network, stages.cancel)
    return _Seen(whole, agreed(seen_in(whole, window, photo, closer), closer), window, 3)


def _refined(photo: Photo, seen: _Seen, stages: _Stages) -> Samples:
    """The matte of the whole photo, with that of the closer look in it."""
    if seen.closer is seen.whole:
        return refine(photo, seen.whole, stages.cancel, stages.refining(0, 1))
    inside = covered(seen.window, photo.width, photo.height)
    matte = refine(photo, seen.whole, stages.cancel, stages.refining(0, 0.5), inside)
    part = crop(photo, seen.window)
    closer = refine(part, seen.closer, stages.cancel, stages.refining(0.5, 1))
    blend(matte, closer, seen.window)
    return matte


def _empty(photo: Photo, prediction: Prediction | None, runs: int, stages: _Stages) -> MatteResult:
    matte = np.zeros((photo.height, photo.width), photo.rgb.dtype)
    warnings = (nothing_found(prediction), *photo_warnings(photo))
    stages.done()
    return MatteResult(matte, warnings, NOTHING_TO_JUDGE, stages.seconds, runs)
