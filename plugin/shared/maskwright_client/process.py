"""Running the engine apart from the editor that asked for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

# What an editor, or the package that it came in, needs for itself and no other program should get.
_EDITORS_OWN = (
    "PYTHON",
    "DYLD_",
    "QT_",
    "QML",
    "GIO_",
    "GTK_",
    "GDK_",
    "GIMP",
    "BABL_PATH",
    "GEGL_PATH",
    "GI_TYPELIB_PATH",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
)
_MOVED_BY_FLATPAK = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")


class Child(Protocol):
    """A process that was started here."""

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""


def clean_environ(environ: Mapping[str, str], *, sandboxed: bool) -> dict[str, str]:
    """What the engine gets of the editor's environment; proxies and certificates stay.

    In a Flatpak the user's folders are those that the engine outside would use, so that both have
    the same models.
    """
    kept = {
        name: value for name, value in environ.items() if not name.upper().startswith(_EDITORS_OWN)
    }
    if sandboxed:
        for name in _MOVED_BY_FLATPAK:
            kept.pop(name, None)
            if f"HOST_{name}" in environ:
                kept[name] = environ[f"HOST_{name}"]
    return kept


def spawn(command: Sequence[str], environ: Mapping[str, str], folder: Path, output: int) -> Child:
    """Start a program that outlives this one; `output` is a handle for what it prints. OSError."""
    if sys.platform == "win32":
        flags = (
            subprocess.CREATE_NO_WINDOW  # nor for what it starts, as with DETACHED_PROCESS
            | subprocess.CREATE_NEW_PROCESS_GROUP
        )
    else:
        flags = 0
    return subprocess.Popen(  # noqa: S603  # the command was checked, and no shell sees it
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env=dict(environ),
        close_fds=True,
        start_new_session=True,
        creationflags=flags,
    )
