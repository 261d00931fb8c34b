"""Krita's settings file: whether the plug-in is switched on, and where Krita's resources are.

The format is KConfig's. A group begins with its name in brackets and may come again; what is before
the first one is in none. Of equal keys the last one counts; blanks around keys and values do not,
flags like `[$i]` may follow a key or a group. What is not false, no, off or 0 is true. (All tried
with Krita 5.2 and 5.3.)

Whoever changes the file here leaves every other line as it is, byte for byte. A Krita that is
running keeps the change when it writes the file, and heeds it at its next start.
"""

import re
from collections.abc import Callable
from pathlib import Path

from .files import replace_file
from .host import PLUGIN

_GROUP = b"python"
_SWITCH = f"enable_{PLUGIN}".encode()
_RESOURCES = b"ResourceDirectory"
_FALSE = (b"false", b"no", b"off", b"0")
_HEADER = re.compile(rb"\[(.*?)\](?:\[\$\w+\])?")
_SETTING = re.compile(rb"([^=]*?)(?:\[\$\w+\])?\s*=(.*)", re.DOTALL)
_ESCAPED = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)")
_LETTERS = {b"s": b" ", b"t": b"\t", b"n": b"\n", b"r": b"\r"}
_MODE = 0o600  # of a file that Krita makes


def is_switched_on(settings: Path) -> bool | None:
    """Whether Krita starts the plug-in; None where nobody has said, which means no."""
    values = _values(_lines(settings), _GROUP, _SWITCH)
    return values[-1][1].lower() not in _FALSE if values else None


def switch_on(settings: Path) -> None:
    """Have Krita start the plug-in; raises OSError where that cannot be written."""
    _edit(settings, _switch_on)


def forget_switch(settings: Path) -> None:
    """Take out what `switch_on` has put in, and a file that has nothing else.

    Raises OSError where that cannot be written.
    """
    _edit(settings, _forget_switch)
    if settings.is_file() and not settings.stat().st_size:
        settings.unlink()


def resource_folder(settings: Path) -> Path | None:
    """Where the user wants Krita's resources to be; None for the usual place."""
    for _, value in _values(_lines(settings), b"", _RESOURCES)[-1:]:
        folder = Path(_ESCAPED.sub(_meant, value).decode(errors="replace"))
        return folder if folder.is_absolute() else None
    return None


def _meant(escaped: re.Match[bytes]) -> bytes:
    code = escaped[1]
    return bytes.fromhex(code[1:].decode()) if len(code) > 1 else _LETTERS.get(code, code)


def _lines(settings: Path) -> list[bytes]:
    try:
        return settings.read_bytes().splitlines(keepends=True)
    except OSError:
        return []


def _values(lines: list[bytes], group: bytes, key: bytes) -> list[tuple[int, bytes]]:
    """The numbers of the lines that set a key in a group, and what they set it to."""
    found, current = [], b""
    for number, line in enumerate(lines):
        if _is_header(line):
            header = _HEADER.fullmatch(line.strip())
            current = header[1] if header else line
        elif current == group:
            setting = _SETTING.fullmatch(line)
            if setting and setting[1].strip() == key:
                found.append((number, setting[2].strip()))
    return found


def _is_header(line: bytes) -> bool:
    return line.lstrip().startswith(b"[")


def _switch_on(lines: list[bytes], end: bytes) -> None:
    switch = _SWITCH + b"=true" + end
    header = b"[" + _GROUP + b"]"
    headers = [number for number, line in enumerate(lines) if line.strip() == header]
    if switches := _values(lines, _GROUP, _SWITCH):
        lines[switches[-1][0]] = switch
    elif headers:
        lines.insert(headers[0] + 1, switch)
    else:
        lines += [*([end] if lines else []), header + end, switch]


def _forget_switch(lines: list[bytes], end: bytes) -> None:
    for number, _ in reversed(_values(lines, _GROUP, _SWITCH)):
        del lines[number]
        first, last = number - 1, number
        while not _is_header(lines[first]):
            first -= 1
        while last < len(lines) and not _is_header(lines[last]):
            last += 1
        if not any(line.strip() for line in lines[first + 1 : last]):
            blank = first > 0 and not lines[first - 1].strip()
            del lines[first - blank : first + 1]


def _edit(settings: Path, change: Callable[[list[bytes], bytes], None]) -> None:
    """Let `change` work on the lines, each with its end; it is told how a new one should end."""
    content = settings.read_bytes() if settings.exists() else b""
    end = b"\r\n" if b"\r\n" in content else b"\n"
    is_open = bool(content) and not content.endswith(b"\n")
    lines = (content + end if is_open else content).splitlines(keepends=True)
    change(lines, end)
    changed = b"".join(lines)
    if is_open:
        changed = changed.removesuffix(end)
    if changed != content:
        there = settings.resolve()
        there.parent.mkdir(parents=True, exist_ok=True)
        replace_file(there, changed, there.stat().st_mode & 0o777 if there.exists() else _MODE)
