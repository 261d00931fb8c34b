"""Everything that can go wrong between a plug-in and the engine, as one tree.

    ClientError
      EngineAbsent       there is no engine, or this sandbox cannot start it
      EngineNotStarting  it was started and never became ready
      EngineGone         it was there and is not any more
      EngineRefused      what answers is not our engine, or does not let us in
      VersionMismatch    engine and plug-in are too far apart; the older one is named
      EngineBusy         it has too much to do right now
      BadRequest         the plug-in asked for something that cannot be; nothing was sent
      JobFailed          the engine worked and could not do it; `code` is the engine's own
      Cancelled          somebody asked to stop
      BadReply           the engine said something that was not agreed

Every error has a stable `code` for programs, and its text is one sentence for people that says what
happened and what to do next. Nobody matches the sentence.
"""


class ClientError(Exception):
    """Root of the tree."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class EngineAbsent(ClientError):
    """There is no engine to talk to, and none could be started."""


class EngineNotStarting(ClientError):
    """An engine was started and never became ready; the sentence has its log's path."""


class EngineGone(ClientError):
    """The engine went away in the middle; the next call starts a new one."""


class EngineRefused(ClientError):
    """What answers is not our engine, or it does not let us in; nothing was sent to it."""


class VersionMismatch(ClientError):
    """Engine and plug-in do not speak a common protocol version."""


class EngineBusy(ClientError):
    """The engine has too much to do; `retry_after_s` is its guess when to try again."""

    def __init__(self, code: str, message: str, retry_after_s: float) -> None:
        super().__init__(code, message)
        self.retry_after_s = retry_after_s


class BadRequest(ClientError):
    """What the plug-in wants to send does not fit together; nothing was sent."""


class JobFailed(ClientError):
    """The engine could not do what was asked; code and sentence are the engine's."""


class Cancelled(ClientError):
    """The work was stopped because somebody asked for it."""

    def __init__(self, message: str = "Cancelled.") -> None:
        super().__init__("cancelled", message)


class BadReply(ClientError):
    """The engine's reply is not what was agreed; the document stays as it is."""
