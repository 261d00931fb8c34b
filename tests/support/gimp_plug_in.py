"""The plug-in for GIMP as the installer puts it together."""

import shutil
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def assembled(folder: Path) -> Path:
    """Make the plug-in's folder below `folder`; returns it."""
    target = folder / "assembled"
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "plugin/gimp/maskwright", target, ignore=skip)
    shutil.copytree(CHECKOUT / "plugin/shared", target, ignore=skip, dirs_exist_ok=True)
    return target
