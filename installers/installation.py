"""Installing, step by step: build beside what is there, prove it, then switch."""

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import environment
import lock
import manifest as record
import plugins
import proof
import removal
from engine_hosts import hosts as editors
from failure import InstallError
from layout import NAME, Layout, path_advice
from manifest import Manifest, Placement

CHECKOUT = Path(__file__).resolve().parent.parent
SAMPLE = Path(__file__).resolve().parent / "sample" / "coffee.jpg"
REQUIREMENTS = Path(__file__).resolve().parent / "requirements.txt"
NEEDED_BYTES = 700_000_000


def install(
    layout: Layout, environ: Mapping[str, str], photo: Path | None, *, sample: bool
) -> None:
    """Bring the installation up to date, then cut out a photo."""
    record.refuse_foreign(record.read(layout.manifest), [layout.command])
    made = record.make_folder(layout.data) + record.make_folder(layout.commands)
    with lock.held(layout.lock):
        hosts = plugins.find(layout.home, environ)
        known = record.read(layout.manifest)
        known = replace(known, made_folders=known.made_folders + made)
        known = plugins.adopted(known, hosts, layout.plugins(layout.data / known.environment))
        record.write(layout.manifest, known)
        shell = environment.Shell(layout.log, environ)
        try:
            known = up_to_date(layout, known, shell, hosts)
        except BaseException:
            if not known.environment:
                removal.leave(layout, known)
            raise
        layout.log.unlink(missing_ok=True)
        where = layout.data / known.environment
        print(f"\nMaskwright is installed: {layout.command}")
        for sentence in plugins.describe(hosts, known):
            print(sentence)
        if advice := path_advice(layout, environ):
            print(advice)
        if photo or sample:
            show_cutout(layout, photo, known, where)


def up_to_date(
    layout: Layout, known: Manifest, shell: environment.Shell, hosts: plugins.Hosts
) -> Manifest:
    """Build and switch to a new environment unless the one that is there is this version."""
    packages = environment.digest([REQUIREMENTS], CHECKOUT, environment.python_tag())
    fingerprint = environment.digest(sources(), CHECKOUT, packages)
    where = layout.data / f"env-{fingerprint}"
    wanted = (*placements(layout, where), *plugins.placements(hosts, known))
    if known.fingerprint == fingerprint and works(layout, where, shell):
        if all(known.holds(item) for item in wanted) and not plugins.to_switch_on(hosts, known):
            print("Maskwright is up to date.")
            return known
        return switch(layout, known, wanted, hosts)
    package = None
    try:
        package = build(layout, known, where, packages, shell)
        with step("Checking it with a real cut-out"):
            prove(layout, where)
    except BaseException:
        shutil.rmtree(where, ignore_errors=True)
        if (layout.data / known.environment / "pyvenv.cfg").exists():
            print("What was installed before is unchanged and still works.")
        raise
    more = known.system_packages + ((package,) if package else ())
    known = replace(known, fingerprint=fingerprint, packages=packages, environment=where.name)
    known = switch(layout, replace(known, system_packages=more), wanted, hosts)
    old = [folder for folder in layout.environments() if folder != where]
    if old:
        removal.stop_engine(layout, where, shell)
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return known


def sources() -> list[Path]:
    """The files whose change makes another version."""
    found = [CHECKOUT / "pyproject.toml", Path(__file__).resolve()]
    folders = [CHECKOUT / "engine" / NAME, CHECKOUT / "plugin"]
    files = [path for folder in folders for path in folder.rglob("*")]
    return found + [path for path in files if path.is_file() and path.suffix != ".pyc"]


def placements(layout: Layout, where: Path) -> tuple[Placement, ...]:
    """Everything that runs the environment `where`: the command, and how plug-ins start it."""
    return (
        Placement(layout.command, launcher(layout, where), executable=True),
        Placement(layout.engine_command, engine_command(layout, where)),
    )


