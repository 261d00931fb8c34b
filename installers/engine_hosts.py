"""The engine's `maskwright.hosts`, by which the doctor places plug-ins, too.

Read from the checkout alone: the rest of the engine is not installed yet, or broken.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

_PACKAGE = Path(__file__).resolve().parent.parent / "engine" / "maskwright" / "hosts"


def _load() -> ModuleType:
    name, start = "maskwright_hosts", _PACKAGE / "__init__.py"
    spec = importlib.util.spec_from_file_location(name, start)
    if spec is None or spec.loader is None:
        raise ImportError(str(start))
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    from maskwright import hosts as hosts
else:
    hosts = _load()
