"""Is everything in place, and if not, what to do: the checks behind `maskwright doctor`."""

from collections.abc import Mapping

from maskwright.cancel import CancelToken
from maskwright.doctor.report import Check, Report, Status

__all__ = ["Check", "Report", "Status", "examine"]


def examine(
    environ: Mapping[str, str], cancel: CancelToken | None = None, *, repair: bool = False
) -> Report:
    """Check this machine for this user, or mend what can be mended first; raises only Cancelled.

    Takes some seconds: the built-in model really runs, and every model file is hashed.
    """
    from maskwright.doctor.checks import run_checks, this_machine  # here: it brings the engine

    return run_checks(this_machine(environ), cancel or CancelToken(), repair=repair)
