"""Wine 8's C runtime, completed by what numpy needs: see wine_complex.c.

A library in its place has the functions that are missing and hands all others on to it.
"""

import re
import shutil
import tempfile
from pathlib import Path

from environment import Shell

COMPILER = Path("/usr/bin/x86_64-w64-mingw32-gcc")
_OBJDUMP = Path("/usr/bin/x86_64-w64-mingw32-objdump")
_SOURCE = Path(__file__).resolve().parent / "wine_complex.c"
_NAME, _OTHER_NAME = "ucrtbase.dll", "ucrtwine.dll"
_BUILTIN, _BUILTIN_AT = b"Wine builtin DLL", 64


def mend(system: Path, shell: Shell) -> None:
    """Complete the runtime in a `system32` folder."""
    original = (system / _NAME).read_bytes()
    exported = _exported(system / _NAME, shell)
    # Wine looks for what bears its mark under the name of its own.
    mark = slice(_BUILTIN_AT, _BUILTIN_AT + len(_BUILTIN))
    assert original[mark] == _BUILTIN
    ordinary = bytearray(original)
    ordinary[mark] = bytes(len(_BUILTIN))
    with tempfile.TemporaryDirectory() as folder:
        definition, library = Path(folder, "runtime.def"), Path(folder, _NAME)
        definition.write_text(_definition(exported), encoding="ascii")
        command: list[str | Path] = [COMPILER, "-O2", "-s", "-shared", "-static-libgcc"]
        command += ["-fno-builtin", "-o", library, _SOURCE, definition]
        shell.run(command, "Wine's C runtime could not be completed")
        (system / _NAME).unlink()
        shutil.copy(library, system / _NAME)
    (system / _OTHER_NAME).write_bytes(ordinary)


def _exported(library: Path, shell: Shell) -> list[str]:
    """The names that a library has functions by."""
    told = shell.run([_OBJDUMP, "-p", library], f"{library} could not be read")
    table = told.partition("[Ordinal/Name Pointer] Table")[2].partition("\n\n")[0]
    names = [line.split()[-1] for line in table.splitlines() if "[" in line]
    assert "creal" in names
    return names


def _definition(exported: list[str]) -> str:
    """For the linker: what comes from where."""
    own = set(re.findall(r"^[A-Z]+\((\w+)\)$", _SOURCE.read_text(encoding="ascii"), re.MULTILINE))
    sources = {name: f"own_{name}" for name in own}
    sources |= {f"{name}f": f"own_{name}f" for name in own}
    sources |= {f"{name}l": f"own_{name}" for name in own}
    stem = Path(_OTHER_NAME).stem
    lines = [f'"{name}" = {sources.get(name) or f"{stem}.{name}"}' for name in exported]
    return "\n".join((f"LIBRARY {_NAME}", "EXPORTS", *lines, ""))
