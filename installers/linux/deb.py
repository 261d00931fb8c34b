"""The package for Debian and Ubuntu: the frozen engine in /opt, the plug-ins for all users.

In /opt, and not in /usr, because an editor in a Flatpak sees only that; a user's own installation
comes before it. Nothing is written into homes.
"""

import gzip
import hashlib
import json
import os
import platform
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from email.utils import formatdate
from pathlib import Path

from frozen.freeze import INTERNAL, NAME, PAPERS
from frozen.papers import LICENCES, SBOM
from linux import archive, needs
from linux.manual import manual
from maskwright import hosts
from maskwright.setup.failure import InstallError
from plan import Plan

CHECKOUT = Path(__file__).resolve().parents[2]
ENGINE = Path("opt") / NAME
_DEBIAN = Path(__file__).resolve().parent / "debian"
_SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
_OF_THE_SYSTEM = (ENGINE.parent.as_posix(),)  # dpkg would take it away with the last package in it
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_DOC = Path("usr/share/doc") / NAME
_RESOURCES = Path("usr/share/krita")
_COMPLETIONS = {
    "bash": f"usr/share/bash-completion/completions/{NAME}",
    "zsh": f"usr/share/zsh/vendor-completions/_{NAME}",
    "fish": f"usr/share/fish/vendor_completions.d/{NAME}.fish",
}
_BEST = 6  # as with the tarball


def build(plan: Plan, level: int = _BEST) -> Path:
    """Make `maskwright_VERSION_amd64.deb`, whole or not at all; `level` is xz's.

    Raises InstallError.
    """
    machine = platform.machine()
    architecture = _ARCHITECTURES.get(machine)
    if architecture is None:
        raise InstallError(f"Debian has no name here for the processor {machine}.")
    when = _when(plan)
    tree = plan.work / "tree"
    shutil.copytree(plan.engine, tree / ENGINE, symlinks=True)
    _link(tree / "usr/bin" / NAME, f"/{ENGINE / NAME}")
    plug_ins = list(_place_plug_ins(tree, machine))
    _write(tree / f"usr/share/man/man1/{NAME}.1.gz", _packed(_manual(plan).encode()))
    for shell, place in _COMPLETIONS.items():
        _write(tree / place, _completion(plan, shell).encode())
    _place_papers(tree, plan.version, when)
    control = plan.work / "control"
    _control(control, tree, plan, architecture, plug_ins)
    _settle(tree)
    target = plan.out / f"{NAME}_{plan.version}_{architecture}.deb"
    archive.write(target, control, tree, _OF_THE_SYSTEM, when, level)
    return target


def _when(plan: Plan) -> int:
    """The time that all files get, in seconds: that of the commit, or what the caller wants.

    Not one and the same for ever: GIMP asks a plug-in anew when its file has another time.
    """
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    try:
        command: list[str | Path] = ["git", "-C", CHECKOUT, "log", "-1", "--format=%ct"]
        return int(plan.shell.run(command, "git does not know this checkout"))
    except InstallError:
        return int(time.time())


def _place_plug_ins(tree: Path, machine: str) -> Iterator[str]:
    """Put the plug-ins where the editors look for those of all users; yields their folders.

    GIMP's folder is called after its first version 3, and so is that of every later one.
    """
    sources = tree / ENGINE / INTERNAL / NAME / "plugin"
    own = Path(f"usr/lib/{machine}-linux-gnu/gimp/3.0/plug-ins") / hosts.PLUGIN
    for name, source in hosts.gimp_parts(sources).items():
        _write(tree / own / name, source.read_bytes(), runs=name == hosts.GIMP_SCRIPT)
    for name, source in hosts.krita_parts(sources).items():
        _write(tree / _RESOURCES / name, source.read_bytes())
    yield from (f"/{own}", f"/{_RESOURCES / 'pykrita' / hosts.PLUGIN}")


