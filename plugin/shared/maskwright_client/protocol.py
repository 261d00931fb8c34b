"""The wire between plug-ins and engine, version 1: what goes over it, and where.

The engine imports this very module, so there is one description. A job is a matte: pixels go in,
raw alpha comes out, everything else is JSON.

    GET    /v1/ping?nonce=HEX         -> Pong       proves the engine; the only one without a token
    GET    /v1/hello                  -> Hello
    POST   /v1/mattes                 MatteRequest + pixels -> MatteCreated (202)
    GET    /v1/mattes/ID/events       -> MatteEvent, a line each, until the last one
    POST   /v1/mattes/ID/alpha        AlphaRequest (+ mask) -> AlphaHead + alpha; always as frames
    GET    /v1/mattes/ID/review       -> Review
    POST   /v1/mattes/ID/hints        -> error `unsupported`, until the engine takes hints
    DELETE /v1/mattes/ID              cancels the job if it runs, forgets its matte; 204
    POST   /v1/colours                ColoursRequest + pixels + mask -> Pixels + pixels; as frames
    GET    /v1/models                 -> ModelList
    POST   /v1/models/ID/download     DownloadRequest -> 202, or error `licence-not-accepted`
    GET    /v1/models/ID/download     -> DownloadEvent, a line each, until the last one
    DELETE /v1/models/ID/download     cancels; what was loaded stays for the next try; 204
    POST   /v1/free                   {} -> Freed   lets go of the models' memory
    POST   /v1/shutdown               {}; the engine finishes what runs and ends; 202

Every request names the token (`Authorization: Bearer TOKEN`) and the exact Host. One with a body
names its exact Content-Length and its type. An error is an HTTP status and `Failure`.

Where raw samples go along, the body is a frame: the head's length in bytes (4, big-endian), the
head (JSON), the samples. Samples are rows from top to bottom without padding; 16-bit samples are
little-endian; full range, sRGB encoded (for clean colours in any encoding, as they are).

A job lives while somebody listens to its events: one that nobody has listened to for ABSENCE_S is
cancelled, as its client is gone. A finished matte stays until the engine needs the room. Clean
colours are no job: the answer comes when they are there, and who hangs up before that, cancels.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from enum import Enum

# The versions of this page that this side speaks. A new optional field needs no new version.
PROTOCOL_MIN = 1
PROTOCOL_MAX = 1

JSON_TYPE = "application/json"
LINES_TYPE = "application/x-ndjson"
PIXELS_TYPE = "application/vnd.maskwright.pixels"
ALPHA_TYPE = "application/vnd.maskwright.alpha"

HEAD_LENGTH_BYTES = 4
MAX_HEAD_BYTES = 64 * 1024
MAX_REPLY_JSON_BYTES = 1024 * 1024
MAX_SIDE = 32767
ABSENCE_S = 0.7
NONCE_BYTES = 32

# What `MaskwrightError.code` and the engine's refusals are called; sentences are for people.
UNSUPPORTED = "unsupported"
UNKNOWN_MATTE = "unknown-matte"
BUSY = "engine-busy"
STOPPING = "engine-stopping"


# What `Hello.features` may name; an engine that does not name one cannot do it.
CLEAN_COLOURS = "clean-colours"


class MatteState(Enum):
    """How far a job is; the last three are final."""

    queued = "queued"
    loading = "loading"
    predicting = "predicting"
    refining = "refining"
    done = "done"
    failed = "failed"
    cancelled = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing comes after it."""
        return self in (MatteState.done, MatteState.failed, MatteState.cancelled)


class DownloadState(Enum):
    """How far a download is; the last three are final."""

    downloading = "downloading"
    done = "done"
    failed = "failed"
    cancelled = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing comes after it."""
        return self is not DownloadState.downloading


class Combine(Enum):
    """How a new matte meets the mask that is already there."""

    replace = "replace"
    intersect = "intersect"
    add = "add"
    subtract = "subtract"


@dataclass(frozen=True)
class Notice:
    """Something to say about a result: a stable code, a sentence, the number behind it if any."""

    code: str
    message: str
    value: float | None = None


@dataclass(frozen=True)
class Fault:
    """Why something did not work: a stable code for programs, a sentence for people."""

    code: str
    message: str


@dataclass(frozen=True)
class Failure:
    """The body of every error reply."""

    error: Fault


@dataclass(frozen=True)
class Pong:
    """The engine's proof: `ping_proof` of its token, the nonce and the port it was asked on."""

    proof: str


