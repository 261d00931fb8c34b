"""The one error of an installation: a sentence for people and an exit code."""

from pathlib import Path


class InstallError(Exception):
    """Ends the installer; `str(error)` says what happened and what to do next."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class CommandFailed(InstallError):
    """A program that the installer started failed; `last_line` is the last thing it said."""

    def __init__(self, trouble: str, last_line: str, log: Path) -> None:
        super().__init__(f"{trouble}. It said: {last_line} (the rest is in {log})")
