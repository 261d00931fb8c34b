"""What is in a frozen engine, whose work it is, and under which licence.

The list is CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json. It is written here because the tools
for it list an environment, and most of that does not get into the bundle; what does, PyInstaller
says file by file.
"""

import importlib.metadata
import json
import platform
import re
import shutil
import sys
import sysconfig
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path

from environment import Shell
from maskwright.setup.failure import InstallError

SBOM = "sbom.cdx.json"
LICENCES = "licences"
_OWN = "maskwright"
_SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
_TEXT = re.compile(
    r"(licen[cs]e|copying|notice|third.?party|authors|copyright)[^/]*$", re.IGNORECASE
)
_TEXT_FOLDER = re.compile(r"(^|/)licen[cs]es/", re.IGNORECASE)
_NO_TEXT = (".py", ".pyc", ".pyi", ".so")
_EXPRESSION = re.compile(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*")
_BY_CLASSIFIER = "License :: OSI Approved :: "


@dataclass(frozen=True, slots=True)
class Part:
    """Somebody's work that is in the bundle.

    purl: where it comes from, as packageurl.org writes it. licence: an SPDX expression, or the
    words in which it is said. texts: file names and contents.
    """

    name: str
    version: str
    purl: str
    licence: str
    texts: tuple[tuple[str, bytes], ...]
    kind: str = "library"


def parts(origins: Iterable[Sequence[str]], places: Sequence[Path], shell: Shell) -> list[Part]:
    """Whose work is in a bundle.

    `origins` has a name in the bundle and the file it came from for each file, `places` are the
    folders that packages were installed into. Raises InstallError for a file of unknown origin.
    """
    owners = _owners(places)
    found: dict[str, Part] = {}
    for _, origin in origins:
        source = Path(origin)
        owner = owners.get(str(source))
        if not source.is_absolute() or _is_made_here(source, places):
            continue  # a link to something else in the bundle, or PyInstaller's own list of modules
        if owner is not None:
            if owner.name not in (_OWN, *found):
                found[owner.name] = _of_distribution(owner)
        elif _is_pythons(source):
            found.setdefault("python", _python())
        else:
            package = _debian_package(source, shell)
            if package not in found:
                found[package] = _of_debian(package, shell)
    return [*(found[name] for name in sorted(found)), _network(places[-1])]


def write(folder: Path, found: Sequence[Part], checkout: Path) -> None:
    """Write the list, every licence's text, and our own licence."""
    for part in found:
        target = folder / LICENCES / part.name
        target.mkdir(parents=True)
        for name, content in part.texts:
            (target / name).write_bytes(content)
    shutil.copyfile(checkout / "LICENSE", folder / "LICENSE")
    shutil.copyfile(checkout / "installers" / "THIRD-PARTY.md", folder / "THIRD-PARTY.md")
    text = json.dumps(sbom(found), indent=1, ensure_ascii=False) + "\n"
    (folder / SBOM).write_text(text, encoding="utf-8")


def sbom(found: Sequence[Part]) -> dict[str, object]:
    """The list as CycloneDX has it; the same parts make the same list."""
    (own,) = {part.version for part in found if part.kind == "machine-learning-model"}
    components = [_component(part) for part in found]
    refs = [part.purl for part in found]
    main = f"pkg:generic/{_OWN}@{own}"
    serial = uuid.uuid5(uuid.NAMESPACE_URL, "\n".join([main, *refs]))
    return {
        "$schema": _SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": main,
                "name": _OWN,
                "version": own,
                "licenses": [{"expression": "Apache-2.0"}],
            }
        },
        "components": components,
        "dependencies": [{"ref": main, "dependsOn": refs}, *({"ref": ref} for ref in refs)],
    }


def _component(part: Part) -> dict[str, object]:
    is_expression = _EXPRESSION.fullmatch(part.licence)
    licence = {"expression": part.licence} if is_expression else {"license": {"name": part.licence}}
    return {
        "type": part.kind,
        "bom-ref": part.purl,
        "name": part.name,
        "version": part.version,
        "licenses": [licence],
        "purl": part.purl,
    }


def _owners(places: Iterable[Path]) -> dict[str, Distribution]:
    """The installed package that each file belongs to."""
    return {
        str(owner.locate_file(file)): owner
        for place in places
        for owner in importlib.metadata.distributions(path=[str(place)])
        for file in owner.files or ()
    }


