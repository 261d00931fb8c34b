"""The application behind the gate: an endpoint for each line of the protocol."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from maskwright_client.codec import WireError, dumps, loads
from maskwright_client.protocol import (
    ALPHA_TYPE,
    BUSY,
    CLEAN_COLOURS,
    JSON_TYPE,
    PIXELS_TYPE,
    PROTOCOL_MAX,
    PROTOCOL_MIN,
    STOPPING,
    UNSUPPORTED,
    AlphaHead,
    AlphaRequest,
    ColoursRequest,
    Combine,
    DownloadRequest,
    Failure,
    Fault,
    Freed,
    Hello,
    MatteCreated,
    MatteRequest,
    ModelInfo,
    ModelList,
    Pixels,
    Pong,
    ping_proof,
)
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from maskwright import __version__
from maskwright.errors import InputError, MaskwrightError
from maskwright.matting.photo import Samples
from maskwright.models.catalogue import ModelSpec
from maskwright.models.machine import available_memory
from maskwright.models.store import Installed, Store
from maskwright.service.cleaning import Cleaning
from maskwright.service.desk import Desk
from maskwright.service.downloads import Downloads
from maskwright.service.frames import FrameReply, Lines, read_body, read_frame, while_wanted
from maskwright.service.limits import (
    RETRY_AFTER_S,
    check_client,
    check_layout,
    check_memory,
    check_request,
    cleaning_bytes,
    is_model_id,
    matting_bytes,
    status_of,
    unknown_model,
)
from maskwright.service.network_process import NetworkProcess
from maskwright.service.routes import RULES

log = logging.getLogger(__name__)

_NONCE_DIGITS = range(32, 129)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Identity:
    """What this engine is known by: written to the runtime file, proven by a ping."""

    instance_id: str
    token: str
    port: int


class Endpoints:
    """The engine's answers."""

    def __init__(
        self,
        identity: Identity,
        store: Store,
        networks: NetworkProcess,
        desk: Desk,
        cleaning: Cleaning,
        downloads: Downloads,
        stop: Callable[[], None],
    ) -> None:
        self._identity = identity
        self._store = store
        self._networks = networks
        self._desk = desk
        self._downloads = downloads
        self._cleaning = cleaning
        self._stop = stop

    async def ping(self, request: Request) -> Response:
        """Prove that this is the engine whose token the asker has read."""
        nonce = request.query_params.get("nonce", "")
        if len(nonce) not in _NONCE_DIGITS or not all(c in "0123456789abcdef" for c in nonce):
            raise InputError("bad-request", "A nonce has 32 to 128 hexadecimal digits.")
        return _json(Pong(ping_proof(self._identity.token, nonce, self._identity.port)))

    async def hello(self, request: Request) -> Response:
        """Say who this is and how it stands."""
        last = self._networks.last
        return _json(
            Hello(
                protocol_min=PROTOCOL_MIN,
                protocol_max=PROTOCOL_MAX,
                engine_version=__version__,
                instance_id=self._identity.instance_id,
                loaded_models=self._networks.loaded,
                device=last.device if last else None,
                provider=last.provider if last else None,
                network_runs=self._networks.runs,
                jobs=self._desk.active + self._cleaning.active,
                max_pixels=self._desk.limits.max_pixels,
                features=(CLEAN_COLOURS,),
            )
        )

    async def create(self, request: Request) -> Response:
        """Take a photo in."""
        self._desk.check_open()
        began = time.perf_counter()
        frame = await read_frame(request, MatteRequest, self._photo_bytes)
        job = self._desk.submit(frame, time.perf_counter() - began)
        return _json(MatteCreated(job.id), 202)

    async def forget(self, request: Request) -> Response:
        """Cancel a job, forget a matte."""
        self._desk.drop(request.path_params["id"])
        return Response(status_code=204)

    async def events(self, request: Request) -> ASGIApp:
        """Tell how a job stands until it has ended."""
        job = self._desk.job(request.path_params["id"])
        return Lines(lambda: self._desk.events(job))

    async def alpha(self, request: Request) -> ASGIApp:
        """Hand out a matte with edge settings."""
        matte = self._desk.matte(request.path_params["id"])

        def mask_bytes(asked: AlphaRequest) -> int:
            width, height = matte.answer_size(asked)
            return 0 if asked.combine is Combine.replace else width * height

        frame = await read_frame(request, AlphaRequest, mask_bytes)

        def work() -> Samples:
            width, height = matte.answer_size(frame.head)
            mask = frame.samples.reshape(height, width) if frame.samples.size else None
            return matte.alpha(frame.head, mask)

        alpha = await asyncio.to_thread(work)
        self._desk.mattes.trim()
        height, width = alpha.shape
        return FrameReply(ALPHA_TYPE, AlphaHead(width, height, 8 * alpha.itemsize), alpha)

    async def review(self, request: Request) -> Response:
        """Say how doubtful a matte is."""
        return _json(self._desk.matte(request.path_params["id"]).review)

    async def colours(self, request: Request) -> ASGIApp:
        """Clean a layer's colours."""
        self._cleaning.check_open()
        frame = await read_frame(request, ColoursRequest, self._layer_bytes)
        asked = frame.head
        cleaned = await while_wanted(request.receive, self._cleaning.clean(frame))
        layout = Pixels(asked.width, asked.height, asked.channels, asked.bits)
        return FrameReply(PIXELS_TYPE, layout, cleaned)

    async def hints(self, request: Request) -> Response:
        """Hints: not yet."""
        self._desk.matte(request.path_params["id"])
        raise InputError(UNSUPPORTED, "This engine takes no hints yet; update it later.")

    async def models(self, request: Request) -> Response:
        """List the models."""
        return _json(await asyncio.to_thread(self._models))

    async def download(self, request: Request) -> Response:
        """Begin to load a model."""
        spec = self._model(request)
        wish = loads(DownloadRequest, await read_body(request))
        check = partial(self._store.check_licence, spec, wish.accept_licence)
        await asyncio.to_thread(check)
        await self._downloads.start(spec.id, spec.bytes, accept_licence=wish.accept_licence)
        return Response(status_code=202)

    async def download_events(self, request: Request) -> ASGIApp:
        """Tell how a download stands until it has ended."""
        spec = self._model(request)
        if not self._downloads.knows(spec.id):
            raise InputError("not-found", "This model is not being downloaded.")
        return Lines(lambda: self._downloads.events(spec.id))

    async def download_cancel(self, request: Request) -> Response:
        """Stop a download."""
        self._downloads.cancel(self._model(request).id)
        return Response(status_code=204)

    async def free(self, request: Request) -> Response:
        """Give the models' memory back now."""
        await read_body(request)
        return _json(Freed(await asyncio.to_thread(self._networks.stop)))

    async def shutdown(self, request: Request) -> Response:
        """End, once what runs is done."""
        await read_body(request)
        self._stop()
        return Response(status_code=202)

    def _photo_bytes(self, request: MatteRequest) -> int:
        check_request(request, self._desk.limits)
        self._desk.spec(request.model)
        check_memory(matting_bytes(request), available_memory())
        return request.pixels_bytes

    def _layer_bytes(self, request: ColoursRequest) -> int:
        check_layout(request, self._desk.limits)
        check_client(request.client)
        check_memory(cleaning_bytes(request), available_memory())
        return request.pixels_bytes + request.mask_bytes

    def _model(self, request: Request) -> ModelSpec:
        model_id = str(request.path_params["id"])
        if not is_model_id(model_id):
            raise unknown_model()
        return self._desk.spec(model_id)

    def _models(self) -> ModelList:
        installed = {one.spec.id: one for one in self._store.installed()}
        specs = {spec.id: spec for spec in self._store.catalogue.specs}
        specs |= {one.spec.id: one.spec for one in installed.values()}
        return ModelList(
            tuple(_model_info(spec, installed.get(spec.id)) for spec in specs.values())
        )


