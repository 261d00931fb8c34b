"""What was found, for people and for programs, without anything private in it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

_SECRET_NAME: Final = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|KEY|CREDENTIAL", re.IGNORECASE)
_SECRETS: Final = (
    (re.compile(r"\bhf_[A-Za-z0-9]{8,}"), "<token>"),
    (re.compile(r"(?<=://)[^/\s@]+@"), "<credentials>@"),
)
_SHORTEST_SECRET: Final = 6


class Status(Enum):
    """How a check came out."""

    ok = "ok"
    done = "done"  # was mended just now
    warn = "warn"  # works, and could be better
    fail = "fail"  # does not work


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: a stable name, a sentence, how to repair it, and figures for programs."""

    name: str
    status: Status
    message: str
    fix: str | None = None
    figures: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The finding as a JSON object."""
        return {
            "name": self.name,
            "status": self.status.value,
            "message": self.message,
            "fix": self.fix,
            "figures": dict(self.figures),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, in the order in which they were made."""

    checks: tuple[Check, ...]

    @property
    def is_well(self) -> bool:
        """Whether nothing is broken; warnings do not count."""
        return all(check.status is not Status.fail for check in self.checks)

    def as_json(self) -> dict[str, object]:
        """The report as a JSON object."""
        return {
            "schema": 1,
            "is_well": self.is_well,
            "checks": [check.as_json() for check in self.checks],
        }

    def lines(self) -> list[str]:
        """The report for people, a line for each finding and one more for its fix."""
        lines = []
        for check in self.checks:
            lines.append(f"{check.status.value:<5} {check.message}")
            if check.fix:
                lines.append(f"      -> {check.fix}")
        return [*lines, "", self._verdict()]

    def _verdict(self) -> str:
        count = {status: sum(check.status is status for check in self.checks) for status in Status}
        if count[Status.fail]:
            return f"{count[Status.fail]} to repair, {count[Status.warn]} to look at."
        if count[Status.warn]:
            return f"Maskwright works; {count[Status.warn]} to look at."
        return "All is well."


class Scrubber:
    """Takes out what a report must not carry: the home folder's path, tokens, passwords."""

    def __init__(self, home: Path, environ: Mapping[str, str]) -> None:
        homes = {str(home), str(home.resolve())} - {"/"}
        self._homes = [
            re.compile(re.escape(text) + r"(?![\w-])") for text in sorted(homes, key=len)[::-1]
        ]
        self._secrets = [
            value
            for name, value in environ.items()
            if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET
        ]

    def report(self, checks: Iterable[Check]) -> Report:
        """The findings, cleaned."""
        return Report(
            tuple(
                Check(
                    check.name,
                    check.status,
                    self.text(check.message),
                    self.text(check.fix) if check.fix else None,
                    {name: self._clean(value) for name, value in check.figures.items()},
                )
                for check in checks
            )
        )

    def text(self, text: str) -> str:
        """A text, cleaned."""
        for secret in self._secrets:
            text = text.replace(secret, "<secret>")
        for pattern, instead in _SECRETS:
            text = pattern.sub(instead, text)
        for home in self._homes:
            text = home.sub("~", text)
        return text

    def _clean(self, value: object) -> object:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self._clean(item) for item in value]
        if isinstance(value, Mapping):
            return {str(key): self._clean(item) for key, item in value.items()}
        return value
