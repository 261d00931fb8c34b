"""The package for macOS, made by Apple's tools; see build_pkg.sh. NOT YET RUN.

The engine must have been frozen on a Mac of the same processor.
"""

from pathlib import Path

from plan import Plan

_SCRIPT = Path(__file__).resolve().parent / "build_pkg.sh"


def build(plan: Plan) -> Path:
    """Make `maskwright-VERSION-macos-arm64.pkg`, whole or not at all."""
    target = plan.out / f"maskwright-{plan.version}-macos-arm64.pkg"
    unfinished = plan.work / target.name
    plan.shell.run(
        ["sh", _SCRIPT, plan.engine, plan.version, plan.work / "pkg", unfinished],
        "The package could not be made",
    )
    return unfinished.replace(target)
