"""The plug-in for Krita as an installer puts it together."""

import shutil
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
NAME = "maskwright"


def assembled(folder: Path) -> Path:
    """Put `NAME`, `NAME.desktop` and `NAME.action` below `folder`, which is what `gui` installs."""
    target = folder / "assembled"
    skip = shutil.ignore_patterns("__pycache__")
    krita = CHECKOUT / "plugin/krita"
    shutil.copytree(krita / NAME, target / NAME, ignore=skip)
    shutil.copytree(CHECKOUT / "plugin/shared", target / NAME, ignore=skip, dirs_exist_ok=True)
    for end in ("desktop", "action"):
        shutil.copy(krita / f"{NAME}.{end}", target)
    return target
