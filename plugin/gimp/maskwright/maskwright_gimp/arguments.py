"""The way from GIMP's config, which holds a procedure's arguments, to a wish and back."""

from __future__ import annotations

from dataclasses import fields, replace
from enum import Enum
from typing import Any, Protocol

from maskwright_client.protocol import Combine, Edges
from maskwright_editor.settings import settings
from maskwright_editor.wish import Output, Painted, Wish


class Config(Protocol):
    """What is used of a Gimp.ProcedureConfig."""

    def get_property(self, name: str) -> Any:
        """The argument's value."""

    def set_property(self, name: str, value: Any) -> None:
        """Change it."""


def read(config: Config) -> Wish:
    """The wish that a config holds."""
    found = {one.field: config.get_property(one.name) for one in settings()}
    edges = Edges(**{one.name: found.pop(one.name) for one in fields(Edges)})
    found["existing"] = Combine(found["existing"])
    found["painted"] = Painted(found["painted"])
    found["output"] = Output(found["output"])
    return replace(Wish(edges=edges), **found)


def write(config: Config, wish: Wish) -> None:
    """Let a config hold a wish."""
    found = {**vars(wish), **vars(wish.edges)}
    for one in settings():
        value = found[one.field]
        config.set_property(one.name, value.value if isinstance(value, Enum) else value)
