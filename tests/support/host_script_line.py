"""Running Python inside an editor that is open, between key presses.

The line is a socket in a folder that both see, so nobody else can reach it.
"""

import json
import os
import socket
from pathlib import Path
from typing import Any

from host_root import HostFailed

PATIENCE_S = 60.0


class ScriptLine:
    """The test's end; `host_inside/script_server.py` is the other."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def is_open(self) -> bool:
        """Whether the editor has come so far that it listens."""
        return self._path.exists()

    def do(self, script: str, *, patience_s: float = PATIENCE_S, **given: Any) -> Any:
        """Run a script inside; what it calls `answer` with, as JSON has it.

        It finds what was given in `given`, and the names that earlier scripts have left. Raises
        HostFailed with its traceback.
        """
        try:
            heard = self._say(json.dumps({"script": script, "given": given}), patience_s)
        except OSError as error:
            raise HostFailed(f"the editor does not answer: {error}") from error
        if not heard:
            raise HostFailed("the editor ended in the middle of the script")
        said = json.loads(heard)
        if "error" in said:
            raise HostFailed(said["error"])
        return said["answer"]

    def _say(self, message: str, patience_s: float) -> bytes:
        # The path of a socket may have 107 characters, and a test's folder often has more.
        folder = os.open(self._path.parent, os.O_PATH)
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(patience_s)
                line.connect(f"/proc/self/fd/{folder}/{self._path.name}")
                line.sendall(message.encode())
                line.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: line.recv(65536), b""))
        finally:
            os.close(folder)
