"""Imports go down only: hosts -> plugin/shared -> nothing; cli -> service -> matting -> models."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]

HOST_MODULES = {"gi", "krita", "PyQt5", "PyQt6"}
SHARED = {"maskwright_client", "maskwright_editor"}
# A part of the engine may import parts of its own rank or lower ones.
RANKS = {
    "errors": 0,
    "cancel": 0,
    "models": 1,
    "matting": 2,
    "service": 3,
    "imaging": 3,
    "cli": 5,
    "__main__": 6,
}
COMMANDS = 4  # what `cli` is made of, if it has no rank of its own
STANDARD_LIBRARY_ONLY = {"hosts", "setup"}  # parts of the engine that the installer reads too


def imported_names(source: str, package: str) -> Iterator[str]:
    """Every module that `source`, a module in `package`, names in an import, wherever it stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*above, *([node.module] if node.module else [])])
            base = base if node.level else node.module or ""
            yield from (f"{base}.{alias.name}" for alias in node.names)


def engine_problem(part: str, name: str) -> str:
    """Say why `part` of the engine must not import `name`; empty if it may."""
    top, _, rest = name.partition(".")
    if top in HOST_MODULES:
        return "only plug-in host folders talk to a host"
    if top in ("tests", "installers", "conftest"):
        return "the engine does not know what is around it"
    if top == "onnxruntime" and part != "models":
        return "only models/ imports onnxruntime"
    if top == "maskwright_client" and part != "service":
        return "only service/ speaks the wire"
    is_plain = is_standalone(name) or top in sys.stdlib_module_names
    if part in STANDARD_LIBRARY_ONLY and not is_plain:
        return "this one is standard library only"
    if top != "maskwright" or not rest:
        return ""
    other = rest.split(".")[0]
    if other.startswith("__") and other != "__main__":
        return ""
    if (part, other) == ("service", "imaging"):
        return "the service decodes no image files"
    own_rank = RANKS.get(part, COMMANDS)
    return "that is upward" if RANKS.get(other, COMMANDS) > own_rank else ""


def plugin_problem(part: str, package: str, name: str, siblings: set[str]) -> str:
    """Say why a plug-in's module must not import `name`; empty if it may."""
    top = name.split(".")[0]
    if package == "maskwright_client" and top == "maskwright_editor":
        return "the client knows of no editor"
    if top in sys.stdlib_module_names or top in siblings:
        return ""
    if part != "shared" and top in HOST_MODULES | SHARED:
        return ""
    return f"plugin/{part} is standard library only"


def standalone_problem(name: str, siblings: set[str]) -> str:
    """Say why a script that runs before anything is installed must not import `name`."""
    top = name.split(".")[0]
    known = top in sys.stdlib_module_names or top in siblings or is_standalone(name)
    return "" if known else "this runs before anything is installed"


def is_standalone(name: str) -> bool:
    """Whether it is in a part of the engine that needs nothing installed, or the version."""
    parts = name.split(".")
    return parts[0] == "maskwright" and parts[1] in {*STANDARD_LIBRARY_ONLY, "__version__"}


def names_beside(path: Path, root: Path) -> set[str]:
    """What a module can import from the folders around it, up to `root`."""
    folders = [folder for folder in path.parents if folder.is_relative_to(root)]
    return {entry.stem for folder in folders for entry in folder.iterdir()}


def problems(checkout: Path) -> list[str]:
    """Every import that must not be, as `file imports name: why`."""
    found = []
    for path in python_files(checkout):
        inside = path.relative_to(checkout)
        package = ".".join(inside.parts[1:-1])
        for name in imported_names(path.read_text(encoding="utf-8"), package):
            if inside.parts[0] == "engine":
                why = engine_problem((*inside.with_suffix("").parts, "")[2], name)
            elif inside.parts[0] == "plugin":
                root = checkout / "plugin" / inside.parts[1]
                why = plugin_problem(
                    inside.parts[1], inside.parts[2], name, names_beside(path, root)
                )
            else:
                why = standalone_problem(name, names_beside(path, checkout / "installers"))
            if why:
                found.append(f"{inside.as_posix()} imports {name}: {why}")
    return found


