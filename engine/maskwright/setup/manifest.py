"""What the installer placed, so that an uninstall removes exactly that.

A file counts as ours while its content is one that we wrote: an edited or foreign file is never
overwritten and never removed.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from maskwright.hosts import replace_file
from maskwright.setup.failure import InstallError

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Placement:
    """A file that belongs outside our own folder, and what it holds."""

    path: Path
    content: bytes
    executable: bool = False

    @property
    def sha256(self) -> str:
        """The name of the content."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Manifest:
    """The record of one installation; empty before the first."""

    fingerprint: str = ""
    packages: str = ""
    environment: str = ""
    placed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Path -> the sha256 of each content that may be there and is ours."""
    made_folders: tuple[str, ...] = ()
    system_packages: tuple[str, ...] = ()
    switched_on: tuple[str, ...] = ()
    """Settings of Krita in which our plug-in was switched on."""
    previous: str = ""
    """The version that was there before this one, and is kept: a folder like `environment`."""

    def owns(self, path: Path) -> bool:
        """Whether `path` is a file as we left it."""
        if path.is_symlink() or not path.is_file():
            return False
        return hashlib.sha256(path.read_bytes()).hexdigest() in self.placed.get(str(path), ())

    def holds(self, placement: Placement) -> bool:
        """Whether exactly this was placed and is still there."""
        path = placement.path
        runs = not placement.executable or os.access(path, os.X_OK)
        return runs and self.owns(path) and path.read_bytes() == placement.content

    def expecting(self, placements: Iterable[Placement]) -> "Manifest":
        """The record for the moment of the switch: what is there and what will be are both ours."""
        placed = dict(self.placed)
        for item in placements:
            placed[str(item.path)] = (*placed.get(str(item.path), ()), item.sha256)
        return replace(self, placed=placed)

    def with_result(self, path: Path) -> "Manifest":
        """The record with a cut-out of our own sample at `path`."""
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        return replace(self, placed={**self.placed, str(path): (sha256,)})


def read(path: Path) -> Manifest:
    """Read the record; a missing or damaged one is an empty one."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["schema"] != SCHEMA:
            return Manifest()
        return Manifest(
            fingerprint=str(raw["fingerprint"]),
            packages=str(raw["packages"]),
            environment=str(raw["environment"]),
            placed={str(k): tuple(map(str, v)) for k, v in raw["placed"].items()},
            made_folders=tuple(map(str, raw["made_folders"])),
            system_packages=tuple(map(str, raw["system_packages"])),
            switched_on=tuple(map(str, raw.get("switched_on", ()))),
            previous=str(raw.get("previous", "")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Manifest()


def write(path: Path, manifest: Manifest) -> None:
    """Replace the record in one step; one that says the same is left alone."""
    if path.exists() and read(path) == manifest:
        return
    text = json.dumps({"schema": SCHEMA, **asdict(manifest)}, indent=2, ensure_ascii=False)
    replace_file(path, (text + "\n").encode("utf-8"))


def make_folder(folder: Path) -> tuple[str, ...]:
    """Make a folder and its parents; returns those that were not there, outermost first."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InstallError(
            f"The folder {folder} cannot be made ({error.strerror}): make it writable, then run "
            "the installer again."
        ) from error
    return tuple(str(p) for p in reversed(missing))


def refuse_foreign(manifest: Manifest, paths: Iterable[Path]) -> None:
    """Raise `InstallError` if something that is not ours is where a file of ours belongs."""
    for path in paths:
        if (path.is_symlink() or path.exists()) and not manifest.owns(path):
            raise InstallError(
                f"{path} exists and is not Maskwright's, so nothing was installed: move it "
                "away or rename it, then run the installer again."
            )


def place(item: Placement) -> None:
    """Write a file in one step."""
    replace_file(item.path, item.content, 0o755 if item.executable else 0o644)


def remove_placed(manifest: Manifest) -> list[Path]:
    """Remove what was placed; returns what is left because somebody changed it since."""
    changed = []
    for path in map(Path, manifest.placed):
        if manifest.owns(path):
            path.unlink()
        elif path.exists():
            changed.append(path)
    return changed


def remove_empty(folders: Iterable[str]) -> tuple[str, ...]:
    """Remove those folders that are empty, innermost first; returns those that are not."""
    for folder in sorted(folders, key=len, reverse=True):
        with suppress(OSError):
            Path(folder).rmdir()
    return tuple(folder for folder in folders if Path(folder).is_dir())