@dataclass(frozen=True)
class Hello:
    """Who the engine is.

    instance_id:   the same as in the runtime file, new at every start.
    loaded_models: the models that are warm; a job with one of them pays no load.
    device:        what the last network ran on (cpu, cuda, openvino-gpu, ...), None before the
                   first.
    provider:      onnxruntime's name of the execution provider that ran it.
    network_runs:  how often a network has run since the start.
    jobs:          how many jobs wait or run, layers whose colours are cleaned among them.
    max_pixels:    the largest photo the engine takes.
    features:      what not every engine of this protocol version can do.
    """

    protocol_min: int
    protocol_max: int
    engine_version: str
    instance_id: str
    loaded_models: tuple[str, ...] = ()
    device: str | None = None
    provider: str | None = None
    network_runs: int = 0
    jobs: int = 0
    max_pixels: int = 120_000_000
    features: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pixels:
    """How the pixels that follow are laid out.

    channels: 3 for RGB; 4 for RGBA, not premultiplied.
    bits:     8 or 16 for each sample.
    """

    width: int
    height: int
    channels: int
    bits: int

    @property
    def pixels_bytes(self) -> int:
        """How many bytes they are."""
        return self.width * self.height * self.channels * (self.bits // 8)


@dataclass(frozen=True)
class MatteRequest(Pixels):
    """Find the subject of the photo whose pixels follow; its alpha guides the analysis only.

    model:  the model's id.
    client: who asks ("gimp", "krita", and what tells two of them apart); they take turns.
    focus:  whether the network may look more than once.
    """

    model: str
    client: str
    focus: bool = True


@dataclass(frozen=True)
class MatteCreated:
    """The job's id."""

    id: str


@dataclass(frozen=True)
class MatteInfo:
    """What there is to say about a finished matte.

    bits:         of the matte, as of the photo.
    provider:     onnxruntime's execution provider that really ran; `device` is its short name.
    network_runs: how often the network ran for this job; 0 if the matte was there already.
    from_cache:   whether the same pixels had been matted with the same model before.
    seconds:      wall time by stage: receive, queue, load, predict, focus, refine, review.
    doubt:        0 (sure) to 1, for the whole matte.
    """

    width: int
    height: int
    bits: int
    model: str
    provider: str
    device: str
    network_runs: int
    from_cache: bool
    seconds: dict[str, float]
    doubt: float
    warnings: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class MatteEvent:
    """How a job stands.

    fraction:     0..1 of the work, never falling.
    seconds_left: a guess, None where nobody can tell.
    ahead:        how many jobs come before this one.
    error:        with `failed`; `info` with `done`.
    """

    state: MatteState
    fraction: float = 0.0
    seconds_left: float | None = None
    ahead: int = 0
    error: Fault | None = None
    info: MatteInfo | None = None


@dataclass(frozen=True)
class Edges:
    """What a designer changes on a finished matte; neutral by default, lengths in photo pixels.

    shift:       -10 .. 10 px, positive grows the subject; fractions count.
    feather:     0 .. 20 px, the standard deviation of a Gaussian.
    contrast:    0 .. 1, firms up soft edges about the midpoint.
    midpoint:    0 .. 1, the alpha that contrast leaves where it is.
    solidify:    0 .. 1, makes haze inside the subject opaque.
    fill_holes:  holes of up to this many pixels become opaque.
    drop_specks: separate regions of up to this many pixels go.
    largest:     only the largest region stays.
    invert:      subject and background change places.
    """

    shift: float = 0.0
    feather: float = 0.0
    contrast: float = 0.0
    midpoint: float = 0.5
    solidify: float = 0.0
    fill_holes: float = 0.0
    drop_specks: float = 0.0
    largest: bool = False
    invert: bool = False


@dataclass(frozen=True)
class Region:
    """A rectangle of a matte, in pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class AlphaRequest:
    """Hand out a finished matte; no network runs.

    edges:   what to change.
    bits:    8 or 16 for each sample of the answer. Edge settings that are not neutral are computed
             in 8 bits.
    region:  only this part, as if cut out of the whole.
    preview: the longest side in pixels of a smaller version; see `preview_size`. Not with `region`.
    combine: how to meet an existing mask. Anything but `replace` wants the mask's samples after the
             head: 8 bits, of the size of the answer (the region's, or the preview's).
    """

    edges: Edges = field(default_factory=Edges)
    bits: int = 8
    region: Region | None = None
    preview: int | None = None
    combine: Combine = Combine.replace


@dataclass(frozen=True)
class AlphaHead:
    """What follows: width x height samples of alpha, 0 is background, full range is subject."""

    width: int
    height: int
    bits: int

    @property
    def alpha_bytes(self) -> int:
        """How many bytes of samples follow the head."""
        return self.width * self.height * (self.bits // 8)


@dataclass(frozen=True)
class ColoursRequest(Pixels):
    """Take the background's colour out of a layer where its mask is soft.

    The layer's pixels follow, then the mask with which they will be shown, 8 bits for each pixel
    whatever the pixels have. The engine need not know either: a mask may be painted. The answer has
    every sample that was sent, with the subject's own colours where the mask is neither 0 nor 255
    and the layer not transparent.

    client: who asks, as in `MatteRequest`.
    """

    client: str

    @property
    def mask_bytes(self) -> int:
        """How many bytes of mask follow the pixels."""
        return self.width * self.height


@dataclass(frozen=True)
class Spot:
    """A place where a matte is unsure: a box in photo pixels, and how unsure, 0..1."""

    x: int
    y: int
    width: int
    height: int
    doubt: float


@dataclass(frozen=True)
class Review:
    """How doubtful a matte is, as a whole and where."""

    doubt: float
    spots: tuple[Spot, ...] = ()


@dataclass(frozen=True)
class ModelInfo:
    """A model on offer, in plain words.

    use:        what it is good for.
    commercial: whether its licence allows commercial use; if not, it must be accepted to download.
    gated:      whether its publisher wants an access token.
    installed:  whether its file is here; `problem` says what is wrong with it.
    verified:   whether this project has run it.
    seconds:    one run on an ordinary processor; None where unknown, as for `memory_mb`.
    """

    id: str
    title: str
    use: str
    licence: str
    licence_url: str
    commercial: bool
    bytes: int
    installed: bool
    builtin: bool = False
    recommended: bool = False
    verified: bool = False
    gated: bool = False
    seconds: float | None = None
    memory_mb: int | None = None
    note: str = ""
    problem: str | None = None


@dataclass(frozen=True)
class ModelList:
    """Every model, in the order in which people should see them."""

    models: tuple[ModelInfo, ...]


@dataclass(frozen=True)
class DownloadRequest:
    """Load a model's file; `accept_licence` says that the user has read and accepts its licence."""

    accept_licence: bool = False


@dataclass(frozen=True)
class DownloadEvent:
    """How a download stands; `error` with `failed`."""

    state: DownloadState
    bytes_done: int = 0
    bytes_total: int = 0
    error: Fault | None = None


@dataclass(frozen=True)
class Freed:
    """The models whose memory was given back."""

    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class RuntimeFile:
    """What a running engine leaves for its clients, readable by its user only.

    schema:      1; another number is another kind of file.
    url:         http://127.0.0.1:PORT.
    token:       what every request but a ping must show.
    pid:         for people; it means nothing in another sandbox.
    started_at:  seconds since 1970.
    instance_id: the same as in `Hello`.
    """

    schema: int
    protocol_min: int
    protocol_max: int
    engine_version: str
    url: str
    token: str = field(repr=False)
    pid: int
    started_at: float
    instance_id: str


def preview_size(width: int, height: int, longest: int) -> tuple[int, int]:
    """Width and height of a matte whose longest side is at most `longest`; it never grows."""
    if max(width, height) <= longest:
        return width, height
    scale = longest / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def ping_proof(token: str, nonce: str, port: int) -> str:
    """What only somebody who knows the token can answer: HMAC-SHA256 of the nonce and the port.

    With the port in it, a stranger on another port cannot pass on the true engine's answer.
    """
    message = f"maskwright-ping {port} {nonce}".encode("ascii")
    return hmac.new(token.encode("ascii"), message, hashlib.sha256).hexdigest()
