"""Installing, step by step: build beside what is there, prove it, then switch."""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from maskwright.setup import command, lock, plugins, proof, removal
from maskwright.setup import manifest as record
from maskwright.setup.failure import InstallError
from maskwright.setup.layout import Layout, path_advice
from maskwright.setup.manifest import Manifest
from maskwright.setup.switching import placements, switch


class Origin(Protocol):
    """What an engine is installed from: a checkout, or a frozen bundle.

    folder:         where it lies
    plugins:        the sources of the editors' plug-ins
    sample:         a photo to prove an engine with
    keeps_previous: whether the version before stays, for `rollback`
    """

    @property
    def folder(self) -> Path: ...  # noqa: D102  # see the class

    @property
    def plugins(self) -> Path: ...  # noqa: D102

    @property
    def sample(self) -> Path: ...  # noqa: D102

    @property
    def keeps_previous(self) -> bool: ...  # noqa: D102

    def fingerprint(self) -> str:
        """A short name for exactly this version."""

    def target(self, layout: Layout, fingerprint: str) -> Path:
        """The folder for the engine, among our own."""

    def build(self, layout: Layout, known: Manifest, where: Path) -> Manifest:
        """Make the engine in `where`, beside the one in use; the record with what that took."""


def install(
    origin: Origin, layout: Layout, environ: Mapping[str, str], photo: Path | None, *, sample: bool
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
        try:
            known = up_to_date(origin, layout, known, hosts)
        except BaseException:
            if not known.environment:
                removal.leave(layout, known)
            raise
        layout.log.unlink(missing_ok=True)
        print(f"\nMaskwright is installed: {layout.command}")
        for sentence in plugins.describe(hosts, known, origin.plugins):
            print(sentence)
        if advice := path_advice(layout, environ):
            print(advice)
        if photo or sample:
            show_cutout(origin, layout, photo, known)


def up_to_date(origin: Origin, layout: Layout, known: Manifest, hosts: plugins.Hosts) -> Manifest:
    """Build and switch to a new engine unless the one that is there is this version."""
    fingerprint = origin.fingerprint()
    where = origin.target(layout, fingerprint)
    wanted = (
        *placements(layout, where),
        *plugins.placements(hosts, known, origin.plugins),
    )
    settings = plugins.to_switch_on(hosts, known, origin.plugins)
    if known.fingerprint == fingerprint and command.starts(layout.run_in(where)):
        if all(known.holds(item) for item in wanted) and not settings:
            print("Maskwright is up to date.")
            return known
        return switch(layout, known, wanted, settings)
    print(f"Installing Maskwright into {layout.data}")
    before = known
    try:
        known = origin.build(layout, known, where)
        with step("Checking it with a real cut-out"):
            prove(origin, layout, where)
    except BaseException:
        if where != layout.data / before.environment:
            shutil.rmtree(where, ignore_errors=True)
            if (layout.data / before.environment).is_dir() and before.environment:
                print("What was installed before is unchanged and still works.")
        raise
    previous = before.environment if origin.keeps_previous else ""
    name = where.relative_to(layout.data).as_posix()
    previous = before.previous if previous == name else previous
    known = replace(known, fingerprint=fingerprint, environment=name, previous=previous)
    known = switch(layout, known, wanted, settings)
    remove_others(layout, known)
    return known


def remove_others(layout: Layout, known: Manifest) -> None:
    """Have a running engine end, and remove all versions but this one and the one before."""
    where = layout.data / known.environment
    kept = (where, layout.data / known.previous)
    old = [folder for folder in layout.engines() if folder != where]
    if old:
        removal.stop_engine(layout, where)
    for folder in old:
        if folder not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def roll_back(layout: Layout, environ: Mapping[str, str]) -> None:
    """Switch back to the version before; raises `InstallError` if there is none that starts."""
    known = record.read(layout.manifest)
    where = layout.data / known.previous
    if not known.previous or not command.starts(layout.run_in(where)):
        raise InstallError("There is no earlier version to go back to: install it again.")
    with lock.held(layout.lock):
        hosts = plugins.find(layout.home, environ)
        sources = layout.plugins(where)
        wanted = (*placements(layout, where), *plugins.placements(hosts, known, sources))
        settings = plugins.to_switch_on(hosts, known, sources)
        turned = replace(
            known, environment=known.previous, previous=known.environment, fingerprint=""
        )
        known = switch(layout, turned, wanted, settings)
        removal.stop_engine(layout, where)
    print(f"Maskwright is back at the version before: {layout.command}")
    for sentence in plugins.describe(hosts, known, sources):
        print(sentence)


def install_plugins(layout: Layout, environ: Mapping[str, str], sources: Path) -> None:
    """Place the editors' plug-ins alone, whatever engine there is."""
    made = record.make_folder(layout.data)
    with lock.held(layout.lock):
        hosts = plugins.find(layout.home, environ)
        known = record.read(layout.manifest)
        known = replace(known, made_folders=known.made_folders + made)
        known = plugins.adopted(known, hosts, sources)
        wanted = tuple(plugins.placements(hosts, known, sources))
        known = switch(layout, known, wanted, plugins.to_switch_on(hosts, known, sources))
        for sentence in plugins.describe(hosts, known, sources):
            print(sentence)
        if not hosts:
            print("Neither GIMP 3 nor Krita was found: install one, start it once, try again.")
        if not known.placed:
            removal.leave(layout, known)


def refuse_full_disk(folder: Path, needed_bytes: int) -> None:
    """Raise `InstallError` where what is to be placed will not fit."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise InstallError(
            f"{folder} has {free // 1_000_000} MB free and installing takes "
            f"{needed_bytes // 1_000_000} MB: make room, then run the installer again."
        )


def prove(origin: Origin, layout: Layout, where: Path) -> None:
    """Make a cut-out of the sample and throw it away; raises `InstallError` if that fails."""
    nowhere = where / proof.SAMPLE_RESULT
    proof.cut(layout.run_in(where), origin.sample, nowhere)
    nowhere.unlink()


def show_cutout(origin: Origin, layout: Layout, photo: Path | None, known: Manifest) -> None:
    """Cut out the user's photo or the sample, and say where the result is."""
    words = layout.run_in(layout.data / known.environment)
    if photo:
        wanted = proof.result_path(photo, layout.home, origin.folder)
        path, _ = proof.cut_and_settle(words, photo.resolve(), wanted, Manifest())
        print(f"Cut-out of {photo}: {path}")
    else:
        wanted = layout.home / proof.SAMPLE_RESULT
        path, new = proof.cut_and_settle(words, origin.sample, wanted, known)
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
