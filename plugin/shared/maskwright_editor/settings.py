"""The settings that a designer can change, as data: names, labels, ranges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from maskwright_client.protocol import Combine, Edges

from maskwright_editor.texts import _
from maskwright_editor.wish import Output, Painted, Wish

MOST_PIXELS = 1_000_000


@dataclass(frozen=True)
class Setting:
    """One setting: a field of the wish or of its edges; `_` is before a label's access key."""

    name: str
    label: str
    blurb: str
    default: Any
    low: float = 0
    high: float = 0
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def field(self) -> str:
        """The name of the field in the wish or its edges."""
        return self.name.replace("-", "_")


def settings() -> tuple[Setting, ...]:
    """Every setting, in the order in which it is asked for."""
    edges = Edges()
    existing = (
        (Combine.replace.value, _("Replace it")),
        (Combine.intersect.value, _("Keep what both show")),
        (Combine.add.value, _("Add the new to it")),
        (Combine.subtract.value, _("Take the new away from it")),
    )
    return (
        Setting("model", _("_Model"), _("The network that finds the subject"), Wish().model),
        Setting(
            "existing",
            _("_Existing mask"),
            _("What becomes of a mask that is there already"),
            Combine.replace.value,
            choices=existing,
        ),
        Setting(
            "painted",
            _("_Painted on it"),
            _("What becomes of strokes on a mask that Maskwright made"),
            Painted.keep.value,
            choices=(
                (Painted.keep.value, _("Keep the strokes")),
                (Painted.discard.value, _("Start anew")),
            ),
        ),
        Setting(
            "output",
            _("Put i_nto"),
            _("What is made of the subject that was found"),
            Output.mask.value,
            choices=(
                (Output.mask.value, _("A layer mask")),
                (Output.selection.value, _("A selection")),
            ),
        ),
        Setting("shift", _("Shift ed_ge"), _("Pixels; above 0 grows the subject"), 0.0, -10, 10),
        Setting("feather", _("_Feather"), _("Softens the edge; pixels"), edges.feather, 0, 20),
        Setting("contrast", _("Contras_t"), _("Firms up soft edges"), edges.contrast, 0, 1),
        Setting(
            "midpoint", _("Midpo_int"), _("The opacity that contrast keeps"), edges.midpoint, 0, 1
        ),
        Setting("solidify", _("Soli_dify"), _("Makes haze inside opaque"), edges.solidify, 0, 1),
        Setting("fill-holes", _("Fill _up holes"), _("Up to so many pixels"), 0.0, 0, MOST_PIXELS),
        Setting("drop-specks", _("Drop spec_ks"), _("Up to this many pixels"), 0.0, 0, MOST_PIXELS),
        Setting("largest", _("Largest subject onl_y"), _("Drops all the others"), False),
        Setting("invert", _("In_vert"), _("Keeps the background instead"), False),
        Setting(
            "focus",
            _("Look t_wice"),
            _("Closer, too, and with a small network mirrored: finer edges"),
            True,
        ),
        Setting(
            "clean-colours",
            _("Clean edge colours"),
            _("On a new layer; the layer itself is kept, hidden"),
            False,
        ),
        Setting("edit-mask", _("Edit m_ask next"), _("Painting then changes the mask"), False),
        Setting("locked", _("Locked layers, too"), _("Masks leave their pixels alone"), False),
    )
