"""Processes that a test's client starts, so that the test can end them."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from maskwright_client.process import spawn


class Spawned:
    """Starts a process as the client does, and keeps it."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []

    def __call__(
        self, command: Sequence[str], environ: Mapping[str, str], folder: Path, output: int
    ) -> "subprocess.Popen[bytes]":
        process = spawn(command, environ, folder, output)
        assert isinstance(process, subprocess.Popen)
        self.processes.append(process)
        return process

    def end(self) -> None:
        """Ask those that still run to end, and wait."""
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
            process.wait(20)
