"""Getting models in and out of the models folder, by id and never by path."""

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from maskwright.cancel import CancelToken
from maskwright.errors import InputError, ModelError
from maskwright.models.access import Access, default_settings_path
from maskwright.models.catalogue import Catalogue, ModelSpec, load_catalogue
from maskwright.models.graph import MAX_FILE_BYTES, read_graph, refuse_unsafe
from maskwright.models.own import fitting_contract, own_spec, write_note
from maskwright.models.part import storage_error
from maskwright.models.shelf import Shelf, missing

Progress = Callable[[int, int], None]

_CHUNK: Final = 1 << 20
# What is wrong with a file that is there and can be cured by loading it again.
_CURABLE: Final = frozenset({"bad-hash", "model-linked"})


class Fetch(Protocol):
    """Loads a model into `target` and verifies it; `models.download.Downloader.fetch` is one."""

    def __call__(
        self,
        spec: ModelSpec,
        target: Path,
        *,
        token: Callable[[str], str | None],
        progress: Progress,
        cancel: CancelToken,
    ) -> None:
        """See `models.download.Downloader.fetch`."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A model whose file is there; `problem` is a sentence when it cannot be used."""

    spec: ModelSpec
    path: Path
    problem: str | None


def default_root(environ: Mapping[str, str]) -> Path:
    """The models folder: MASKWRIGHT_MODELS, else `maskwright/models` in the user's data folder."""
    if chosen := environ.get("MASKWRIGHT_MODELS"):
        return Path(chosen).expanduser().absolute()
    import platformdirs  # here, so that who names a folder does not pay for it

    return platformdirs.user_data_path("maskwright", appauthor=False) / "models"


def open_store(environ: Mapping[str, str]) -> "Store":
    """The user's store, with the shipped catalogue and the real network."""
    access = Access(default_settings_path(), environ)
    return Store(default_root(environ), load_catalogue(), fetch=_fetch, access=access)


def _fetch(
    spec: ModelSpec,
    target: Path,
    *,
    token: Callable[[str], str | None],
    progress: Progress,
    cancel: CancelToken,
) -> None:
    from maskwright.models.download import Downloader  # here: 0.15 s that only a download pays

    Downloader().fetch(spec, target, token=token, progress=progress, cancel=cancel)


