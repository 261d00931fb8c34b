"""Frozen dataclasses to JSON and back.

Both ends of the wire use it, so it trusts nothing: a value of the wrong kind is a `WireError` that
names the field. Fields that this version does not know are ignored, and a field with a default may
be missing; so either end may be the newer one.

Kinds of fields: str, int, float, bool, an Enum (by value), another dataclass, `X | None`,
`tuple[X, ...]` (a list), `dict[str, X]` (an object).
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

T = TypeVar("T")

_KINDS: dict[Any, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float), bool: (bool,)}


class WireError(ValueError):
    """What came over the wire is not what was agreed; the text names the field and no value."""


def to_json(record: Any) -> dict[str, Any]:
    """A dataclass as an object for `json.dumps`; enums become their values."""
    return {field.name: _plain(getattr(record, field.name)) for field in dataclasses.fields(record)}


def dumps(record: Any) -> bytes:
    """A dataclass as ASCII JSON on one line."""
    return json.dumps(to_json(record), separators=(",", ":"), allow_nan=False).encode("ascii")


def loads(kind: type[T], text: bytes | bytearray | memoryview) -> T:
    """Read a dataclass from JSON; raises WireError."""
    try:
        found = json.loads(bytes(text))
    except (ValueError, RecursionError) as error:
        raise WireError("the text is no JSON") from error
    return from_json(kind, found)


def from_json(kind: type[T], found: object, where: str = "") -> T:
    """Make a dataclass of what `json.loads` gave; raises WireError."""
    name = where or kind.__name__
    if not isinstance(found, Mapping):
        raise WireError(f"{name} must be an object")
    hints = typing.get_type_hints(kind)
    given = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        place = f"{name}.{field.name}"
        if field.name in found:
            given[field.name] = _value(hints[field.name], found[field.name], place)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise WireError(f"{place} is missing")
    return kind(**given)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value):
        return to_json(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _value(kind: Any, found: object, where: str) -> object:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        (other,) = [one for one in inner if one is not type(None)]
        return None if found is None else _value(other, found, where)
    if origin is tuple:
        if not isinstance(found, list):
            raise WireError(f"{where} must be a list")
        return tuple(_value(inner[0], item, where) for item in found)
    if origin is dict:
        if not isinstance(found, Mapping):
            raise WireError(f"{where} must be an object")
        return {str(key): _value(inner[1], item, where) for key, item in found.items()}
    if dataclasses.is_dataclass(kind):
        return from_json(kind, found, where)  # type: ignore[arg-type]
    if issubclass(kind, Enum):
        return _member(kind, found, where)
    return _scalar(kind, found, where)


def _member(kind: type[Enum], found: object, where: str) -> Enum:
    for member in kind:
        if member.value == found:
            return member
    raise WireError(f"{where} must be one of {', '.join(str(one.value) for one in kind)}")


def _scalar(kind: Any, found: object, where: str) -> object:
    # A bool is an int to Python; to us it is not.
    if not isinstance(found, _KINDS[kind]) or (isinstance(found, bool) and kind is not bool):
        raise WireError(f"{where} must be of the kind {kind.__name__}")
    if kind is float:
        try:
            number = float(found)  # type: ignore[arg-type]
        except OverflowError as error:
            raise WireError(f"{where} is too large") from error
        if not math.isfinite(number):
            raise WireError(f"{where} must be a finite number")
        return number
    return found
