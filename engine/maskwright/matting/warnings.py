"""What a person should know about a photo or its matte: a code, a sentence and a number."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskwright.matting.guided import box_mean
from maskwright.matting.photo import Photo
from maskwright.matting.prediction import Prediction

POOR_SIDE = 600
SMALL_SIDE = 1000
LOW_CONTRAST = 20.0  # 8-bit levels; one real photo in a hundred lies below
LARGE_SEE_THROUGH = 0.15  # of the subject; one real photo in thirteen lies above
FOUND = 0.5  # a picture in which no value reaches this has no subject
ALL_SUBJECT = 0.98  # of the frame

_COARSE = 320  # network pixels along the shorter side in which the edge is judged
_RING = 5  # network pixels on either side of the edge that count as its surroundings
_PLATEAU = 3  # see-through lies at least this far from clear subject and clear background


@dataclass(frozen=True, slots=True)
class MatteWarning:
    """`code` for programs, `message` for people, `value` is what was measured."""

    code: str
    message: str
    value: float


def found_something(prediction: Prediction) -> bool:
    """Whether the network saw a subject at all."""
    return bool((prediction.alpha >= FOUND).any())


def nothing_found(prediction: Prediction | None) -> MatteWarning:
    """Say that the matte is empty; no prediction means a photo that is fully transparent."""
    peak = 0.0 if prediction is None else float(prediction.alpha.max())
    return MatteWarning(
        "nothing-found",
        "No subject was found, so the mask hides everything; try another model or crop the photo "
        "closer to the subject.",
        peak,
    )


def photo_warnings(photo: Photo) -> list[MatteWarning]:
    """What the photo's size promises."""
    side = min(photo.width, photo.height)
    if side >= SMALL_SIDE:
        return []
    if side >= POOR_SIDE:
        message = f"The short side is {side} pixels; from {SMALL_SIDE} on, edges get finer."
        return [MatteWarning("small-photo", message, side)]
    message = (
        f"The short side is only {side} pixels, so edges will be rough; "
        "use a larger version of the photo if there is one."
    )
    return [MatteWarning("tiny-photo", message, side)]


def matte_warnings(prediction: Prediction) -> list[MatteWarning]:
    """What the prediction says about the matte made from it."""
    warnings = []
    covered = float((prediction.alpha > 0.5).mean())
    if covered >= ALL_SUBJECT:
        message = (
            f"{covered:.0%} of the frame was taken for the subject, so almost nothing is hidden; "
            "check that the photo shows some background."
        )
        warnings.append(MatteWarning("all-subject", message, covered))
    contrast = edge_contrast(prediction)
    if contrast is not None and contrast < LOW_CONTRAST:
        message = (
            f"Subject and background have almost the same colour along the edge ({contrast:.0f} of "
            "255 levels apart), so check the outline."
        )
        warnings.append(MatteWarning("low-contrast", message, contrast))
    veil = see_through(prediction)
    if veil > LARGE_SEE_THROUGH:
        message = (
            f"{veil:.0%} of the subject is see-through; if it is not glass or a veil, "
            "raise solidify or try another model."
        )
        warnings.append(MatteWarning("see-through", message, veil))
    return warnings


def edge_contrast(prediction: Prediction) -> float | None:
    """Median colour distance across the edge, RMS over channels, 0..255; None without an edge."""
    alpha, pixels = _coarse(prediction)
    colours = pixels.transpose(2, 0, 1).astype(np.float32)
    means, shares = [], []
    for side in (alpha > 0.75, alpha < 0.25):
        weight = side.astype(np.float32)
        share = box_mean(weight, _RING)
        shares.append(share)
        means.append(box_mean(colours * weight, _RING) / np.maximum(share, 1e-6))
    edge = (alpha > 0.25) & (alpha < 0.75) & (np.minimum(*shares) > 0.1)
    if not edge.any():
        return None
    distance = np.sqrt(np.square(means[0] - means[1]).mean(axis=0))
    return float(np.median(distance[edge]))


def _coarse(prediction: Prediction) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Alpha and pixels at a size like that of the small networks, so that a ring is as wide."""
    alpha, pixels = prediction.alpha, prediction.pixels
    factor = max(1, min(alpha.shape) // _COARSE)
    if factor == 1:
        return alpha, pixels
    small = np.asarray(Image.fromarray(alpha).reduce(factor))
    return small, np.asarray(Image.fromarray(pixels).reduce(factor))


def see_through(prediction: Prediction) -> float:
    """The share of the subject, 0..1, that is partly transparent and not just a soft edge."""
    alpha = prediction.alpha
    half = ((alpha > 0.1) & (alpha < 0.9)).astype(np.float32)
    plateau = box_mean(half, _PLATEAU) > 0.999
    subject = int((alpha > 0.1).sum())
    return float(plateau.sum() / subject) if subject else 0.0