def _of_distribution(owner: Distribution) -> Part:
    texts: dict[str, bytes] = {}
    for file in sorted(owner.files or ()):
        path = file.as_posix()
        if path.endswith(_NO_TEXT) or not (_TEXT.search(path) or _TEXT_FOLDER.search(path)):
            continue
        texts[_flat(path)] = Path(str(owner.locate_file(file))).read_bytes()
    if not texts:
        raise InstallError(f"The package {owner.name} comes without the text of its licence.")
    purl = f"pkg:pypi/{owner.name.lower().replace('_', '-')}@{owner.version}"
    return Part(owner.name, owner.version, purl, _declared(owner), tuple(texts.items()))


def _declared(owner: Distribution) -> str:
    """The licence as a package's metadata has it, in whichever of the three ways."""
    metadata = owner.metadata
    expression = metadata["License-Expression"] or metadata["License"] or ""
    if expression and len(expression.splitlines()) == 1:
        return expression
    classifiers = metadata.get_all("Classifier") or []
    named = [name.rpartition(" :: ")[2] for name in classifiers if name.startswith(_BY_CLASSIFIER)]
    return ", ".join(named) or "see the text"


def _flat(path: str) -> str:
    """A file name for a text that says where it was."""
    words = [word for word in path.split("/") if not word.endswith(".dist-info")]
    return "-".join(word for word in words if not re.fullmatch("(?i)licen[cs]es", word))


def _is_pythons(source: Path) -> bool:
    """Whether a file is of the interpreter or its standard library."""
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}
    inside = any(source.is_relative_to(folder) for folder in folders if folder)
    by_hand = sys.base_prefix != "/usr" and source.is_relative_to(sys.base_prefix)
    return inside or by_hand or source.name.startswith("libpython3")


def _is_made_here(source: Path, places: Sequence[Path]) -> bool:
    """Whether a file was written by this build, or is in the checkout."""
    work, here = places[-1].parent, Path(__file__).resolve().parents[2]
    own = source.is_relative_to(here) or source.is_relative_to(work)
    return own and not source.is_relative_to(places[-1])


def _python() -> Part:
    stdlib = Path(sysconfig.get_path("stdlib"))
    version = platform.python_version()
    tried = [
        stdlib / "LICENSE.txt",
        Path(sys.base_prefix) / "LICENSE.txt",
        Path(f"/usr/share/doc/python{sys.version_info.major}.{sys.version_info.minor}/copyright"),
    ]
    texts = [path for path in tried if path.is_file()]
    if not texts:
        raise InstallError(f"Python's own licence is not at {tried[0]}: use another Python.")
    content = ((texts[0].name, texts[0].read_bytes()),)
    return Part("python", version, f"pkg:generic/python@{version}", "PSF-2.0", content)


def _debian_package(source: Path, shell: Shell) -> str:
    """The package of the system that a library belongs to."""
    inside = source if source.parts[1] != "usr" else Path("/", *source.parts[2:])
    # Packages name files below /lib, too, where that has long been a link to /usr/lib.
    query = ["dpkg-query", "--search", f"*{inside}"]
    trouble = (
        f"{source} is in the bundle, and nobody knows whose it is: leave it out, or tell "
        "installers/frozen/papers.py"
    )
    return shell.run(query, trouble).partition(":")[0]


def _of_debian(package: str, shell: Shell) -> Part:
    query = ["dpkg-query", "--show", "--showformat", "${Version}", package]
    version = shell.run(query, f"{package} has no version")
    copyright_file = Path("/usr/share/doc") / package / "copyright"
    if not copyright_file.exists():
        raise InstallError(f"{copyright_file} is missing: install the package {package} again.")
    texts = (("copyright", copyright_file.read_bytes()),)
    # Such a file tells of the tests and the packaging as well, so that no one name would be right.
    return Part(package, version, f"pkg:deb/debian/{package}@{version}", "see the text", texts)


def _network(packages: Path) -> Part:
    """The built-in network; its version is ours."""
    builtin = packages / _OWN / "models" / "builtin"
    (owner,) = importlib.metadata.distributions(name=_OWN, path=[str(packages)])
    texts = tuple((path.name, path.read_bytes()) for path in sorted(builtin.glob("*.txt")))
    purl = f"pkg:generic/u2netp@{owner.version}"
    return Part("u2netp", owner.version, purl, "Apache-2.0", texts, "machine-learning-model")
