"""The moment in which an engine comes into use: its command, and what the editors find."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from maskwright import hosts as editors
from maskwright.setup import manifest as record
from maskwright.setup import plugins
from maskwright.setup.layout import Layout
from maskwright.setup.manifest import Manifest, Placement


def placements(layout: Layout, where: Path) -> tuple[Placement, ...]:
    """Everything that runs the engine in `where`: the command, and how plug-ins start it."""
    return (
        Placement(layout.command, launcher(layout, where), executable=True),
        Placement(layout.engine_command, engine_command(layout, where)),
    )


def launcher(layout: Layout, where: Path) -> bytes:
    """The `maskwright` command: runs the engine's own."""
    if layout.windows:
        inside = layout.entry(where).relative_to(layout.data.parent)
        # All on one line: cmd reads on in a file that an update may have replaced meanwhile.
        command = f'"%LOCALAPPDATA%\\{inside}" %* & exit /b'
        lines = ("@echo off", "setlocal", "set PYTHONPATH=", command, "")
        return "\r\n".join(lines).encode("ascii")
    words = " ".join("'" + word.replace("'", "'\\''") + "'" for word in layout.run_in(where))
    text = f'#!/bin/sh\n# Placed by Maskwright\'s installer.\nexec {words} "$@"\n'
    return os.fsencode(text)


def engine_command(layout: Layout, where: Path) -> bytes:
    """What the plug-ins' client reads; see `maskwright_client.command`."""
    words = {"schema": 1, "command": layout.run_in(where)}
    return (json.dumps(words) + "\n").encode("ascii")


def switch(
    layout: Layout, known: Manifest, wanted: Sequence[Placement], settings: Sequence[Path]
) -> Manifest:
    """Place `wanted`, and have the Kritas with those settings start the plug-in.

    The record is written before and after: whenever this is interrupted, what lies there is known
    as ours.
    """
    by_path = {str(item.path): item for item in wanted}
    gone = plugins.obsolete(known, by_path)
    folders = [path.parent for path in (*map(Path, by_path), *settings)]
    made = tuple(new for folder in folders for new in record.make_folder(folder))
    switched = dict.fromkeys((*known.switched_on, *map(str, settings)))
    known = replace(known, made_folders=known.made_folders + made, switched_on=tuple(switched))
    record.write(layout.manifest, known.expecting(wanted))
    for item in wanted:
        record.place(item)
    for path in gone:
        path.unlink()
    for path in settings:
        editors.switch_on(path)
    left = {path: hashes for path, hashes in known.placed.items() if Path(path) not in gone}
    done = replace(known, placed={**left, **{p: (item.sha256,) for p, item in by_path.items()}})
    record.write(layout.manifest, done)
    return done
