"""Every download that can be built, and the command line that builds them."""

import argparse
import hashlib
import importlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from environment import Shell
from frozen.freeze import freeze
from maskwright.setup.failure import InstallError
from plan import Plan

CHECKOUT = Path(__file__).resolve().parent.parent
SUMS = "SHA256SUMS"
_SYSTEMS = {"linux": "Linux", "darwin": "macOS"}
_PAYLOAD = "payload"
_EXAMPLES = """examples:
  python3 installers/build.py                      all that this machine can build, into dist
  python3 installers/build.py zips                 the plug-ins' ZIPs only, which takes a second
  python3 installers/build.py --out /tmp/release tarball deb
  python3 installers/build.py setup --payload engine      the setup for Windows, made with NSIS

An engine is frozen for the system and the processor that this runs on: for Windows there, by
installers/hosted/windows_freeze.py, for macOS there, by this. Everything but the artefacts goes
into a cache outside the checkout.

exit codes: 0 done, 1 not built, 2 bad usage, 130 cancelled
"""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A download. `builders` are functions that take a Plan.

    system: where the engine in it is frozen, or _PAYLOAD for one that is brought; "" has none.
    """

    name: str
    what: str
    builders: tuple[str, ...]
    system: str = ""

    def obstacle(self, payload: Path | None) -> str:
        """Why it cannot be built here; empty if it can."""
        if self.system == _PAYLOAD:
            return "" if payload else "it needs --payload, an engine that was frozen on Windows"
        if self.system in ("", sys.platform):
            return ""
        return f"it needs {_SYSTEMS[self.system]}, where its engine is frozen"

    @property
    def has_engine(self) -> bool:
        """Whether the engine of this machine is in it."""
        return self.system == sys.platform


ARTEFACTS = (
    Artefact("zips", "the plug-ins alone", ("zips.build_krita", "zips.build_gimp")),
    Artefact("tarball", "for one user of any Linux", ("linux.tarball.build",), "linux"),
    Artefact("deb", "for Debian and Ubuntu", ("linux.deb.build",), "linux"),
    Artefact("setup", "the setup for Windows", ("windows.setup_exe.build",), _PAYLOAD),
    Artefact("pkg", "the package for macOS", ("macos.pkg.build",), "darwin"),
)


def main() -> int:
    """Build what was asked for; returns the exit code."""
    out, wanted, payload = parse(sys.argv[1:])
    try:
        made = build(out.resolve(), wanted, payload)
    except InstallError as error:
        print(f"\n{error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"\nIt stopped at {error.filename}: {error.strerror}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nCancelled.", file=sys.stderr)
        return 130
    print()
    for path in made:
        print(f"{path.stat().st_size / 1e6:8.1f} MB  {sha256(path)}  {path.name}")
    print(f"in {out}, with {SUMS}")
    return 0


def parse(arguments: Sequence[str]) -> tuple[Path, list[Artefact], Path | None]:
    """Read the command line; ends the process with exit code 2 on bad usage."""
    listed = "\n".join(f"  {one.name:<8} {one.what}" for one in ARTEFACTS)
    parser = argparse.ArgumentParser(
        prog="build.py",
        description="Build what users download, from this checkout.",
        epilog=f"artefacts:\n{listed}\n\n{_EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("artefact", nargs="*", help="what to build; all that can be by default")
    parser.add_argument("--out", type=Path, default=CHECKOUT / "dist", help="where it goes: dist")
    parser.add_argument("--payload", type=Path, help="a frozen engine for Windows, for the setup")
    given = parser.parse_args(arguments)
    known = {one.name: one for one in ARTEFACTS}
    for name in given.artefact:
        if name not in known:
            parser.error(f"there is no artefact {name}: choose from {', '.join(known)}")
        if obstacle := known[name].obstacle(given.payload):
            parser.error(f"{name} cannot be built here: {obstacle}")
    names = dict.fromkeys(given.artefact or known)
    return given.out, [known[name] for name in names], given.payload


def build(out: Path, wanted: Iterable[Artefact], payload: Path | None = None) -> list[Path]:
    """Build artefacts into `out`, and write the sums of all that is there.

    What this machine cannot build is named and left out. Raises InstallError.
    """
    for line in remarks(CHECKOUT):
        print(line)
    possible = []
    for one in wanted:
        if obstacle := one.obstacle(payload):
            print(f"Left out, {one.name} ({one.what}): {obstacle}.")
        else:
            possible.append(one)
    cache = cache_folder(os.environ)
    cache.mkdir(parents=True, exist_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="maskwright-build-", dir=cache) as folder:
        work = Path(folder)
        shell = Shell(cache / "build.log", {"PIP_CACHE_DIR": str(cache / "pip"), **os.environ})
        engine = work / "none"
        if any(one.has_engine for one in possible):
            start = time.monotonic()
            (work / "frozen").mkdir()
            engine = freeze(cache, work / "frozen", shell, say)
            print(f"The engine: {time.monotonic() - start:.0f} s", flush=True)

        def make(one: Artefact, builder: str) -> Path:
            own, start = work / builder, time.monotonic()
            own.mkdir()
            inside = payload.resolve() if payload and one.system == _PAYLOAD else engine
            path = _builder(builder)(Plan(version(), inside, out, own, shell, say))
            print(f"{path.name}: {time.monotonic() - start:.0f} s", flush=True)
            return path

        # Most of it is packing, which takes a core for each.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            jobs = [(one, builder) for one in possible for builder in one.builders]
            made = list(pool.map(lambda job: make(*job), jobs))
    write_sums(out)
    return made


def version() -> str:
    """The version of this checkout."""
    text = (CHECKOUT / "engine" / "maskwright" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if not found:
        raise InstallError("engine/maskwright/__init__.py does not tell the version.")
    return found[1]


def remarks(checkout: Path) -> Iterator[str]:
    """What is to be said about the state of the checkout; nothing if git has all of it."""
    command = ["git", "-C", str(checkout), "status", "--porcelain"]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8")
    except OSError:
        yield "There is no git here, so nobody can say later what this was built from."
        return
    if done.returncode:
        yield "This is no checkout of git's, so nobody can say later what it was built from."
    elif changes := done.stdout.splitlines():
        yield f"Careful: git has not got {len(changes)} changes of this checkout: {changes[0]} ..."


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where the environment to build in is kept, and what builds leave for the time they run."""
    base = environ.get("XDG_CACHE_HOME") or environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "maskwright-dev"


def write_sums(out: Path) -> None:
    """Write the SHA-256 of every artefact in a folder, as `sha256sum --check` reads them."""
    files = sorted(path for path in out.glob("maskwright[-_]*") if path.is_file())
    lines = [f"{sha256(path)}  {path.name}\n" for path in files]
    (out / SUMS).write_bytes("".join(lines).encode())


def sha256(path: Path) -> str:
    """The name of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def say(line: str) -> None:
    """Tell how it goes."""
    print(f"  {line}", flush=True)


def _builder(name: str) -> Callable[[Plan], Path]:
    """A function by its name; its module is imported only now, as others are for other systems."""
    module, _, function = name.rpartition(".")
    found: Callable[[Plan], Path] = getattr(importlib.import_module(module), function)
    return found
