"""Nothing that goes wrong in a slot gets to Krita, which would stop everybody with a dialog."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable
from typing import Any

from maskwright_client.errors import Cancelled, ClientError
from maskwright_editor.sentences import problem
from maskwright_editor.texts import _
from maskwright_krita.failure import HostError

Tell = Callable[[str], None]


def sentence_for(error: BaseException) -> str:
    """What to say to something that went wrong."""
    if isinstance(error, Cancelled):
        return _("Stopped.")
    if isinstance(error, ClientError):
        return problem(error)
    if isinstance(error, HostError):
        return str(error)
    traceback.print_exception(type(error), error, error.__traceback__)  # to Krita's terminal
    return _("Maskwright failed inside ({kind}); please report it. Nothing was changed.").format(
        kind=type(error).__name__
    )


def guarded(work: Callable[..., Any], tell: Tell) -> Callable[..., None]:
    """The same as a slot; what it raises is told in a sentence."""

    def slot(*given: Any) -> None:
        try:
            work(*given)
        except Exception as error:
            # The widgets may be gone already, when a window is closed.
            with contextlib.suppress(RuntimeError):
                tell(sentence_for(error))

    return slot
