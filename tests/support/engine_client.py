"""The plug-ins' own client, pointed at an engine that a test has started, and photos to send."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from engine_process import EngineProcess
from maskwright.matting.photo import Samples
from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.discovery import find
from maskwright_client.protocol import MatteEvent, MatteInfo, MatteRequest, MatteState

BUILTIN = "u2netp"


def client_of(engine: EngineProcess) -> Engine:
    """A client that has found the engine as a plug-in does."""
    return Engine(find(engine.places, {}, CancelSwitch()))


@dataclass
class Listener:
    """Hears how a job goes; `then` is told of every event."""

    then: Callable[[MatteEvent], None] = lambda event: None
    events: list[MatteEvent] = field(default_factory=list)

    def __call__(self, event: MatteEvent) -> None:
        self.events.append(event)
        self.then(event)

    @property
    def states(self) -> list[MatteState]:
        """The states it has heard of, each once."""
        return list(dict.fromkeys(event.state for event in self.events))


def request_for(pixels: Samples, model: str = BUILTIN, client: str = "gimp") -> MatteRequest:
    """The request that goes with pixels."""
    height, width, channels = pixels.shape
    return MatteRequest(width, height, channels, 8 * pixels.itemsize, model, client)


def matted(
    engine: Engine,
    pixels: Samples,
    *,
    model: str = BUILTIN,
    client: str = "gimp",
    listener: Listener | None = None,
    cancel: CancelSwitch | None = None,
) -> tuple[str, MatteInfo]:
    """Have a photo matted."""
    request = request_for(pixels, model, client)
    return engine.matte(request, pixels.data, listener or Listener(), cancel or CancelSwitch())


assert sys.byteorder == "little"  # 16-bit samples go as they are
