"""Being another user of this computer: a process that has given up everything that root may do."""

import json
import os
import traceback
from collections.abc import Callable

NOBODY = 65_534


def as_nobody(work: Callable[[], object]) -> object:
    """What `work` returns, as JSON has it, done in a process of the user nobody; needs root.

    The interpreter's files may be closed to nobody, so `work` uses what is imported already.
    """
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            said = json.dumps({"result": work()})
        except BaseException:
            said = json.dumps({"error": traceback.format_exc()})
        os.write(theirs, said.encode())
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        heard = json.loads(pipe.read())
    os.waitpid(child, 0)
    assert "error" not in heard, heard["error"]
    return heard["result"]


def attempts(*works: Callable[[], object]) -> list[str]:
    """What became of each: `done`, or the error's name."""
    found = []
    for work in works:
        try:
            work()
            found.append("done")
        except OSError as error:
            found.append(type(error).__name__)
    return found
