"""Whose files they will be."""

import os
from collections.abc import Mapping
from pathlib import Path

from maskwright.setup.failure import InstallError


def own_files_only(environ: Mapping[str, str]) -> None:
    """See to it that what is made from now on belongs to this user, and only they may change it.

    A folder that others may write to would be refused by the plug-ins, with good reason. Raises
    `InstallError` where root, by sudo, would leave its files in the home of whoever called it.
    """
    os.umask(os.umask(0o022) | 0o022)
    uid = environ.get("SUDO_UID", "0")
    if hasattr(os, "geteuid") and os.geteuid() == 0 and uid not in ("0", ""):
        home = Path.home()
        if home.exists() and str(home.stat().st_uid) == uid:
            raise InstallError(
                f"This runs as root, but {home} belongs to {environ.get('SUDO_USER', uid)}: run "
                "it without sudo, it installs for one user only.",
                2,
            )
