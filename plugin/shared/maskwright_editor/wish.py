"""What a designer wants: the settings of one run, from a dialog, a script or an earlier run."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from maskwright_client.protocol import Combine, Edges

BUILTIN_MODEL = "u2netp"


class Painted(Enum):
    """What becomes of what somebody painted on a mask that we made."""

    keep = "keep"
    discard = "discard"


class Output(Enum):
    """What becomes of what the engine found."""

    mask = "mask"
    selection = "selection"


@dataclass(frozen=True)
class Wish:
    """model:     the network's id.
    existing:     how the new mask meets one that is there.
    painted:      what becomes of strokes on a mask of ours that is replaced.
    output:       what is made of it.
    clean_colours: whether the subject's own colours go onto a layer of their own.
    focus:        whether the network may look more than once.
    edges:        what to change on the matte.
    edit_mask:    whether the mask is what painting changes afterwards, not the layer.
    locked:       whether layers with locked content get a mask, too.
    """

    model: str = BUILTIN_MODEL
    existing: Combine = Combine.replace
    painted: Painted = Painted.keep
    output: Output = Output.mask
    clean_colours: bool = False
    focus: bool = True
    edges: Edges = field(default_factory=Edges)
    edit_mask: bool = False
    locked: bool = False