class Store:
    """The models folder and everything that may be done with it; threads may share one."""

    def __init__(
        self,
        root: Path,
        catalogue: Catalogue,
        *,
        fetch: Fetch,
        access: Access,
        clock: Callable[[], float] = time.time,
        builtin: Path | None = None,
    ) -> None:
        self.root = root
        self.catalogue = catalogue
        self._fetch = fetch
        self._access = access
        self._shelf = Shelf(root, builtin or Path(__file__).with_name("builtin"), clock)

    def spec(self, model_id: str) -> ModelSpec:
        """The catalogue's entry of that id, or the own model; InputError `unknown-model`."""
        return self._shelf.own(model_id) or self.catalogue.get(model_id)

    def path(self, model_id: str, *, doubt: bool = False) -> Path:
        """The model's file, checked; `doubt` hashes it even if it was hashed lately.

        Raises ModelError `model-missing`, `bad-hash` or `model-linked`, InputError `unknown-model`.
        """
        spec = self.spec(model_id)
        path = self._shelf.checked(spec, doubt=doubt)
        if path is None:
            raise missing(spec)
        return path

    def installed(self) -> list[Installed]:
        """Every model whose file is there, in the catalogue's order, own ones last."""
        found = []
        for spec in (*self.catalogue.specs, *self._shelf.all_own()):
            try:
                path = self._shelf.checked(spec)
                problem = None
            except ModelError as error:
                path, problem = self._shelf.file(spec), str(error)
            if path is not None:
                found.append(Installed(spec, path, problem))
        return found

    def get(
        self,
        model_id: str,
        *,
        accept_licence: bool = False,
        progress: Progress = lambda done, total: None,
        cancel: CancelToken | None = None,
    ) -> Path:
        """The model's file, loaded first if it is not there; `progress` counts bytes.

        Raises what `path` and the download raise, and InputError `licence-not-accepted` for a model
        that is not free for commercial use until `accept_licence` was given once.
        """
        spec, cancel = self.spec(model_id), cancel or CancelToken()
        with contextlib.suppress(_NotThere):
            return self._there(spec)
        self.check_licence(spec, accept_licence)
        with self._shelf.lock(spec.id, cancel):
            with contextlib.suppress(_NotThere):
                return self._there(spec)  # somebody else loaded it while this one waited
            target = self._shelf.file(spec)
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise storage_error(error, self.root, spec.bytes) from error
            self._fetch(spec, target, token=self._access.token, progress=progress, cancel=cancel)
            self._shelf.seal(spec)
            return target

    def add(
        self,
        file: Path,
        like: str,
        *,
        cancel: CancelToken | None = None,
    ) -> ModelSpec:
        """Copy a user's own ONNX file into the store, to be used like the model `like`.

        A file that is in the catalogue becomes that model. Raises InputError `unreadable-file` or
        `unknown-model`, ModelError `bad-model-file`, `external-data`, `foreign-operators`,
        `wrong-contract`, `disk-full`, `store-unwritable`.
        """
        contract, cancel = self.spec(like).contract, cancel or CancelToken()
        with self._shelf.lock("add", cancel):
            incoming = self.root / "incoming.part"
            try:
                incoming.unlink(missing_ok=True)
                size, sha256 = _copy(file, incoming, cancel)
                graph = read_graph(incoming)
                refuse_unsafe(graph)
                spec = self._published(size, sha256) or own_spec(
                    file.stem, size, sha256, fitting_contract(graph, contract)
                )
                self._place(incoming, file.stem, spec)
            except OSError as error:
                raise storage_error(error, self.root, MAX_FILE_BYTES) from error
            finally:
                incoming.unlink(missing_ok=True)
        return spec

    def remove(self, model_id: str) -> None:
        """Delete the model's files.

        Raises InputError `builtin-model` or `unknown-model`, ModelError `model-missing` or
        `store-unwritable`.
        """
        spec = self.spec(model_id)
        if spec.builtin:
            raise InputError("builtin-model", f"{spec.title} is part of Maskwright and stays.")
        with self._shelf.lock(spec.id, CancelToken()):
            with contextlib.suppress(ModelError):
                self._shelf.checked(spec)  # a dropped-in file moves to its place
            try:
                there = self._shelf.drop(spec)
            except OSError as error:
                raise storage_error(error, self.root, spec.bytes) from error
        if not there:
            raise missing(spec)

    def _published(self, size: int, sha256: str) -> ModelSpec | None:
        same_size = self.catalogue.of_size(size)
        return next((spec for spec in same_size if spec.sha256 == sha256), None)

    def _there(self, spec: ModelSpec) -> Path:
        try:
            path = self._shelf.checked(spec)
        except ModelError as error:
            if spec.builtin or not spec.urls or error.code not in _CURABLE:
                raise
            raise _NotThere from error
        if path is None:
            if not spec.urls:
                raise missing(spec)
            raise _NotThere
        return path

    def check_licence(self, spec: ModelSpec, accept: bool) -> None:
        """Raise InputError `licence-not-accepted` unless it is free, or was or is accepted."""
        if spec.commercial:
            return
        if accept:
            self._access.accept(spec.id)
        elif not self._access.accepted(spec.id):
            raise InputError(
                "licence-not-accepted",
                f"{spec.title} is not free for commercial use; read its licence at "
                f"{spec.licence_url} and say that you accept it.",
            )

    def _place(self, incoming: Path, name: str, spec: ModelSpec) -> None:
        """Give an added file its place; the note comes first, as it means nothing by itself."""
        if spec.builtin:
            return
        target = self._shelf.file(spec)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not spec.urls:
            write_note(self._shelf.note(spec.id), name, spec)
        incoming.replace(target)
        self._shelf.seal(spec)


class _NotThere(Exception):
    """The file is missing, or so wrong that loading it again is the cure."""


def _copy(source: Path, target: Path, cancel: CancelToken) -> tuple[int, str]:
    """Copy a file that is small enough to be a model; its size and hash."""
    try:
        file = source.open("rb")
    except OSError as error:
        raise _unreadable(source) from error
    with file, target.open("wb") as copy:
        digest, size = hashlib.sha256(), 0
        while chunk := _read(file, source):
            cancel.check()
            size += len(chunk)
            if size > MAX_FILE_BYTES:
                raise ModelError("bad-model-file", "This file is larger than an ONNX model can be.")
            digest.update(chunk)
            copy.write(chunk)
        copy.flush()
        os.fsync(copy.fileno())
    return size, digest.hexdigest()


def _read(file: BinaryIO, source: Path) -> bytes:
    try:
        return file.read(_CHUNK)
    except OSError as error:
        raise _unreadable(source) from error


def _unreadable(source: Path) -> InputError:
    return InputError("unreadable-file", f"The file {source} cannot be read; check its name.")
