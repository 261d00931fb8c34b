"""The network process: runs networks and nothing else, so that a crash in there is no more than a
failed job. Only what a network sees and answers comes in here; it ends when the engine does.
"""

import os
import queue
import signal
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from maskwright.cancel import CancelToken
from maskwright.errors import Cancelled, InputError, MaskwrightError
from maskwright.service.channel import Message, receive, send


def main(pipe: Connection) -> None:
    """Answer until the pipe closes."""
    # Here, as the engine imports this module for its name only.
    from maskwright.models.sessions import open_sessions
    from maskwright.models.store import open_store

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is for the engine
    inbox = _Inbox(pipe)
    threading.Thread(target=inbox.listen, name="listen", daemon=True).start()
    sessions = None
    while True:
        message, cancel = inbox.next()
        serial, model = message.fields["serial"], message.fields["model"]
        try:
            if sessions is None:
                sessions = open_sessions(open_store(os.environ), os.environ)
            session = sessions.open(model, cancel)
            block = None
            if message.fields["do"] == "predict":
                pixels = np.frombuffer(message.block, np.uint8).reshape(message.fields["shape"])
                block = session.predict(pixels, cancel)
            sessions.unload_idle(time.monotonic())
            said = {
                "provider": session.provider,
                "device": session.device,
                "notices": [[notice.code, notice.message] for notice in session.notices],
                "loaded": list(sessions.loaded),
            }
            inbox.done()
            send(pipe, {"serial": serial, **said}, block)
        except Exception as error:  # the boundary of one request: whatever it is, the engine hears
            inbox.done()
            send(pipe, {"serial": serial, "error": _described(error)})


def _described(error: Exception) -> dict[str, str]:
    if isinstance(error, MaskwrightError):
        kinds = {Cancelled: "cancelled", InputError: "input"}
        return {"kind": kinds.get(type(error), "model"), "code": error.code, "message": str(error)}
    if isinstance(error, MemoryError):
        sentence = "There is not enough memory for this model; close other programs."
        return {"kind": "model", "code": "not-enough-memory", "message": sentence}
    sentence = f"The network failed ({type(error).__name__}); try again or choose another model."
    return {"kind": "model", "code": "network-failed", "message": sentence}


class _Inbox:
    """Work in order; a cancel overtakes it."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._work: queue.SimpleQueue[tuple[Message, CancelToken]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._tokens: dict[int, CancelToken] = {}
        self._current = -1

    def listen(self) -> None:
        try:
            while True:
                message = receive(self._pipe)
                self._take(message)
        except (EOFError, OSError):
            # The engine is gone. Nothing here is worth finishing, and a run cannot be waited for.
            os._exit(0)

    def _take(self, message: Message) -> None:
        fields: dict[str, Any] = message.fields
        with self._lock:
            if fields["do"] == "cancel":
                token = self._tokens.get(fields["serial"])
            else:
                token = self._tokens[fields["serial"]] = CancelToken()
                self._work.put((message, token))
                return
        if token is not None:
            token.cancel()

    def next(self) -> tuple[Message, CancelToken]:
        message, token = self._work.get()
        self._current = message.fields["serial"]
        return message, token

    def done(self) -> None:
        with self._lock:
            self._tokens.pop(self._current, None)
