"""The closed list of models that Maskwright offers, read from `catalogue.toml` beside this file.

Adding a model is adding an entry there. The reader is strict: an unknown key, a missing one or a
value of the wrong kind is an error, so that a slip of the pen cannot become a silent default.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from maskwright.errors import InputError, ModelError
from maskwright.models.contract import Contract, OutputKind, Resize, SizeRule

DEFAULT_MODEL: Final = "u2netp"

_ID = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+){1,2}")
_Choice = TypeVar("_Choice", bound=Enum)


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model: what it is for, where its file is had, how the file is recognised and used.

    `gated`: the host of the first URL wants an access token, which mirrors are never told.
    `seconds` is one run on an ordinary processor and `memory_mb` the peak it needs, None where
    nobody measured it. `verified` says that this project has run the model and that it gave what it
    should.
    """

    id: str
    title: str
    use: str
    licence: str
    licence_url: str
    commercial: bool
    bytes: int
    sha256: str
    urls: tuple[str, ...]
    gated: bool
    builtin: bool
    recommended: bool
    verified: bool
    seconds: float | None
    memory_mb: int | None
    min_onnxruntime: str | None
    contract: Contract
    note: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every model on offer, in the order in which people should see them."""

    specs: tuple[ModelSpec, ...]

    def get(self, model_id: str) -> ModelSpec:
        """The model of that id; InputError `unknown-model`, whose text never echoes the id."""
        for spec in self.specs:
            if spec.id == model_id:
                return spec
        known = ", ".join(spec.id for spec in self.specs)
        raise InputError("unknown-model", f"There is no such model; choose one of: {known}.")

    def of_size(self, size: int) -> tuple[ModelSpec, ...]:
        """The models whose file has exactly that many bytes."""
        return tuple(spec for spec in self.specs if spec.bytes == size)


def load_catalogue(path: Path | None = None) -> Catalogue:
    """Read the catalogue that ships with the engine, or the one at `path`.

    Raises ModelError `bad-catalogue` when an entry is incomplete or wrong.
    """
    source = path or Path(__file__).with_name("catalogue.toml")
    try:
        document = tomllib.loads(source.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _bad("the file", f"cannot be read ({error})") from error
    entries = document.pop("model", None)
    if document or not isinstance(entries, list) or not entries:
        raise _bad("the file", "must hold [[model]] entries and nothing else")
    specs = tuple(_spec(_Entry(entry, f"entry {number}")) for number, entry in enumerate(entries))
    for what in ("id", "sha256"):
        values = [getattr(spec, what) for spec in specs]
        if len(set(values)) != len(values):
            raise _bad("the file", f"has two models with the same {what}")
    return Catalogue(specs)


def _bad(where: str, why: str) -> ModelError:
    return ModelError(
        "bad-catalogue", f"The model catalogue is damaged: {where} {why}; install Maskwright again."
    )


class _Entry:
    """One table being read: every key is asked for once, and what is left over is an error."""

    def __init__(self, table: object, where: str) -> None:
        if not isinstance(table, dict):
            raise _bad(where, "is not a table")
        self.where = str(table.get("id", where))
        self._table: dict[str, object] = dict(table)

    def text(self, key: str, default: str | None = None) -> str:
        value = self._table.pop(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise _bad(self.where, f"needs a text for {key}")
        return value

    def flag(self, key: str, default: bool | None = None) -> bool:
        value = self._table.pop(key, default)
        if not isinstance(value, bool):
            raise _bad(self.where, f"needs true or false for {key}")
        return value

    def count(self, key: str, default: int | None = None) -> int:
        value = self._table.pop(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
            raise _bad(self.where, f"needs a positive whole number for {key}")
        return value

    def measure(self, key: str) -> float | None:
        """A positive number, or None where the key is absent: nobody has measured it."""
        value = self._table.pop(key, None)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
            raise _bad(self.where, f"needs a positive number for {key}")
        return float(value)

    def numbers(self, key: str, default: tuple[float, ...], length: int) -> tuple[float, ...]:
        value = self._table.pop(key, list(default))
        if (
            not isinstance(value, list)
            or len(value) != length
            or not all(isinstance(x, int | float) and not isinstance(x, bool) for x in value)
        ):
            raise _bad(self.where, f"needs {length} numbers for {key}")
        return tuple(float(x) for x in value)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._table.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(x, str) and x for x in value):
            raise _bad(self.where, f"needs a list of texts for {key}")
        return tuple(value)

    def choice(self, key: str, kind: type[_Choice]) -> _Choice:
        try:
            return kind(self._table.pop(key, None))
        except ValueError as error:
            names = ", ".join(str(member.value) for member in kind)
            raise _bad(self.where, f"needs one of {names} for {key}") from error

    def table(self, key: str) -> "_Entry":
        inner = _Entry(self._table.pop(key, None), f"{self.where}: {key}")
        inner.where = f"{self.where}: {key}"
        return inner

    def end(self) -> None:
        if self._table:
            raise _bad(self.where, f"has unknown keys: {', '.join(sorted(self._table))}")


def _spec(entry: _Entry) -> ModelSpec:
    contract = entry.table("contract")
    memory = entry.measure("memory_mb")
    spec = ModelSpec(
        id=entry.text("id"),
        title=entry.text("title"),
        use=entry.text("use"),
        licence=entry.text("licence"),
        licence_url=entry.text("licence_url"),
        commercial=entry.flag("commercial"),
        bytes=entry.count("bytes"),
        sha256=entry.text("sha256"),
        urls=entry.texts("urls"),
        gated=entry.flag("gated", False),
        builtin=entry.flag("builtin", False),
        recommended=entry.flag("recommended", False),
        verified=entry.flag("verified", False),
        seconds=entry.measure("seconds"),
        memory_mb=None if memory is None else round(memory),
        min_onnxruntime=entry.text("min_onnxruntime", "") or None,
        contract=_contract(contract),
        note=entry.text("note", ""),
    )
    entry.end()
    _check(spec)
    return spec


def _contract(entry: _Entry) -> Contract:
    mean = entry.numbers("mean", (), 3)
    std = entry.numbers("std", (), 3)
    levels = entry.numbers("levels", (0.0, 1.0), 2)
    contract = Contract(
        size_rule=entry.choice("size_rule", SizeRule),
        size=entry.count("size"),
        multiple=entry.count("multiple", 1),
        resize=entry.choice("resize", Resize),
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
        input_name=entry.text("input_name", ""),
        output_name=entry.text("output_name", ""),
        output_kind=entry.choice("output_kind", OutputKind),
        levels=(levels[0], levels[1]),
        state_inputs=entry.texts("state_inputs"),
        ratio_input=entry.text("ratio_input", "") or None,
        ratio_side=entry.count("ratio_side", 512),
    )
    entry.end()
    return contract


def _check(spec: ModelSpec) -> None:
    """Raise where a value has the right type and yet cannot be true."""
    contract = spec.contract
    https = all(
        (parts := urlsplit(url)).scheme == "https" and parts.hostname and parts.username is None
        for url in spec.urls
    )
    wrong: Mapping[str, bool] = {
        "id": not _ID.fullmatch(spec.id) or spec.id.startswith("own-") or len(spec.id) > 64,
        "sha256": not _SHA256.fullmatch(spec.sha256),
        "urls": not spec.urls or not https or len(set(spec.urls)) != len(spec.urls),
        "licence_url": not spec.licence_url.startswith("https://"),
        "min_onnxruntime": not _VERSION.fullmatch(spec.min_onnxruntime or "0.0"),
        "levels": not 0.0 <= contract.levels[0] < contract.levels[1] <= 1.0,
        "std": min(contract.std) <= 0.0,
        "size": contract.size % contract.multiple != 0,
    }
    for key, failed in wrong.items():
        if failed:
            raise _bad(spec.id, f"has an impossible value for {key}")