def _manual(plan: Plan) -> str:
    def help_of(words: Sequence[str]) -> str:
        command: list[str | Path] = ["env", "COLUMNS=100", "LC_ALL=C.UTF-8", plan.engine / NAME]
        return plan.shell.run([*command, *words, "--help"], "The engine does not explain itself")

    return manual(help_of, plan.version)


def _completion(plan: Plan, shell: str) -> str:
    """What a shell runs to complete the command's words; click makes it."""
    asked = f"_{NAME.upper()}_COMPLETE={shell}_source"
    command: list[str | Path] = ["env", asked, plan.engine / NAME]
    return plan.shell.run(command, f"The engine does not explain itself to {shell}").strip() + "\n"


def _place_papers(tree: Path, version: str, when: int) -> None:
    papers = ENGINE / INTERNAL / PAPERS
    parts = json.loads((tree / papers / SBOM).read_text(encoding="utf-8"))["components"]
    named = "\n".join(f" {part['name']} {part['version']}: {_licence(part)}" for part in parts)
    given = {"@PARTS@": named, "@YEAR@": str(time.gmtime(when).tm_year)}
    _write(tree / _DOC / "copyright", _filled_in("copyright", given))
    entry = (
        f"{NAME} ({version}) unstable; urgency=medium\n\n  * See changelog.gz.\n\n"
        f" -- {_maintainer()}  {formatdate(when)}\n"
    )
    _write(tree / _DOC / "changelog.Debian.gz", _packed(entry.encode()))
    _write(tree / _DOC / "changelog.gz", _packed((CHECKOUT / "CHANGELOG.md").read_bytes()))
    for name in (SBOM, LICENCES):
        _link(tree / _DOC / name, f"/{papers / name}")
    overrides = (_DEBIAN / "overrides").read_bytes()
    _write(tree / "usr/share/lintian/overrides" / NAME, overrides)


def _licence(part: dict[str, list[dict[str, object]]]) -> object:
    (licence,) = part["licenses"]
    named = licence.get("license")
    return named["name"] if isinstance(named, dict) else licence["expression"]


def _control(
    folder: Path, tree: Path, plan: Plan, architecture: str, plug_ins: Sequence[str]
) -> None:
    """Write what dpkg wants to know."""
    files = [path for path in sorted(tree.rglob("*")) if path.is_file() and not path.is_symlink()]
    sums = [f"{_md5(path)}  {path.relative_to(tree)}\n" for path in files]
    given = {
        "@VERSION@": plan.version,
        "@ARCHITECTURE@": architecture,
        "@KIB@": str(sum(-(-path.lstat().st_size // 1024) for path in tree.rglob("*"))),
        "@DEPENDS@": needs.depends(tree / ENGINE, plan.shell),
        "@PLUGINS@": " ".join(plug_ins),
    }
    for name in ("control", *_SCRIPTS):
        _write(folder / name, _filled_in(name, given), runs=name in _SCRIPTS)
    _write(folder / "md5sums", "".join(sums).encode())


def _maintainer() -> str:
    text = (_DEBIAN / "control").read_text(encoding="utf-8")
    return next(
        line.partition(": ")[2] for line in text.splitlines() if line.startswith("Maintainer: ")
    )


def _settle(tree: Path) -> None:
    """Give folders and libraries the permissions that those have."""
    for path in tree.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
        elif ".so" in path.suffixes and not path.is_symlink():
            path.chmod(0o644)


def _filled_in(name: str, given: Mapping[str, str]) -> bytes:
    """One of our files for dpkg, with values for what is in it between @."""
    text = (_DEBIAN / name).read_text(encoding="utf-8")
    for mark, value in given.items():
        text = text.replace(mark, value)
    return text.encode()


def _write(path: Path, content: bytes, *, runs: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755 if runs else 0o644)


def _link(path: Path, to: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(to)


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)


def _md5(path: Path) -> str:
    """What dpkg calls a file's content; nobody's safety hangs on it."""
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
