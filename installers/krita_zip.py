"""Make the ZIP for Krita's Tools > Scripts > Import Python Plugin from File.

    python3 installers/krita_zip.py maskwright-krita.zip

Krita's importer finds a plug-in by the entry of its folder, which must be in the ZIP as such, and
takes the action file from anywhere as long as it is called after the plug-in.
"""

import argparse
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from engine_hosts import hosts

CHECKOUT = Path(__file__).resolve().parent.parent

# The same bytes each time: nobody needs to know when this was run.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_FOLDER_MODE, _FILE_MODE = 0o40755, 0o100644


def entries() -> Iterator[tuple[str, bytes]]:
    """What is in the ZIP: names and contents; a folder's name ends with a stroke."""
    folders = set[str]()
    for place, source in hosts.krita_parts(CHECKOUT / "plugin").items():
        name = PurePosixPath(*PurePosixPath(place).parts[1:])  # the importer chooses the folder
        for folder in reversed(name.parents[:-1]):
            if (entry := f"{folder}/") not in folders:
                folders.add(entry)
                yield entry, b""
        yield str(name), source.read_bytes()


def build(target: Path) -> None:
    """Write the ZIP, whole or not at all."""
    unfinished = target.with_name(f"{target.name}.new")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries():
            info = zipfile.ZipInfo(name, _LONG_AGO)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (_FOLDER_MODE if name.endswith("/") else _FILE_MODE) << 16
            archive.writestr(info, content)
    unfinished.replace(target)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description="Make the ZIP that Krita can import.")
    parser.add_argument("target", type=Path, help="the ZIP to write")
    build(parser.parse_args(arguments).target)


if __name__ == "__main__":
    main()
