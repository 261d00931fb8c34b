"""A wish as the text that Krita keeps it as, and with single settings changed."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from maskwright_client.codec import WireError, dumps, loads
from maskwright_client.protocol import Edges
from maskwright_editor.settings import Setting, settings
from maskwright_editor.wish import Wish

# Krita makes a new mask the active node anyway, locked layers are asked about, the model has a list
# of its own, and the menu makes selections.
_ELSEWHERE = frozenset({"model", "output", "edit-mask", "locked"})
_EDGES = frozenset(field.name for field in fields(Edges))


def shown() -> tuple[Setting, ...]:
    """The settings that stand in the docker, in their order."""
    return tuple(one for one in settings() if one.name not in _ELSEWHERE)


def label(setting: Setting) -> str:
    """A setting's label without access keys: Krita's menus need theirs while a docker is open."""
    return setting.label.replace("_", "")


def value(wish: Wish, setting: Setting) -> Any:
    """What a wish says of a setting; a choice by its value."""
    found = getattr(wish.edges if setting.field in _EDGES else wish, setting.field)
    return found.value if setting.choices else found


def changed(wish: Wish, setting: Setting, new: Any) -> Wish:
    """The wish with another value of a setting."""
    if setting.field in _EDGES:
        return replace(wish, edges=replace(wish.edges, **{setting.field: new}))
    if setting.choices:
        new = type(getattr(wish, setting.field))(new)
    return replace(wish, **{setting.field: new})


def without_edges(wish: Wish) -> Wish:
    """The wish with neutral edge settings."""
    return replace(wish, edges=Edges())


def to_text(wish: Wish) -> str:
    """A wish as one line."""
    return dumps(wish).decode("ascii")


def from_text(text: str) -> Wish:
    """The wish in a text; the first one there is if that is damaged or none."""
    try:
        return loads(Wish, text.encode("utf-8", "replace"))
    except WireError:
        return Wish()
