"""A real cut-out by what was installed, and where its picture goes."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from maskwright.setup.command import last_words, run
from maskwright.setup.failure import InstallError
from maskwright.setup.manifest import Manifest

SAMPLE_RESULT = "maskwright-sample-cutout.png"


def cut(command: Sequence[str], photo: Path, result: Path) -> None:
    """Cut `photo` out with the installed `command` into `result`.

    Raises `InstallError` with the engine's own sentence and exit code.
    """
    done = run(command, "cut", str(photo), "-o", str(result), "--force")
    if done.returncode or not result.is_file():
        raise InstallError(
            f"Cutting out {photo} failed: {last_words(done)}", _exit_code(done.returncode)
        )


def _exit_code(returncode: int) -> int:
    """The engine's own exit code, if it is one that it documents."""
    return returncode if returncode in (2, 3, 130) else 3


def cut_and_settle(
    command: Sequence[str], photo: Path, wanted: Path, manifest: Manifest
) -> tuple[Path, bool]:
    """Cut `photo` out, and keep the result at `wanted` or, if that name is taken, beside it.

    Returns where it is, and whether it is new there: a result that is there already is left alone.
    """
    with tempfile.TemporaryDirectory(prefix="maskwright-") as folder:
        result = Path(folder) / "cutout.png"
        cut(command, photo, result)
        return settle(result, wanted, manifest)


def settle(result: Path, wanted: Path, manifest: Manifest) -> tuple[Path, bool]:
    """Move `result` to `wanted`, or to the next free name beside it; see `cut_and_settle`."""
    content = result.read_bytes()
    number = 1
    target = wanted
    while target.is_symlink() or target.exists():
        if target.is_file() and target.read_bytes() == content:
            return target, False
        if manifest.owns(target):
            break
        number += 1
        target = wanted.with_stem(f"{wanted.stem}-{number}")
    shutil.copyfile(result, target)
    return target, True


def result_path(photo: Path, home: Path, source: Path) -> Path:
    """Where the cut-out of a user's photo belongs: beside it, but never in what is installed."""
    folder = photo.resolve().parent
    if folder.is_relative_to(source) or not _writable(folder):
        folder = home
    return folder / f"{photo.stem}-cutout.png"


def _writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
