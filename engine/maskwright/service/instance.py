"""One engine for each user: its folder, its lock, and the file that tells clients of it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from maskwright_client.codec import dumps
from maskwright_client.errors import EngineRefused
from maskwright_client.places import Places
from maskwright_client.protocol import RuntimeFile
from maskwright_client.trust import make_private_folder, replace_private

from maskwright.errors import ModelError


class AlreadyRunning(Exception):
    """Another engine of this user holds the lock."""


def provide_folder(folder: Path) -> None:
    """Make the engine's folder, its user's only; ModelError `unsafe-folder` if it is not that."""
    try:
        make_private_folder(folder)
        if os.name == "posix":
            folder.chmod(0o700)
    except EngineRefused as error:
        raise ModelError("unsafe-folder", str(error)) from error
    except OSError as error:
        raise unusable(folder, error) from error


def unusable(path: Path, error: OSError) -> ModelError:
    """What to say of a file or folder of the engine's that the system does not let it have."""
    return ModelError(
        "unsafe-folder",
        f"{path} cannot be used ({error.strerror}); move away what is there, then try again.",
    )


@contextmanager
def only_instance(places: Places) -> Iterator[None]:
    """Hold the lock; raises AlreadyRunning. The system lets go of it however the process ends."""
    lock = FileLock(places.lock, mode=0o600, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise AlreadyRunning from None
    except OSError as error:
        raise unusable(places.lock, error) from error
    try:
        yield
    finally:
        lock.release()


class Announcement:
    """The runtime file, in the engine's folder and where sandboxes look."""

    def __init__(self, places: Places, content: RuntimeFile) -> None:
        self._content = content
        self._main = places.runtime_file
        # Only where the snap is there: its `common` folder exists then.
        self._copies = [run / "engine.json" for run in places.shared_run if run.parent.is_dir()]

    def publish(self) -> None:
        """Write it."""
        for copy in self._copies:
            with suppress(OSError, ModelError):
                provide_folder(copy.parent)
                replace_private(copy, dumps(self._content))
        replace_private(self._main, dumps(self._content))

    def renew(self) -> None:
        """Write it again if somebody has removed it: without it nobody finds the engine."""
        if not self._main.exists():
            with suppress(OSError, EngineRefused):
                replace_private(self._main, dumps(self._content))

    def withdraw(self) -> None:
        """Remove it, unless it is another engine's by now."""
        ours = dumps(self._content)
        for path in (self._main, *self._copies):
            with suppress(OSError):
                if path.read_bytes() == ours:
                    path.unlink()
                    # Nothing else is in the folders of the copies; an uninstall knows none of them.
                    if path != self._main:
                        path.parent.rmdir()


def describe(
    *, version: str, url: str, token: str, instance_id: str, protocol: tuple[int, int]
) -> RuntimeFile:
    """What the runtime file says of this process."""
    return RuntimeFile(
        schema=1,
        protocol_min=protocol[0],
        protocol_max=protocol[1],
        engine_version=version,
        url=url,
        token=token,
        pid=os.getpid(),
        started_at=time.time(),
        instance_id=instance_id,
    )


def is_running(places: Places) -> bool:
    """Whether an engine of this user holds the lock, whatever else it does."""
    if not places.lock.exists():
        return False
    try:
        with only_instance(places):
            return False
    except AlreadyRunning:
        return True
