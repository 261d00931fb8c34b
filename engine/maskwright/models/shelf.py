"""Where model files lie, and whether they are the right ones.

    models/
      birefnet-lite/birefnet-lite.onnx   one folder and one file per model
                    seal.json            when the file was last hashed
      own-0123456789ab/...               a user's own file; note.json says how it is used
      locks/                             one per model: a download or removal at a time
      known.json                         hashes of other files that were looked at here

A file that is dropped into the folder, or into its model's own, under any name, is recognised by
its hash and moved to its place.
"""

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from maskwright.cancel import CancelToken
from maskwright.errors import ModelError
from maskwright.models.catalogue import ModelSpec
from maskwright.models.own import own_id, read_note
from maskwright.models.part import storage_error
from maskwright.models.seal import (
    Seal,
    is_plain,
    read_seal,
    read_seals,
    seal_of,
    sha256_of,
    write_seal,
    write_seals,
)

_OWN_ID: Final = re.compile(r"own-[0-9a-f]{12}")
_LOCK_POLL_S: Final = 0.05


class Shelf:
    """The models folder. Ids that reach it come from the catalogue or match the own pattern."""

    def __init__(self, root: Path, builtin: Path, clock: Callable[[], float]) -> None:
        self.root = root
        self._builtin = builtin
        self._clock = clock
        self._seals: dict[Path, Seal] = {}

    def file(self, spec: ModelSpec) -> Path:
        """Where the model's file belongs."""
        name = f"{spec.id}.onnx"
        return self._builtin / name if spec.builtin else self.root / spec.id / name

    def note(self, model_id: str) -> Path:
        """Where an own model's note belongs."""
        return self.root / model_id / "note.json"

    def own(self, model_id: str) -> ModelSpec | None:
        """The own model of that id, if there is one."""
        if not _OWN_ID.fullmatch(model_id):
            return None
        spec = read_note(self.note(model_id))
        return spec if spec is not None and own_id(spec.sha256) == model_id else None

    def all_own(self) -> list[ModelSpec]:
        """Every own model, by id."""
        names = sorted(path.name for path in _entries(self.root))
        return [spec for name in names if (spec := self.own(name)) is not None]

    def checked(self, spec: ModelSpec, *, doubt: bool = False) -> Path | None:
        """The model's file if it is there and right, None if it is not there.

        `doubt` hashes it in any case. ModelError `model-linked`, `model-unreadable` or `bad-hash`
        when it cannot be used.
        """
        path = self.file(spec)
        if not path.is_file() and not path.is_symlink():
            return self._dropped_in(spec)
        # Package managers link the built-in file to share it, so it is hashed once a process.
        if not spec.builtin and not is_plain(path):
            raise ModelError(
                "model-linked",
                f"The file of {spec.title} at {path} is a link; put a copy of the file there.",
            )
        try:
            right = self._is(path, spec, doubt=doubt)
        except OSError as error:
            raise ModelError(
                "model-unreadable",
                f"The file of {spec.title} at {path} cannot be read; check its permissions.",
            ) from error
        if not right:
            fix = "install Maskwright again" if spec.builtin else _how_to_get(spec)
            raise ModelError("bad-hash", f"The file of {spec.title} is damaged; {fix}.")
        return path

    def seal(self, spec: ModelSpec) -> None:
        """Remember that the file in its place has just been verified."""
        self._remember(self.file(spec), spec.sha256)

    def drop(self, spec: ModelSpec) -> bool:
        """Delete the model's files, and its folder unless other files are in it."""
        path = self.file(spec)
        there = path.is_symlink() or path.exists()
        names = (path.name, "seal.json", "note.json", f"{path.name}.part", f"{path.name}.part.json")
        for name in names:
            (path.parent / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.parent.rmdir()
        self._seals.pop(path, None)
        return there

    @contextlib.contextmanager
    def lock(self, name: str, cancel: CancelToken) -> Iterator[None]:
        """Keep other processes and threads from changing that model; Cancelled while waiting."""
        from filelock import FileLock, Timeout  # here: 0.05 s that only a change pays

        folder = self.root / "locks"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / f"{name}.lock")
            while True:
                cancel.check()
                with contextlib.suppress(Timeout):
                    lock.acquire(blocking=False)
                    break
                time.sleep(_LOCK_POLL_S)
        except OSError as error:
            raise storage_error(error, self.root, 1_000_000) from error
        try:
            yield
        finally:
            lock.release()

    def _is(self, path: Path, spec: ModelSpec, *, doubt: bool = False) -> bool:
        info = path.stat()
        if info.st_size != spec.bytes:
            return False
        seal = self._seals.get(path)
        if seal is None and not spec.builtin:
            seal = read_seal(path.with_name("seal.json"))
        known = seal is not None and seal.sha256 == spec.sha256
        if known and seal is not None and seal.covers(info, self._clock()) and not doubt:
            return True
        if sha256_of(path) != spec.sha256:
            return False
        self._remember(path, spec.sha256)
        return True

    def _remember(self, path: Path, sha256: str) -> None:
        self._seals[path] = seal = seal_of(path, sha256, self._clock())
        if path.is_relative_to(self.root):
            write_seal(path.with_name("seal.json"), seal)

    def _dropped_in(self, spec: ModelSpec) -> Path | None:
        """Find the model's file under another name, and move it to its place if possible."""
        for path in [*_entries(self.root), *_entries(self.root / spec.id)]:
            if path.suffix == ".part" or not self._holds(path, spec):
                continue
            target = self.file(spec)
            with contextlib.suppress(OSError):
                target.parent.mkdir(exist_ok=True)
                path.replace(target)
                self._remember(target, spec.sha256)
            # A folder that cannot be written is used as it is.
            return target if target.is_file() else path
        return None

    def _holds(self, path: Path, spec: ModelSpec) -> bool:
        try:
            same_size = is_plain(path) and path.stat().st_size == spec.bytes
            return same_size and self._known_hash(path) == spec.sha256
        except OSError:  # gone in the meantime, or not for us to read
            return False

    def _known_hash(self, path: Path) -> str:
        """The file's hash, from `known.json` where that still fits."""
        ledger = self.root / "known.json"
        name = str(path.relative_to(self.root))
        seals = read_seals(ledger)
        seal = seals.get(name) or self._seals.get(path)
        if seal is None or not seal.covers(path.stat(), self._clock()):
            seal = self._seals[path] = seal_of(path, sha256_of(path), self._clock())
            there = {key: value for key, value in seals.items() if (self.root / key).exists()}
            write_seals(ledger, there | {name: seal})
        return seal.sha256


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _how_to_get(spec: ModelSpec) -> str:
    if spec.urls:
        return f"run: maskwright models get {spec.id}"
    return "add it again with: maskwright models add FILE --like ID"


def missing(spec: ModelSpec) -> ModelError:
    """ModelError `model-missing`, which says how to get it."""
    return ModelError("model-missing", f"{spec.title} is not installed; {_how_to_get(spec)}")
