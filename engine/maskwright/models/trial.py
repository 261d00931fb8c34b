"""Trying a device: does it give the processor's matte, and sooner?

The same picture goes through the same model, there and on the processor. Measured: OpenVINO in
single precision moves a matte by 0.00003 at worst; with bfloat16 it moves IS-Net's by 0.008, which
nobody can see, and u2netp's by 0.18, which is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maskwright.cancel import CancelToken
from maskwright.errors import ModelError
from maskwright.models.contract import Contract, Network, SizeRule
from maskwright.models.ledger import Outcome, Trial, TrialKey
from maskwright.models.runtime import Device

MAX_DIFFERENCE: Final = 0.03
MEAN_DIFFERENCE: Final = 0.003
# A device must win by this much: it costs memory and start-up time of its own.
WORTHWHILE: Final = 0.9
_RUNS: Final = 3


Opener = Callable[[CancelToken], Network]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A device and how to load the model onto it."""

    device: Device
    open: Opener


@dataclass(frozen=True, slots=True)
class Measured:
    """A picture, the matte of it (h x w float32, 0..1), and the seconds that one run takes."""

    scene: NDArray[np.uint8]
    matte: NDArray[np.float32]
    seconds: float


class Reference:
    """The processor's matte of the trial's picture and its time, found out once and when needed."""

    def __init__(self, cpu: Opener, timer: Callable[[], float], cancel: CancelToken) -> None:
        self._cpu = cpu
        self._timer = timer
        self._cancel = cancel
        self._measured: Measured | None = None

    def measured(self) -> Measured:
        """Run the model on the processor, the first time; raises what that raises."""
        if self._measured is None:
            network = self._cpu(self._cancel)
            scene = trial_scene(*trial_size(network.contract))
            self._measured = _measure(network, scene, self._timer, self._cancel)
        return self._measured


def try_device(
    reference: Reference, candidate: Candidate, timer: Callable[[], float], cancel: CancelToken
) -> Trial:
    """Run the same picture on both and compare; the key's model and versions are left empty.

    Raises what the processor's own run raises, and Cancelled: neither says anything of the device.
    """
    name = candidate.device.name
    key = TrialKey("", name, "", "")
    cpu = reference.measured()
    try:
        other = _measure(candidate.open(cancel), cpu.scene, timer, cancel)
    except ModelError as error:
        return Trial(key, Outcome.failed, str(error), cpu_seconds=cpu.seconds)
    difference = np.abs(other.matte - cpu.matte)
    largest, mean = float(difference.max()), float(difference.mean())
    times = f"{other.seconds:.3f} s, the processor {cpu.seconds:.3f} s"
    if largest > MAX_DIFFERENCE or mean > MEAN_DIFFERENCE:
        outcome = Outcome.disagrees
        said = f"{name} gave another matte than the processor (by {largest:.3f} at worst)."
    elif other.seconds < WORTHWHILE * cpu.seconds:
        outcome, said = Outcome.faster, f"{name} is faster: {times}."
    else:
        outcome, said = Outcome.slower, f"{name} is not clearly faster: {times}."
    return Trial(key, outcome, said, largest, mean, other.seconds, cpu.seconds)


def _measure(
    network: Network, scene: NDArray[np.uint8], timer: Callable[[], float], cancel: CancelToken
) -> Measured:
    """The matte of a first run, which also compiles and warms up, and the median of others."""
    matte = network.predict(scene, cancel)
    seconds = []
    for _ in range(_RUNS):
        began = timer()
        network.predict(scene, cancel)
        seconds.append(timer() - began)
    return Measured(scene, matte, median(seconds))


def trial_size(contract: Contract) -> tuple[int, int]:
    """Height and width of a picture that the network takes; not square where it need not be."""
    if contract.size_rule in (SizeRule.fixed, SizeRule.multiple):
        return contract.size, contract.size
    step = contract.multiple
    return contract.size, max(step, contract.size * 3 // 4 // step * step)


def trial_scene(height: int, width: int) -> NDArray[np.uint8]:
    """A warm, striped ball before a cool sky, height x width x 3, uint8 sRGB.

    Every network for subjects finds the ball (u2netp and IS-Net to a mean of 0.007), so that the
    mattes to compare are not empty; on noise all networks agree that there is nothing.
    """
    y = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None]
    x = np.linspace(0.0, 1.0, width, dtype=np.float32)[None, :]
    radius = np.hypot((x - 0.5) / 0.26, (y - 0.52) / 0.33)
    ball = np.clip((1.0 - radius) * 20.0 + 0.5, 0.0, 1.0)
    stripes = 0.3 * (x * 10.0 % 1.0)
    subject = (0.85 - 0.3 * y + 0.0 * x, 0.25 + stripes + 0.0 * y, 0.2 + 0.1 * x + 0.0 * y)
    sky = (0.35 + 0.25 * y, 0.45 + 0.3 * y, 0.6 + 0.3 * y)
    channels = [one * ball + other * (1.0 - ball) for one, other in zip(subject, sky, strict=True)]
    return np.rint(np.stack(channels, axis=-1) * 255.0).astype(np.uint8)
