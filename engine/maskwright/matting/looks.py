"""Further looks: what a small network says of a photo mirrored and closer, where it agrees.

A network of few pixels draws edges roughly, and each time a little differently: the mean of several
looks is better than any. But now and then a look takes something else for the subject, and a mean
would then show half of it. So a further look counts where it says, by and large, what the first
said.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maskwright.matting.geometry import Box, box_of, resize_part, resize_plane, window_around
from maskwright.matting.guided import box_mean
from maskwright.matting.photo import Photo
from maskwright.matting.prediction import Prediction
from maskwright.models.contract import Contract

Plane = NDArray[np.float32]

# A network's side up to which further looks pay: the built-in one (320) takes 0.14 s for each. With
# IS-Net (1024) two more took 1.5 to 3 s and made edges no better.
SMALL_NETWORK: Final = 512

# All of these are the best of several tried on photos with true alpha; see DEVELOPMENT.md.
FAINT: Final = 0.3  # alpha from which on something may be part of the subject
MARGIN: Final = 0.1  # of the subject's box, on each side
LARGEST_WINDOW: Final = 0.9  # of the frame: a larger one shows nothing new
# Mean difference of two looks up to which the further one counts, and from which it does not.
_ALIKE, _APART = 0.1, 0.3
_GRID, _RADIUS = 64, 2  # of that mean: so many cells a side, and twice a box of so many around
_SURE: Final = 0.02  # how close to 0 and 1 a look is sure; without limit it would decide alone


def is_small(contract: Contract) -> bool:
    """Whether a network sees so little, and runs so quickly, that it is to look again."""
    return contract.size <= SMALL_NETWORK


def planned_runs(contract: Contract) -> int:
    """How often a network is expected to run for a photo; it may turn out to be less or more."""
    return 3 if is_small(contract) else 1


def closer_window(prediction: Prediction, width: int, height: int) -> Box | None:
    """The part of a `width` x `height` photo that holds the subject, if that is worth a look."""
    subject = prediction.alpha > FAINT
    box = box_of(subject)
    if box is None:
        return None
    window = window_around(box, subject.shape, MARGIN, width, height)
    return window if window.width * window.height < LARGEST_WINDOW * width * height else None


def seen_in(whole: Prediction, window: Box, photo: Photo, closer: Prediction) -> Prediction:
    """What the look at the whole photo says of the window, on the grid of the closer look."""
    rows, columns = whole.values.shape
    x, y = columns / photo.width, rows / photo.height
    box = (window.left * x, window.top * y, window.right * x, window.bottom * y)
    height, width = closer.values.shape
    return replace(closer, values=resize_part(whole.values, box, width, height))


def agreed(first: Prediction, second: Prediction) -> Prediction:
    """What two looks at the same pixels agree on; where they do not, what the first one says.

    The mean is one of log-odds, in which a sure look outweighs one that wavers.
    """
    weight = _belief(np.abs(second.values - first.values))
    odds = _log_odds(first.values) + weight * _log_odds(second.values)
    chance = 1 / (1 + np.exp(-odds / (1 + weight)))
    values = np.clip((chance - _SURE) / (1 - 2 * _SURE), 0, 1)
    return replace(first, values=values.astype(np.float32))


def kept(first: Prediction, closer: Prediction) -> Prediction:
    """The closer look, but for whole parts of the subject that it lost: those are the first's."""
    weight = _belief(np.maximum(first.values - closer.values, 0))
    values = first.values + weight * (closer.values - first.values)
    return replace(closer, values=values.astype(np.float32))


def _belief(apart: Plane) -> Plane:
    """How much a further look counts, 0..1, by how far it is from the first one round about."""
    belief: Plane = np.clip((_APART - _around(apart)) / (_APART - _ALIKE), 0, 1)
    return belief


def _log_odds(values: Plane) -> Plane:
    chance = np.float32(_SURE) + np.float32(1 - 2 * _SURE) * values
    odds: Plane = np.log(chance / (1 - chance))
    return odds


def _around(plane: Plane) -> Plane:
    """Weighted means round about each value: the standard deviation is 3 % of the side."""
    rows, columns = plane.shape
    small = resize_plane(plane, min(columns, _GRID), min(rows, _GRID))
    return resize_plane(box_mean(box_mean(small, _RADIUS), _RADIUS), columns, rows)
