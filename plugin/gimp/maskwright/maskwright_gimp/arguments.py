"""The procedures' arguments as data, and the way from GIMP's config to a wish and back."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any, Protocol

from maskwright_client.protocol import Combine, Edges

from maskwright_gimp.texts import _
from maskwright_gimp.wish import Painted, Wish

MOST_PIXELS = 1_000_000


@dataclass(frozen=True)
class Argument:
    """One argument; `of` says whether it is a field of the wish or of its edges."""

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


def arguments() -> tuple[Argument, ...]:
    """Every argument, in the order of the dialog."""
    edges = Edges()
    existing = (
        (Combine.replace.value, _("Replace it")),
        (Combine.intersect.value, _("Keep what both show")),
        (Combine.add.value, _("Add the new to it")),
        (Combine.subtract.value, _("Take the new away from it")),
    )
    return (
        Argument("model", _("_Model"), _("The network that finds the subject"), Wish().model),
        Argument(
            "existing",
            _("_Existing mask"),
            _("What becomes of a mask that is there already"),
            Combine.replace.value,
            choices=existing,
        ),
        Argument(
            "painted",
            _("_Painted on it"),
            _("What becomes of strokes on a mask that Maskwright made"),
            Painted.keep.value,
            choices=(
                (Painted.keep.value, _("Keep the strokes")),
                (Painted.discard.value, _("Start anew")),
            ),
        ),
        Argument("shift", _("Shift ed_ge"), _("Pixels; above 0 grows the subject"), 0.0, -10, 10),
        Argument("feather", _("_Feather"), _("Softens the edge; pixels"), edges.feather, 0, 20),
        Argument("contrast", _("Contras_t"), _("Firms up soft edges"), edges.contrast, 0, 1),
        Argument(
            "midpoint", _("Midpo_int"), _("The opacity that contrast keeps"), edges.midpoint, 0, 1
        ),
        Argument("solidify", _("Soli_dify"), _("Makes haze inside opaque"), edges.solidify, 0, 1),
        Argument("fill-holes", _("Fill _up holes"), _("Up to so many pixels"), 0.0, 0, MOST_PIXELS),
        Argument(
            "drop-specks", _("Drop spec_ks"), _("Up to this many pixels"), 0.0, 0, MOST_PIXELS
        ),
        Argument("largest", _("Largest subject onl_y"), _("Drops all the others"), False),
        Argument("invert", _("In_vert"), _("Keeps the background instead"), False),
        Argument("focus", _("Look t_wice"), _("A closer look at a small subject"), True),
        Argument("edit-mask", _("Edit m_ask next"), _("Painting then changes the mask"), False),
        Argument("locked", _("Eve_n if locked"), _("Masks leave their pixels alone"), False),
    )


class Config(Protocol):
    """What is used of a Gimp.ProcedureConfig."""

    def get_property(self, name: str) -> Any:
        """The argument's value."""

    def set_property(self, name: str, value: Any) -> None:
        """Change it."""


def read(config: Config) -> Wish:
    """The wish that a config holds."""
    found = {one.field: config.get_property(one.name) for one in arguments()}
    edges = Edges(**{one.name: found.pop(one.name) for one in fields(Edges)})
    found["existing"] = Combine(found["existing"])
    found["painted"] = Painted(found["painted"])
    return replace(Wish(edges=edges), **found)


def write(config: Config, wish: Wish) -> None:
    """Let a config hold a wish."""
    found = {**vars(wish), **vars(wish.edges)}
    for one in arguments():
        value = found[one.field]
        config.set_property(one.name, value.value if isinstance(value, Enum) else value)
