"""Opening what a user named, and turning what decoders throw into one sentence."""

import errno
import io
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from maskwright.errors import InputError

STREAM_NAME = "The picture from standard input"

_DECODER_ERRORS = (
    # Pillow, tifffile and imagecodecs raise all of these on damaged files; `Warning` is for
    # callers who turned warnings into errors, RuntimeError the root of imagecodecs' errors.
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,
    struct.error,
    zlib.error,
)


@contextmanager
def open_source(source: Path | BinaryIO, max_bytes: int) -> Iterator[tuple[BinaryIO, str]]:
    """Yield a seekable stream at its beginning, and a name for messages.

    A stream that cannot seek (a pipe) is read into memory. The caller's own stream stays open.
    Raises InputError `not-found`, `no-permission`, `not-a-file`, `cannot-read`, `too-large`.
    """
    if not isinstance(source, Path):
        yield _rewindable(source, max_bytes), STREAM_NAME
        return
    name = source.name or str(source)
    with _open_regular(source, name) as file:
        if os.fstat(file.fileno()).st_size > max_bytes:
            raise InputError("too-large", f"{name} is over {max_bytes >> 20} MB; make it smaller.")
        yield file, name


def _open_regular(path: Path, name: str) -> BinaryIO:
    # The type is looked at before opening, as opening alone can rewind a tape, and again after
    # it, as the name may mean something else by then.
    try:
        _require_regular(path.stat().st_mode, name)
        file = open(path, "rb", opener=_open_without_waiting)  # noqa: SIM115
    except (OSError, ValueError) as error:
        raise _cannot_open(name, error) from error
    try:
        _require_regular(os.fstat(file.fileno()).st_mode, name)
    except InputError:
        file.close()
        raise
    return file


def _open_without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def _require_regular(mode: int, name: str) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise InputError("not-a-file", f"{name} is a folder; name a photo in it.")
    raise InputError(
        "not-a-file", f"{name} is a device or a pipe; use - to read from standard input."
    )


def _cannot_open(name: str, error: OSError | ValueError) -> InputError:
    number = error.errno if isinstance(error, OSError) else errno.EINVAL
    if number in (errno.ENOENT, errno.ENOTDIR, errno.EINVAL, errno.ENAMETOOLONG, errno.ELOOP):
        return InputError("not-found", f"There is no file {name}; check its name and folder.")
    if number in (errno.EACCES, errno.EPERM):
        return InputError("no-permission", f"{name} may not be read; check its permissions.")
    return InputError("cannot-read", f"{name} could not be read: {os.strerror(number or 0)}.")


def _rewindable(stream: BinaryIO, max_bytes: int) -> BinaryIO:
    if stream.seekable() and stream.tell() == 0:
        return stream
    data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise InputError("too-large", f"{STREAM_NAME} is over {max_bytes >> 20} MB.")
    return io.BytesIO(data)


@contextmanager
def decoding(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises into InputError `damaged-photo`, `too-large`, `cannot-read`.

    InputError and KeyboardInterrupt pass through.
    """
    try:
        yield
    except MemoryError as error:
        raise InputError(
            "too-large", f"{name} does not fit into this computer's memory; make it smaller first."
        ) from error
    except _DECODER_ERRORS as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise InputError(
                "cannot-read", f"{name} could not be read: {os.strerror(error.errno)}."
            ) from error
        raise InputError(
            "damaged-photo",
            f"{name} is damaged or incomplete; copy it again from where it came from.",
        ) from error
