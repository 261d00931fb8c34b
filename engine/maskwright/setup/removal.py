"""Uninstalling: exactly what was placed, and nothing of the user's."""

import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from maskwright.setup import command, lock, plugins
from maskwright.setup import manifest as record
from maskwright.setup.layout import Layout
from maskwright.setup.manifest import Manifest


def uninstall(layout: Layout, environ: Mapping[str, str], *, purge: bool) -> None:
    """Remove what was placed; models and settings only on `purge`.

    On a terminal somebody is asked about those, before anything is removed.
    """
    own = [path for path in layout.users_own if path.exists()]
    if not layout.data.is_dir() and not (purge and own):
        print("Maskwright is not installed for this user.")
        return
    purge = purge or _wants_all_gone(own)
    known = record.read(layout.manifest)
    hosts = plugins.find(layout.home, environ)
    known = plugins.adopted(known, hosts, layout.plugins(layout.data / known.environment))
    if layout.data.is_dir():
        with lock.held(layout.lock):
            if known.environment:
                stop_engine(layout, layout.data / known.environment)
            remove_installation(layout, known)
            layout.log.unlink(missing_ok=True)
    for path in own:
        remove_users_own(path, purge=purge)
    leave(layout, known)
    for package in known.system_packages:
        print(f"The system package {package} stays; to remove it: apt-get remove {package}")
    print("Maskwright is uninstalled.")


def uninstall_plugins(layout: Layout, environ: Mapping[str, str], sources: Path) -> None:
    """Remove the editors' plug-ins alone; the engine and its command stay."""
    known = record.read(layout.manifest)
    known = plugins.adopted(known, plugins.find(layout.home, environ), sources)
    if not plugins.are_placed(known):
        print("No plug-in was placed for this user.")
        return
    with lock.held(layout.lock):
        known = plugins.remove(known)
        record.write(layout.manifest, known)
    if not known.placed and not known.environment:
        leave(layout, known)
    print("The plug-ins are removed; GIMP and Krita take note at their next start.")


def stop_engine(layout: Layout, where: Path) -> None:
    """Ask a running engine to end, by the command of the engine in `where`, and wait for it.

    One that does not end keeps the version that it has until it is idle.
    """
    if layout.run.is_dir():
        command.run(layout.run_in(where), "stop")


def remove_installation(layout: Layout, known: Manifest) -> None:
    """Remove the command, the sample's cut-out, the engines and what they left."""
    for path in record.remove_placed(plugins.remove(known)):
        print(f"Kept, because it was changed since: {path}")
    for folder in layout.engine_leavings:
        shutil.rmtree(folder, ignore_errors=True)
    for folder in layout.engines():  # last, as this may be running from one of them
        shutil.rmtree(folder, ignore_errors=layout.windows)  # there a running one cannot go


def leave(layout: Layout, known: Manifest) -> None:
    """Remove the record and the folders that were made, as far as nothing else is in them."""
    layout.lock.unlink(missing_ok=True)
    layout.manifest.unlink(missing_ok=True)
    ours = (*known.made_folders, str(layout.bundles), str(layout.data))
    left = record.remove_empty(dict.fromkeys(ours))
    if str(layout.data) in left:  # models or a log: remember the folders around them
        record.write(layout.manifest, Manifest(made_folders=left))


def remove_users_own(path: Path, *, purge: bool) -> None:
    """Remove models or settings if that is asked for, or if nothing is in them."""
    size = _size(path)
    if size and not purge:
        print(f"Kept, {max(1, size // 1000)} kB of yours: {path} (--purge removes it as well)")
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _wants_all_gone(own: Iterable[Path]) -> bool:
    """Ask whether models and settings are to go; where nobody can answer, they stay."""
    size = sum(map(_size, own))
    if not size or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    what = f"downloaded networks and settings, too ({max(1, size // 1000)} kB)"
    return input(f"Remove your {what}? [y/N]: ").strip().lower() in ("y", "yes")


def _size(path: Path) -> int:
    """How many bytes are in a file, or in all files of a folder."""
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(file.stat().st_size for file in files)
