"""Everything that can go wrong, as one tree.

    MaskwrightError
      InputError      what was given cannot be used: a file, an option, a name      exit code 2
      ModelError      a model or the engine failed, or is not there                 exit code 3
      Cancelled       somebody asked to stop                                        exit code 130

An error carries a stable `code` for programs and one sentence for people that says what happened
and what to do next. Nobody matches the sentence.
"""


class MaskwrightError(Exception):
    """Root of the tree; `code` is stable across releases, `str(error)` is for people."""

    exit_code = 3

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class InputError(MaskwrightError):
    """What was given cannot be used; giving something else helps."""

    exit_code = 2


class ModelError(MaskwrightError):
    """A model or the engine that runs it failed, or is missing."""

    exit_code = 3


class Cancelled(MaskwrightError):
    """The work was stopped because somebody asked for it."""

    exit_code = 130

    def __init__(self, message: str = "Cancelled.") -> None:
        super().__init__("cancelled", message)