def launcher(layout: Layout, where: Path) -> bytes:
    """The `maskwright` command: runs the environment's own."""
    if layout.windows:
        inside = layout.entry(where).relative_to(layout.data.parent)
        lines = ("@echo off", "setlocal", "set PYTHONPATH=", f'"%LOCALAPPDATA%\\{inside}" %*', "")
        return "\r\n".join(lines).encode("ascii")
    words = " ".join("'" + word.replace("'", "'\\''") + "'" for word in layout.run_in(where))
    text = f'#!/bin/sh\n# Placed by Maskwright\'s installer.\nexec {words} "$@"\n'
    return os.fsencode(text)


def engine_command(layout: Layout, where: Path) -> bytes:
    """What the plug-ins' client reads; see `maskwright_client.command`."""
    words = {"schema": 1, "command": layout.run_in(where)}
    return (json.dumps(words) + "\n").encode("ascii")


def works(layout: Layout, where: Path, shell: environment.Shell) -> bool:
    """Whether an environment that is there still runs."""
    try:
        shell.run([*layout.run_in(where), "--version"], f"{where} does not run")
    except InstallError:
        return False
    return True


def build(
    layout: Layout, known: Manifest, where: Path, packages: str, shell: environment.Shell
) -> str | None:
    """Make the environment `where`, beside the one in use.

    Returns the name of the system package that had to be installed for that, if any.
    """
    print(f"Installing Maskwright into {layout.data}")
    refuse_full_disk(layout.data)
    package = environment.provide_venv(shell, print)
    python = layout.python(where)
    old = layout.data / known.environment
    if known.packages == packages and works(layout, old, shell):
        with step("Taking over the packages that are there"):
            environment.copy_packages(shell, old, where, NAME)
    else:
        with step("Making a private Python environment"):
            environment.create(shell, where, python)
        with step("Downloading and checking the packages it needs (about 120 MB)"):
            environment.install_pinned(shell, python, [REQUIREMENTS])
    with step("Installing the engine"):
        environment.install_checkout(shell, python, CHECKOUT)
    return package


def refuse_full_disk(folder: Path) -> None:
    """Raise `InstallError` where the packages will not fit."""
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        raise InstallError(
            f"{folder} has {free // 1_000_000} MB free and installing takes "
            f"{NEEDED_BYTES // 1_000_000} MB: make room, then run the installer again."
        )


def prove(layout: Layout, where: Path) -> None:
    """Make a cut-out of the sample and throw it away; raises `InstallError` if that fails."""
    nowhere = where / proof.SAMPLE_RESULT
    proof.cut(layout.run_in(where), SAMPLE, nowhere)
    nowhere.unlink()


def switch(
    layout: Layout, known: Manifest, wanted: Sequence[Placement], hosts: plugins.Hosts
) -> Manifest:
    """Let the command run the new environment, and have the editors start the plug-ins.

    The record is written before and after: whenever this is interrupted, what lies there is known
    as ours.
    """
    by_path = {str(item.path): item for item in wanted}
    gone = plugins.obsolete(known, by_path)
    settings = plugins.to_switch_on(hosts, known)
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


def show_cutout(layout: Layout, photo: Path | None, known: Manifest, where: Path) -> None:
    """Cut out the user's photo or the sample, and say where the result is."""
    command = layout.run_in(where)
    if photo:
        wanted = proof.result_path(photo, layout.home, CHECKOUT)
        path, _ = proof.cut_and_settle(command, photo.resolve(), wanted, Manifest())
        print(f"Cut-out of {photo}: {path}")
    else:
        wanted = layout.home / proof.SAMPLE_RESULT
        path, new = proof.cut_and_settle(command, SAMPLE, wanted, known)
        if new:
            record.write(layout.manifest, known.with_result(path))
        print(f"Cut-out of the sample photo: {path}")


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is going on, and how long it took."""
    print(f"  {what} ... ", end="", flush=True)
    start = time.monotonic()
    try:
        yield
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - start:.0f} s", flush=True)
