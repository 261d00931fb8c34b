"""Where a GIMP looks for plug-ins, by its settings.

`gimprc` has a line like `(plug-in-path "${gimp_dir}/plug-ins:${gimp_plug_in_dir}/plug-ins")` if the
user has changed the folders; the last one counts, and one with a variable that is not known does
not (tried with GIMP 3.0 and 3.2). What variables mean: GIMP's libgimpconfig/gimpconfig-path.c.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from .files import may_be_written

_SETTING = re.compile(r'^\s*\(plug-in-path\s+"((?:[^"\\]|\\.)*)"\s*\)', re.MULTILINE)
_ESCAPED = re.compile(r"\\(.)")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
# These lead into its own installation; \0 stands in no path.
_OF_THE_INSTALLATION = dict.fromkeys(
    (
        *("gimp_data_dir", "gimp_sysconf_dir", "gimp_installation_dir"),
        *("gimp_cache_dir", "gimp_temp_dir"),
    ),
    "\0",
)
_PLUG_INS = ("gimp_plug_in_dir", "gimp_plugin_dir")  # its folder for plug-ins is below


def searched_folders(
    profile: Path,
    home: Path,
    environ: Mapping[str, str],
    separator: str,
    shared: Path | None = None,
    of_the_system: Path | None = None,
) -> tuple[Path, ...]:
    """Where the GIMP with the settings folder `profile` looks, in that order.

    `shared` is its installation's folder for plug-ins, which is left out where it is not known;
    `of_the_system` is the gimprc for all users, which theirs overrides.
    """
    usual = (profile / "plug-ins", *((shared,) if shared else ()))
    files = (*((of_the_system,) if of_the_system else ()), profile / "gimprc")
    its_own = dict.fromkeys(_PLUG_INS, str(shared.parent) if shared else "\0")
    known = {**environ, **_OF_THE_INSTALLATION, **its_own, "gimp_dir": str(profile)}
    for setting in _SETTING.findall("\n".join(map(_text, files)))[-1:]:
        try:
            expanded = _VARIABLE.sub(lambda name: known[name[1]], _ESCAPED.sub(r"\1", setting))
        except KeyError:
            return usual
        entries = [entry for entry in expanded.split(separator) if "\0" not in entry]
        folders = [home / each[2:] if each.startswith("~/") else Path(each) for each in entries]
        return tuple(folder for folder in folders if folder.is_absolute())
    return usual


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def own_folder(profile: Path, searched: tuple[Path, ...]) -> Path:
    """The folder for the user's plug-ins: the usual one, or the first that may be written."""
    usual = profile / "plug-ins"
    if usual in searched:
        return usual
    return next((folder for folder in searched if may_be_written(folder)), usual)
