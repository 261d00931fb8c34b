"""A file server for download tests that can do everything wrong, and a store that loads from it."""

import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import maskwright
from maskwright.cancel import CancelToken
from maskwright.errors import MaskwrightError
from maskwright.models.access import Access
from maskwright.models.catalogue import Catalogue, ModelSpec, load_catalogue
from maskwright.models.download import Downloader, Step
from maskwright.models.store import Store

CONTENT = random.Random(1).randbytes(300_000)
OTHER = random.Random(2).randbytes(300_000)
LONGER = CONTENT + b"!"
FLIPPED = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
ENGINE = Path(maskwright.__file__).parents[1]

Reply = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Notes each request and lets the server's script answer it."""

    server: "Server"

    def do_GET(self) -> None:
        self.server.seen.append((self.path, dict(self.headers)))
        script = self.server.script
        reply = script.pop(0) if len(script) > 1 else script[0]
        with suppress(ConnectionError):  # the client may walk away at any time
            reply(self)

    def do_CONNECT(self) -> None:
        self.send_error(403)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def head(self, status: int, **headers: str | int) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def send(
        self, content: bytes, start: int = 0, stop: int | None = None, **headers: str | int
    ) -> None:
        """Promise the content from `start` on, unless headers say otherwise; stop at `stop`."""
        total = len(content)
        promised: dict[str, str | int] = {"Content_Length": total - start}
        if start:
            promised["Content_Range"] = f"bytes {start}-{total - 1}/{total}"
        self.head(206 if start else 200, **{**promised, **headers})
        self.wfile.write(content[start:stop])


class Server(ThreadingHTTPServer):
    """Answers the next request by the next reply of the script, and goes on with the last."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[Reply] = [whole()]
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.released = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        raise AssertionError("the test's server failed")

    def url(self, path: str = "model.onnx", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_port}/{path}"


def asked(handler: Handler, etag: str) -> int:
    """Where a well-behaved server starts: at the Range asked for, if If-Range still fits."""
    wanted = handler.headers.get("Range")
    if wanted is None or handler.headers.get("If-Range") != etag:
        return 0
    return int(wanted.removeprefix("bytes=").removesuffix("-"))


def whole(content: bytes = CONTENT, etag: str = '"v1"') -> Reply:
    return lambda handler: handler.send(content, asked(handler, etag), ETag=etag)


def drop(after: int, content: bytes = CONTENT, etag: str = '"v1"') -> Reply:
    def reply(handler: Handler) -> None:
        start = asked(handler, etag)
        handler.send(content, start, start + after, ETag=etag)

    return reply


def stall(after: int, *, head: bool = True) -> Reply:
    def reply(handler: Handler) -> None:
        if head:
            handler.send(CONTENT, 0, after, ETag='"v1"')
        handler.wfile.flush()
        handler.server.released.wait(10)

    return reply


def status(code: int, **headers: str | int) -> Reply:
    return lambda handler: handler.head(code, Content_Length=0, **headers)


def chunked(content: bytes) -> Reply:
    def reply(handler: Handler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.head(200, Transfer_Encoding="chunked", Connection="close")
        for at in range(0, len(content), 50_000):
            piece = content[at : at + 50_000]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.write(b"0\r\n\r\n")
        handler.close_connection = True

    return reply


def piece(start: int, total: int, **headers: str | int) -> Reply:
    return lambda handler: handler.send(
        CONTENT,
        100_000,
        None,
        **{"Content_Range": f"bytes {start}-{total - 1}/{total}", **headers},
    )


def to(location: str, code: int = 302) -> Reply:
    return status(code, Location=location)


def serve() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running
        running.released.set()
        running.shutdown()


def spec_of(*urls: str, **changes: Any) -> ModelSpec:
    base = load_catalogue().get("u2net")
    return replace(
        base,
        id="tiny",
        title="Tiny",
        urls=urls,
        bytes=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        **changes,
    )


@dataclass
class Bench:
    """A store in a scratch folder, and everything that its download did."""

    root: Path
    slept: list[float]
    progress: list[tuple[int, int]]
    steps: list[Step]
    free: int = 1 << 40
    stall_s: float = 5.0
    environ: dict[str, str] | None = None

    def store(self, spec: ModelSpec) -> Store:
        downloader = Downloader(
            allow_http=True,
            stall_s=self.stall_s,
            sleep=self.slept.append,
            jitter=lambda: 0.5,
            disk_free=lambda folder: self.free,
            on_step=self.steps.append,
        )
        access = Access(self.root.parent / "settings.json", self.environ or {})
        return Store(self.root, Catalogue((spec,)), fetch=downloader.fetch, access=access)

    def get(self, spec: ModelSpec, cancel: CancelToken | None = None) -> str:
        """Load the model: `fine`, or the code of the error; never anything bad on the disk."""
        try:
            path = self.store(spec).get(
                "tiny",
                progress=lambda done, total: self.progress.append((done, total)),
                cancel=cancel,
            )
        except MaskwrightError as error:
            code, sentence = error.code, str(error)
        else:
            code, sentence = "fine", ""
        assert "\n" not in sentence
        if code != "fine":
            assert not self.final.exists()
            return code
        assert path == self.final
        assert path.read_bytes() == CONTENT
        assert {entry.name for entry in path.parent.iterdir()} == {"tiny.onnx", "seal.json"}
        return code

    @property
    def final(self) -> Path:
        return self.root / "tiny" / "tiny.onnx"

    @property
    def part(self) -> Path:
        return self.root / "tiny" / "tiny.onnx.part"


class Sleeper(list[float]):
    """Sleeps for real where a test wants to see waiting."""

    def append(self, seconds: float) -> None:
        time.sleep(seconds)


CHILD = """
import json, os, resource, signal, sys
from dataclasses import replace
from pathlib import Path
from maskwright.models.access import Access
from maskwright.models.catalogue import Catalogue, load_catalogue
from maskwright.models.download import Downloader
from maskwright.models.store import Store
from maskwright.errors import MaskwrightError

job = json.loads(sys.argv[1])

def run(root, kill=None):
    spec = replace(
        load_catalogue().get("u2net"), id="tiny", urls=(job["url"],),
        bytes=job["bytes"], sha256=job["sha256"],
    )
    def die(): os.kill(os.getpid(), signal.SIGKILL)
    def step(done): die() if done.value == kill else None
    def progress(done, total): die() if isinstance(kill, int) and done >= kill else None
    fetch = Downloader(allow_http=True, sleep=lambda s: None, on_step=step).fetch
    store = Store(
        Path(root), Catalogue((spec,)), fetch=fetch, access=Access(Path(root) / "none", {})
    )
    try:
        store.get("tiny", progress=progress)
    except MaskwrightError as error:
        return error.code
    return "fine"

def forked(root, kill):
    child = os.fork()
    if child == 0:
        run(root, kill)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

if "limit" in job:
    resource.setrlimit(resource.RLIMIT_FSIZE, (job["limit"], job["limit"]))
if "kills" in job:
    print(json.dumps([[forked(root, kill) for kill in kills] for root, kills in job["kills"]]))
else:
    print(json.dumps(run(job["root"])))
"""


def start_child(server: Server, **job: Any) -> "subprocess.Popen[str]":
    spec = spec_of()
    order = {"url": server.url(), "bytes": spec.bytes, "sha256": spec.sha256, **job}
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, json.dumps(order)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ENGINE)},
    )


def answer(child: "subprocess.Popen[str]") -> Any:
    out, _ = child.communicate(timeout=30)
    assert child.returncode == 0
    return json.loads(out)