def _model_info(spec: ModelSpec, installed: Installed | None) -> ModelInfo:
    return ModelInfo(
        id=spec.id,
        title=spec.title,
        use=spec.use,
        licence=spec.licence,
        licence_url=spec.licence_url,
        commercial=spec.commercial,
        bytes=spec.bytes,
        installed=installed is not None and installed.problem is None,
        builtin=spec.builtin,
        recommended=spec.recommended,
        verified=spec.verified,
        gated=spec.gated,
        seconds=spec.seconds,
        memory_mb=spec.memory_mb,
        note=spec.note,
        problem=installed.problem if installed else None,
    )


def build_app(endpoints: Endpoints) -> Starlette:
    """The application; the gate goes in front of it."""
    routes = [
        Route(rule.path, getattr(endpoints, rule.name), methods=[rule.method]) for rule in RULES
    ]
    handlers: Mapping[Any, Any] = {
        MaskwrightError: _told,
        WireError: _misunderstood,
        ClientDisconnect: _left,
        HTTPException: _not_found,
        Exception: _broken,
    }
    return Starlette(routes=routes, exception_handlers=handlers)


def _json(record: Any, status: int = 200) -> Response:
    return Response(dumps(record), status, media_type=JSON_TYPE)


def _failure(code: str, message: str, status: int) -> Response:
    response = _json(Failure(Fault(code, message)), status)
    if code in (BUSY, STOPPING):
        response.headers["retry-after"] = str(RETRY_AFTER_S)
    if status == 408:  # what still drips in must not keep the connection
        response.headers["connection"] = "close"
    return response


async def _told(request: Request, error: MaskwrightError) -> Response:
    return _failure(error.code, str(error), status_of(error))


async def _misunderstood(request: Request, error: WireError) -> Response:
    return _failure("bad-request", f"The request is not what was agreed: {error}.", 400)


async def _not_found(request: Request, error: HTTPException) -> Response:
    return _failure("not-found", "There is nothing here.", 404)


async def _left(request: Request, error: ClientDisconnect) -> Response:
    return Response(status_code=400)  # nobody is there to read it


async def _broken(request: Request, error: Exception) -> Response:
    return _failure("internal-error", "The engine failed inside; look at its log.", 500)
