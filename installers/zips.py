"""The plug-ins alone, as ZIPs: one that Krita imports, one to unpack for GIMP.

Krita's Tools > Scripts > Import Python Plugin from File finds a plug-in by the entry of its folder,
which must be in the ZIP as such, and takes the action file from anywhere as long as it is called
after the plug-in. GIMP's has one folder, which goes into GIMP's folder for plug-ins; GIMP skips a
script that may not be executed.
"""

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from maskwright import hosts
from plan import Plan

CHECKOUT = Path(__file__).resolve().parent.parent

_GIMP_README = """\
Remove Background for GIMP 3
============================

Unpack the folder "maskwright" of this ZIP into the folder for plug-ins that GIMP names under
Edit > Preferences > Folders > Plug-Ins, which is, for GIMP 3.0:

  Linux    ~/.config/GIMP/3.0/plug-ins
  Windows  %APPDATA%\\GIMP\\3.0\\plug-ins
  macOS    ~/Library/Application Support/GIMP/3.0/plug-ins

Newer versions have a folder of their own, 3.2 for example; GIMP makes it when it is first started.
On Linux and macOS the file maskwright/maskwright.py must stay executable; most programs keep it so,
unzip among them.

Start GIMP again: there is now Filters > Remove Background. It needs Maskwright's engine, which is
installed apart from this; installing that puts this plug-in in place, too.
"""

# The same bytes each time: nobody needs to know when this was run.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_FOLDER_MODE, _FILE_MODE, _SCRIPT_MODE = 0o40755, 0o100644, 0o100755


def build_krita(plan: Plan) -> Path:
    """Make the ZIP for Krita."""
    return write_krita(plan.out / f"maskwright-krita-{plan.version}.zip")


def build_gimp(plan: Plan) -> Path:
    """Make the ZIP for GIMP."""
    return write_gimp(plan.out / f"maskwright-gimp-{plan.version}.zip")


def write_krita(target: Path) -> Path:
    """Write what Krita can import, whole or not at all."""
    parts = hosts.krita_parts(CHECKOUT / "plugin")
    # The importer chooses the folders.
    named = {str(PurePosixPath(*PurePosixPath(place).parts[1:])): parts[place] for place in parts}
    return _write(target, {name: source.read_bytes() for name, source in named.items()})


def write_gimp(target: Path) -> Path:
    """Write the folder that GIMP finds, whole or not at all."""
    parts = hosts.gimp_parts(CHECKOUT / "plugin")
    contents = {f"{hosts.PLUGIN}/{name}": source.read_bytes() for name, source in parts.items()}
    contents[f"{hosts.PLUGIN}/README.txt"] = _GIMP_README.encode()
    contents[f"{hosts.PLUGIN}/LICENSE"] = (CHECKOUT / "LICENSE").read_bytes()
    return _write(target, contents)


def _write(target: Path, contents: Mapping[str, bytes]) -> Path:
    script = f"{hosts.PLUGIN}/{hosts.GIMP_SCRIPT}"
    unfinished = target.with_name(f"{target.name}.new")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in _with_folders(contents):
            info = zipfile.ZipInfo(name, _LONG_AGO)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # the permissions are those of POSIX
            mode = _FOLDER_MODE if name.endswith("/") else _FILE_MODE
            info.external_attr = (_SCRIPT_MODE if name == script else mode) << 16
            archive.writestr(info, contents.get(name, b""))
    return unfinished.replace(target)


def _with_folders(names: Mapping[str, bytes]) -> Iterator[str]:
    """The names, and before the first one in each folder the folder's, which ends with a stroke."""
    known = set[str]()
    for name in names:
        for folder in reversed(PurePosixPath(name).parents[:-1]):
            if (entry := f"{folder}/") not in known:
                known.add(entry)
                yield entry
        yield name
