"""Mending plug-ins: nothing of anybody's is removed, what is in the way gets another name."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from .files import put_aside
from .state import Finding


def mended(find: Callable[[], Finding], mend: Callable[[Finding], str]) -> Iterator[str]:
    """Mend one thing after another until something is found again; yields a sentence for each.

    `mend` returns it, empty where there is nothing that it may do.
    """
    seen = set[Finding]()
    while (finding := find()) not in seen:
        seen.add(finding)
        if said := mend(finding):
            yield said


def plug_in_is_in(own: Path, kept: Iterable[Path]) -> str:
    """Say that a plug-in has been put there, and what has made way."""
    there = "".join(f" What was there is {path} now." for path in kept)
    return f"The plug-in is in {own}.{there}"


def makes_way(own: Path, of_the_system: Path, *more: Path) -> str:
    """Put a copy aside that hides the plug-in for all users, and say so; `more` belongs to it."""
    aside, *_ = put_aside((own, *more))
    return f"The plug-in is in {of_the_system}; the copy that hid it is {aside} now."
