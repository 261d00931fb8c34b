"""Uninstalling: exactly what was placed, and nothing of the user's."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import environment
import lock
import manifest as record
import plugins
from failure import CommandFailed
from layout import Layout
from manifest import Manifest


def uninstall(layout: Layout, environ: Mapping[str, str], *, purge: bool) -> None:
    """Remove what was placed; downloaded models and settings only on `purge`."""
    own = [path for path in layout.users_own if path.exists()]
    if not layout.data.is_dir() and not (purge and own):
        print("Maskwright is not installed for this user.")
        return
    known = record.read(layout.manifest)
    hosts = plugins.find(layout.home, environ)
    known = plugins.adopted(known, hosts, layout.plugins(layout.data / known.environment))
    if layout.data.is_dir():
        with lock.held(layout.lock):
            if known.environment:
                shell = environment.Shell(layout.log, environ)
                stop_engine(layout, layout.data / known.environment, shell)
            remove_installation(layout, known)
            layout.log.unlink(missing_ok=True)
    for path in own:
        remove_users_own(path, purge=purge)
    leave(layout, known)
    for package in known.system_packages:
        print(f"The system package {package} stays; to remove it: apt-get remove {package}")
    print("Maskwright is uninstalled.")


def stop_engine(layout: Layout, where: Path, shell: environment.Shell) -> None:
    """Ask a running engine to end, by the command of the environment `where`, and wait for it.

    One that does not end keeps the version that it has until it is idle.
    """
    if not layout.run.is_dir():
        return
    with suppress(CommandFailed):
        shell.run([*layout.run_in(where), "stop"], "The running engine does not end")


def remove_installation(layout: Layout, known: Manifest) -> None:
    """Remove the command, the sample's cut-out, the environments and what the engine left."""
    for cache in plugins.caches(known):
        shutil.rmtree(cache, ignore_errors=True)
    for path in record.remove_placed(known):
        print(f"Kept, because it was changed since: {path}")
    for settings in map(Path, known.switched_on):
        plugins.forget_switch(settings)
    for folder in layout.environments():
        shutil.rmtree(folder)
    for folder in layout.engine_leavings:
        shutil.rmtree(folder, ignore_errors=True)


def leave(layout: Layout, known: Manifest) -> None:
    """Remove the record and the folders that were made, as far as nothing else is in them."""
    layout.lock.unlink(missing_ok=True)
    layout.manifest.unlink(missing_ok=True)
    left = record.remove_empty(dict.fromkeys((*known.made_folders, str(layout.data))))
    if str(layout.data) in left:  # models or a log: remember the folders around them
        record.write(layout.manifest, Manifest(made_folders=left))


def remove_users_own(path: Path, *, purge: bool) -> None:
    """Remove models or settings if that is asked for, or if nothing is in them."""
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    size = sum(file.stat().st_size for file in files)
    if size and not purge:
        print(f"Kept, {max(1, size // 1000)} kB of yours: {path} (--purge removes it as well)")
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
