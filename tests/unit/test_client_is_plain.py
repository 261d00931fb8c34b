"""What runs inside an editor: ASCII, Python 3.10, and nothing that happens at import."""

import ast
from pathlib import Path

import maskwright_client
import pytest

FOLDER = Path(maskwright_client.__file__).parent
MODULES = sorted(FOLDER.rglob("*.py"))


def names(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_a_module_is_ascii_and_python_3_10(path: Path):
    source = path.read_bytes()
    assert source.isascii()
    ast.parse(source, feature_version=(3, 10))


NAMING = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
CHANGEABLE = (ast.List, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp)


def happening_at_import(source: str) -> list[str]:
    """Statements at the top of a module that do more than give something lasting a name."""
    found = []
    for node in ast.parse(source).body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_naming = isinstance(node, NAMING)
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            is_naming = not isinstance(node.value, CHANGEABLE)
        if not is_naming and not is_text:
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_nothing_happens_at_import(path: Path):
    assert happening_at_import(path.read_text(encoding="ascii")) == []


@pytest.mark.parametrize(
    "source", ["print(1)", "if True:\n    a = 1", "a = []", "a = {b for b in c}", "with a: pass"]
)
def test_what_happens_at_import_is_found(source: str):
    assert len(happening_at_import(source)) == 1


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_a_module_says_what_it_is_for(path: Path):
    assert ast.get_docstring(ast.parse(path.read_bytes()))


def test_nobody_asks_urllib():
    """It would ask proxies, and follow redirects."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                assert not any(alias.name.startswith("urllib") for alias in node.names)
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("urllib")
