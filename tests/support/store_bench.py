"""A store in a scratch folder that counts what it loads and hashes."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from maskwright.cancel import CancelToken
from maskwright.errors import MaskwrightError
from maskwright.models import seal as seal_module
from maskwright.models import shelf as shelf_module
from maskwright.models.access import Access
from maskwright.models.catalogue import Catalogue, ModelSpec, load_catalogue
from maskwright.models.store import Store

U2NETP = load_catalogue().get("u2netp")
BUILTIN = Path(seal_module.__file__).with_name("builtin")
HOUR = 3600.0


def spec_of(model_id: str, content: bytes, **changes: object) -> ModelSpec:
    base = replace(
        U2NETP,
        id=model_id,
        title=model_id.title(),
        builtin=False,
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


CONTENTS = {"alpha": b"a" * 1000, "beta": b"b" * 1000, "private": b"p" * 500}
CATALOGUE = Catalogue(
    (
        U2NETP,
        spec_of("alpha", CONTENTS["alpha"]),
        spec_of("beta", CONTENTS["beta"]),
        spec_of("private", CONTENTS["private"], commercial=False),
    )
)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A store in a scratch folder whose network hands out CONTENTS, and which counts hashings."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = tmp_path / "models"
        self.settings = tmp_path / "settings.json"
        self.clock = Clock()
        self.fetched: list[str] = []
        self.hashed: list[str] = []
        self._real_hash = seal_module.sha256_of
        monkeypatch.setattr(shelf_module, "sha256_of", self._hash)
        self.store = self.again()

    def again(self) -> Store:
        """The store as a new process would see it."""
        self.store = Store(
            self.root,
            CATALOGUE,
            fetch=self._fetch,
            access=Access(self.settings, {}),
            clock=self.clock,
        )
        return self.store

    def _fetch(
        self,
        spec: ModelSpec,
        target: Path,
        *,
        token: Callable[[str], str | None],
        progress: Callable[[int, int], None],
        cancel: CancelToken,
    ) -> None:
        self.fetched.append(spec.id)
        part = target.with_suffix(".part")
        part.write_bytes(CONTENTS[spec.id])
        part.replace(target)
        progress(spec.bytes, spec.bytes)

    def _hash(self, path: Path, cancel: CancelToken | None = None) -> str:
        self.hashed.append(path.name)
        return self._real_hash(path, cancel)

    def code(self, model_id: str, *, doubt: bool = False) -> str:
        try:
            self.store.path(model_id, doubt=doubt)
        except MaskwrightError as error:
            return error.code
        return "fine"

    def put(self, name: str, content: bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path