def python_files(checkout: Path) -> list[Path]:
    """The product's modules; the tests are none of it."""
    folders = [checkout / "engine" / "maskwright", checkout / "plugin", checkout / "installers"]
    return [path for folder in folders for path in sorted(folder.rglob("*.py"))]


def test_the_product_imports_downward_only() -> None:
    parts = {path.relative_to(CHECKOUT).parts[0] for path in python_files(CHECKOUT)}
    assert {"engine", "installers"} <= parts
    assert problems(CHECKOUT) == []


GOOD = {
    "engine/maskwright/errors.py": "import enum",
    "engine/maskwright/models/session.py": "import onnxruntime\nfrom ..errors import ModelError",
    "engine/maskwright/matting/pipeline.py": "from maskwright.models.contract import Network",
    "engine/maskwright/service/app.py": "from maskwright_client.protocol import Hello",
    "engine/maskwright/imaging/read.py": "from maskwright.matting.photo import Photo",
    "engine/maskwright/hosts/search.py": "from . import gimprc\nfrom .host import Host",
    "engine/maskwright/cli/cut.py": "from maskwright import __version__, imaging",
    "plugin/shared/maskwright_client/client.py": "import json\nfrom maskwright_client import wire",
    "plugin/gimp/maskwright/maskwright.py": "import gi, dialog\nimport maskwright_client.client",
    "plugin/gimp/maskwright/dialog.py": "import json, maskwright_editor.wish",
    "plugin/shared/maskwright_editor/wish.py": "import maskwright_client.client",
    "installers/install.py": "import command_line",
    "installers/command_line.py": "import argparse\nfrom maskwright.setup import lock",
    "engine/maskwright/setup/plugins.py": "from maskwright import __version__, hosts",
}

BAD = [
    ("engine/maskwright/matting/a.py", "from maskwright.service import jobs", "upward"),
    ("engine/maskwright/matting/a.py", "from ..imaging.read import read_photo", "upward"),
    ("engine/maskwright/models/a.py", "from maskwright import matting", "upward"),
    (
        "engine/maskwright/errors.py",
        "def f():\n    import maskwright.cancel, maskwright.cli",
        "upward",
    ),
    ("engine/maskwright/batch/a.py", "from maskwright.cli.options import debug", "upward"),
    ("engine/maskwright/service/a.py", "from maskwright.imaging import read", "decodes no image"),
    ("engine/maskwright/matting/a.py", "import onnxruntime as ort", "only models/"),
    ("engine/maskwright/cli/a.py", "from onnxruntime import InferenceSession", "only models/"),
    ("engine/maskwright/cli/a.py", "import maskwright_client.client", "speaks the wire"),
    ("engine/maskwright/doctor.py", "from gi.repository import Gimp", "host folders"),
    ("engine/maskwright/models/a.py", "import tests.unit", "around it"),
    ("engine/maskwright/hosts/a.py", "import platformdirs", "standard library only"),
    ("engine/maskwright/setup/a.py", "import maskwright.errors", "standard library only"),
    ("plugin/shared/maskwright_client/a.py", "import requests", "standard library only"),
    ("plugin/shared/maskwright_client/a.py", "import maskwright_editor.wish", "knows of no editor"),
    ("plugin/shared/maskwright_editor/a.py", "import gi", "standard library only"),
    ("plugin/shared/maskwright_client/a.py", "from krita import Krita", "standard library only"),
    ("plugin/krita/maskwright/a.py", "import numpy", "standard library only"),
    ("plugin/gimp/maskwright/a.py", "import onnxruntime", "standard library only"),
    ("installers/a.py", "import requests", "before anything is installed"),
]


def grow(root: Path, files: dict[str, str]) -> None:
    for name, source in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(source, encoding="utf-8")


def test_a_tree_as_it_should_be_has_no_problem(tmp_path: Path) -> None:
    grow(tmp_path, GOOD)
    assert problems(tmp_path) == []


@pytest.mark.parametrize(("file", "source", "why"), BAD)
def test_a_bad_import_is_found(tmp_path: Path, file: str, source: str, why: str) -> None:
    grow(tmp_path, GOOD)
    grow(tmp_path, {file: source})
    (problem,) = problems(tmp_path)
    assert problem.startswith(f"{file} imports ")
    assert why in problem
