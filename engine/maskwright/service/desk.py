"""The desk: takes photos in, has them matted one at a time, knows every job.

Everything here runs on the event loop, so nothing needs a lock; only the matting itself runs in a
thread, and what it has to say comes back through `call_soon_threadsafe`.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Final, Protocol

from maskwright_client.protocol import (
    ABSENCE_S,
    UNKNOWN_MATTE,
    Fault,
    MatteEvent,
    MatteInfo,
    MatteRequest,
    MatteState,
    Notice,
    Review,
    Spot,
)

from maskwright.cancel import CancelToken
from maskwright.errors import Cancelled, InputError, MaskwrightError
from maskwright.matting.looks import planned_runs
from maskwright.matting.pipeline import MatteResult, matte_photo
from maskwright.models.catalogue import ModelSpec
from maskwright.models.contract import Network
from maskwright.service.frames import Frame
from maskwright.service.jobs import Job
from maskwright.service.limits import JOB_S, Limits, Stopping, out_of_memory, unknown_model
from maskwright.service.mattes import MatteKey, MatteShelf, StoredMatte
from maskwright.service.network_process import Running, Specs
from maskwright.service.pace import Pace
from maskwright.service.turns import Turns

log = logging.getLogger(__name__)

# How often those who listen hear of a job that does not change: its time left, and that we live.
TICK_S: Final = 0.25
# A stream that broke off is not opened again; with the time a network takes to stop, the engine is
# idle within a second of its client's death.
GONE_S: Final = 0.6
_KNOWN_JOBS: Final = 256


class OpenNetwork(Network, Protocol):
    """A network that says what it runs on; `network_process.RemoteNetwork` is one."""

    @property
    def running(self) -> Running:
        """What it runs on."""


class Networks(Protocol):
    """Who runs networks; `network_process.NetworkProcess` is one."""

    loaded: tuple[str, ...]

    def open(self, model_id: str, cancel: CancelToken) -> OpenNetwork:
        """Load a model if it is not loaded."""


class Desk:
    """Every job of this engine and the mattes that came of them."""

    def __init__(
        self,
        store: Specs,
        networks: Networks,
        limits: Limits,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.limits = limits
        self.mattes = MatteShelf(limits.cache_bytes)
        self._store = store
        self._networks = networks
        self._clock = clock
        self._pace = Pace()
        self._turns: Turns[Job] = Turns(limits.waiting, limits.waiting_each)
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._running: Job | None = None
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "matting")
        self.is_stopping = False

    @property
    def active(self) -> int:
        """Jobs that wait or run."""
        return len(self._turns) + (self._running is not None)

    def check_open(self) -> None:
        """Raise Busy or Stopping when no job can be taken, whoever asks."""
        if self.is_stopping:
            raise Stopping
        self._turns.check_room()

    def spec(self, model_id: str) -> ModelSpec:
        """The model's entry; InputError `unknown-model`, without an echo."""
        try:
            return self._store.spec(model_id)
        except InputError as error:
            raise unknown_model() from error

    def submit(self, frame: Frame[MatteRequest], receive_s: float) -> Job:
        """Take a photo in; raises Busy, Stopping and InputError `unknown-model`."""
        self.check_open()
        request, spec = frame.head, self.spec(frame.head.model)
        layout = (request.width, request.height, request.channels, request.bits)
        key = MatteKey(frame.digest, *layout, spec.sha256, request.focus)
        plan = self._pace.plan(
            spec.id,
            spec.bytes,
            spec.seconds,
            request.width * request.height,
            loaded=spec.id in self._networks.loaded,
            runs=planned_runs(spec.contract) if request.focus else 1,
        )
        job = Job(request, key, frame.samples, plan, receive_s, self._clock())
        found = self.mattes.get(key)
        if found is not None:
            self._finish_from(job, found)
        else:
            self._turns.add(request.client, job)
            self._wake.set()
        self._jobs[job.id] = job
        self._forget_old()
        self._expect_listener(job, ABSENCE_S)
        return job

    def job(self, job_id: str) -> Job:
        """The job of that id; InputError `unknown-matte`."""
        job = self._jobs.get(job_id)
        if job is None:
            raise _unknown()
        return job

    def matte(self, job_id: str) -> StoredMatte:
        """The finished matte of a job; InputError `unknown-matte` or `not-ready`."""
        job = self.job(job_id)
        if job.state is not MatteState.done:
            raise InputError("not-ready", "This matte is not finished; wait for its last event.")
        matte = self.mattes.get(job.key)
        if matte is None:
            raise _unknown()
        return matte

    def drop(self, job_id: str) -> None:
        """Cancel a job if it still goes on, and forget it and its matte; InputError likewise."""
        job = self.job(job_id)
        self._cancel(job)
        del self._jobs[job_id]
        if not any(other.key == job.key for other in self._jobs.values()):
            self.mattes.drop(job.key)

    async def events(self, job: Job) -> AsyncIterator[MatteEvent]:
        """How the job stands, now and whenever that changes, until it has ended.

        Closing the iterator before that is how a client that is gone is noticed.
        """
        job.listeners += 1
        try:
            while True:
                job.changed.clear()
                event = self._event(job)
                yield event
                if event.state.is_final:
                    return
                try:
                    async with asyncio.timeout(TICK_S):
                        await job.changed.wait()
                except TimeoutError:
                    pass
        finally:
            job.listeners -= 1
            self._expect_listener(job, GONE_S)

    async def run(self) -> None:
        """Work through the jobs, for as long as the engine lives."""
        while True:
            self._running = job = self._turns.take()
            if job is None:
                self._wake.clear()
                await self._wake.wait()
                continue
            try:
                await self._do(job)
            finally:
                self._running = None

    def stop(self) -> None:
        """Take no more jobs, and end those that wait; the one that runs may finish."""
        self.is_stopping = True
        stopping = Stopping()
        while (job := self._turns.take()) is not None:
            job.fail(Fault(stopping.code, str(stopping)))

    def abandon(self) -> None:
        """Cancel the job that runs, too."""
        if self._running is not None:
            self._cancel(self._running)

    async def _do(self, job: Job) -> None:
        found = self.mattes.get(job.key)
        if found is not None:
            self._finish_from(job, found)
            return
        loop = asyncio.get_running_loop()
        queue_s = self._clock() - job.created_at
        limit = loop.call_later(JOB_S, self._overrun, job)
        try:
            # In no variable: with the error's traceback it would keep the pixels of a failed job.
            matte, seconds = await loop.run_in_executor(self._thread, self._work, job, loop)
        except Cancelled:
            job.move(MatteState.cancelled)
        except MaskwrightError as error:
            log.warning("job failed: %s", error.code)
            job.fail(Fault(error.code, str(error)))
        except MemoryError:
            reason = out_of_memory()
            job.fail(Fault(reason.code, str(reason)))
        except Exception:
            log.exception("job failed")
            sentence = "The engine failed inside; look at its log and report it."
            job.fail(Fault("internal-error", sentence))
        else:
            self._pace.saw(job.request.model, seconds)
            stages = {"receive": job.receive_s, "queue": queue_s, **seconds}
            matte.info = replace(matte.info, seconds=stages)
            self.mattes.put(job.key, matte)
            job.finish(matte.info)
        finally:
            limit.cancel()

    def _work(
        self, job: Job, loop: asyncio.AbstractEventLoop
    ) -> tuple[StoredMatte, dict[str, float]]:
        """The job itself, in the thread for matting."""

        def tell(stage: str, fraction: float) -> None:
            loop.call_soon_threadsafe(job.enter, stage, fraction, self._clock())

        model = job.request.model
        began = self._clock()
        if model not in self._networks.loaded:
            loop.call_soon_threadsafe(self._loading, job, began)
        network = self._networks.open(model, job.cancel)
        load_s = self._clock() - began
        result = matte_photo(
            job.photo(), network, cancel=job.cancel, progress=tell, focus=job.request.focus
        )
        seconds = {"load": load_s, **result.seconds}
        return _stored(job.request, network.running, result), seconds

    def _loading(self, job: Job, now: float) -> None:
        job.plan.enter("load", now)
        job.move(MatteState.loading)

    def _finish_from(self, job: Job, matte: StoredMatte) -> None:
        seconds = {"receive": job.receive_s}
        job.finish(replace(matte.info, seconds=seconds, network_runs=0, from_cache=True))

    def _overrun(self, job: Job) -> None:
        sentence = (
            f"The job took over {JOB_S / 60:.0f} minutes; use a smaller layer or a faster model."
        )
        job.fail(Fault("too-slow", sentence))
        job.cancel.cancel()

    def _cancel(self, job: Job) -> None:
        if job.state.is_final:
            return
        self._turns.drop(job)
        job.cancel.cancel()
        if job is not self._running:
            job.move(MatteState.cancelled)

    def _expect_listener(self, job: Job, within_s: float) -> None:
        """Cancel the job if nobody listens to it by then."""
        if not job.state.is_final:
            loop = asyncio.get_running_loop()
            loop.call_later(within_s, lambda: None if job.listeners else self._cancel(job))

    def _event(self, job: Job) -> MatteEvent:
        now = self._clock()
        if job.state is not MatteState.queued:
            return job.event(now)
        ahead = [] if self._running in (None, job) else [self._running]
        for other in self._turns.in_order():
            if other is job:
                break
            ahead.append(other)
        return job.event(now, [one.plan.left(now) for one in ahead])

    def _forget_old(self) -> None:
        """Keep the list of jobs short; those that go on are never forgotten."""
        ended = [job_id for job_id, job in self._jobs.items() if job.state.is_final]
        for job_id in ended[: max(0, len(self._jobs) - _KNOWN_JOBS)]:
            del self._jobs[job_id]


def _unknown() -> InputError:
    return InputError(
        UNKNOWN_MATTE, "The engine does not have this matte any more; remove the background again."
    )


def _stored(request: MatteRequest, running: Running, result: MatteResult) -> StoredMatte:
    notices = tuple(Notice(one.code, one.message, float(one.value)) for one in result.warnings)
    doubt = float(result.review.doubt)
    info = MatteInfo(
        width=request.width,
        height=request.height,
        bits=request.bits,
        model=request.model,
        provider=running.provider,
        device=running.device,
        network_runs=result.network_runs,
        from_cache=False,
        seconds={},
        doubt=doubt,
        warnings=(*running.notices, *notices),
    )
    spots = tuple(Spot(**asdict(spot)) for spot in result.review.spots)
    return StoredMatte(result.matte, info, Review(doubt, spots))
