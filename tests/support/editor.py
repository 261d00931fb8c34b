"""A host of the engine as GIMP and Krita are one: it finds the engine, or starts it."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from engine_client import matted
from engine_process import command
from maskwright.matting.photo import Samples
from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.connection import Connection
from maskwright_client.places import locate
from maskwright_client.protocol import MatteInfo
from maskwright_client.starting import Starter
from spawned import Spawned

T = TypeVar("T")


class Editor:
    """Its connection, and what it starts."""

    def __init__(self, home: Path, environ: Mapping[str, str]) -> None:
        given = {"HOME": str(home), "PATH": "/usr/bin:/bin", **environ}
        self.places = locate(sys.platform, {}, home)
        self._spawned = Spawned()
        starter = Starter(self.places, given, command=command(), spawn=self._spawned)
        self.connection = Connection(self.places, given, starter=starter)

    @property
    def engine_pid(self) -> int:
        """The engine that runs, by its runtime file."""
        return int(json.loads(self.places.runtime_file.read_bytes())["pid"])

    def engine(self) -> Engine:
        """The engine, started if need be."""
        return self.connection.engine(lambda seconds: None, CancelSwitch())

    def run(self, work: Callable[[Engine], T]) -> T:
        """Do something with it."""
        return self.connection.run(work, lambda seconds: None, CancelSwitch())

    def matted(self, pixels: Samples, model: str, client: str = "gimp") -> tuple[str, MatteInfo]:
        """Have a photo matted."""
        return self.run(lambda engine: matted(engine, pixels, model=model, client=client))

    def stop(self) -> None:
        """End what it has started, and wait for that."""
        self._spawned.end()


@contextmanager
def editor_in(home: Path, environ: Mapping[str, str]) -> Iterator[Editor]:
    """An editor; an engine that it has started is stopped at the end."""
    editor = Editor(home, environ)
    try:
        yield editor
    finally:
        editor.stop()
