"""An editor's end of a script line: runs what it is sent, one script after the other.

Everything in this folder is run by the Python of an editor.
"""

import json
import linecache
import os
import socket
import traceback
from typing import Any

_NAME = "<script of the test>"


def listen(path: str) -> socket.socket:
    """Wait for scripts at `path`, which appears when everything is ready."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path + ".new")
    listener.listen()
    os.rename(path + ".new", path)
    return listener


def serve_one(listener: socket.socket, names: dict[str, Any]) -> None:
    """Run the next script with `names`, to which it may add."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(10)
        job = json.loads(b"".join(iter(lambda: connection.recv(65536), b"")))
        connection.sendall(json.dumps(run(job, names)).encode())


def run(job: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    """What the script answers, or its traceback."""
    said = {"answer": None}
    names.update(given=job["given"], answer=lambda value: said.update(answer=value))
    # For the traceback, which shows the lines of files only.
    linecache.cache[_NAME] = (0, None, job["script"].splitlines(keepends=True), _NAME)
    try:
        exec(compile(job["script"], _NAME, "exec"), names)  # noqa: S102  # it is a test's
        json.dumps(said)
    except BaseException:
        return {"error": traceback.format_exc()}
    return said


def run_file(path: str, names: dict[str, Any]) -> bool:
    """Run the job that is described in a file; what is said of it goes to another beside it."""
    with open(path) as file:
        said = run(json.load(file), names)
    with open(path + ".said", "w") as file:
        json.dump(said, file)
    return "error" not in said
