"""Working a folder off: several photos in hand, one network, every result remembered at once."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskwright.batch.ledger import LEDGER_NAME, Entry, Ledger, Source, Standing, stamp
from maskwright.batch.report import Outcome, Status
from maskwright.cancel import CancelToken
from maskwright.cutout import Cutter, Job, LoadedNetwork, Said, make_folder
from maskwright.errors import InputError
from maskwright.models.contract import Contract
from maskwright.results import Problem, attempt

_TURN_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Batch:
    """What is to be done: photos relative to `folder`, and each one's result relative to `out`.

    recipe: the digest of all settings and the model.
    jobs:   how many photos are held in memory at a time; while one is with the network the others
            are decoded and encoded.
    force:  make every result anew, whatever is there.
    """

    folder: Path
    out: Path
    plan: dict[Path, Path]
    recipe: str
    jobs: int
    force: bool = False


def run_batch(
    batch: Batch,
    cutter: Cutter,
    ledger: Ledger,
    cancel: CancelToken,
    on_outcome: Callable[[Outcome], None],
) -> list[Outcome]:
    """Make every result; `on_outcome` is told of each in the calling thread.

    A photo that fails is an outcome like any other. Raises Cancelled once every thread has let go;
    what was finished until then is in the ledger.
    """
    worker = _Worker(batch, cutter, ledger, cancel)
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(batch.jobs, thread_name_prefix="maskwright-batch") as pool:
        futures = [pool.submit(worker.work, photo) for photo in sorted(batch.plan)]
        try:
            for outcome in _as_they_come(futures):
                outcomes.append(outcome)
                on_outcome(outcome)
        except BaseException:
            cancel.cancel()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return outcomes


def open_ledger(out: Path) -> Ledger:
    """The ledger of the output folder `out`."""
    return Ledger(out / LEDGER_NAME)


def one_at_a_time(network: LoadedNetwork) -> LoadedNetwork:
    """The same network, run for one photo at a time.

    A run uses all cores by itself, and each one at the same time needs its own memory.
    """
    return _Queued(network)


class _Queued:
    """See `one_at_a_time`."""

    def __init__(self, network: LoadedNetwork) -> None:
        self._network = network
        self._turn = threading.Lock()

    @property
    def contract(self) -> Contract:
        return self._network.contract

    @property
    def model_id(self) -> str:
        return self._network.model_id

    @property
    def provider(self) -> str:
        return self._network.provider

    @property
    def device(self) -> str:
        return self._network.device

    @property
    def notices(self) -> Sequence[Said]:
        return self._network.notices

    def predict(self, pixels: NDArray[np.uint8], cancel: CancelToken) -> NDArray[np.float32]:
        while not self._turn.acquire(timeout=_TURN_POLL_S):
            cancel.check()
        try:
            return self._network.predict(pixels, cancel)
        finally:
            self._turn.release()


def _as_they_come(futures: list[Future[Outcome]]) -> Iterator[Outcome]:
    for future in as_completed(futures):
        yield future.result()


class _Worker:
    """Does one photo at a time, in whichever thread calls."""

    def __init__(self, batch: Batch, cutter: Cutter, ledger: Ledger, cancel: CancelToken) -> None:
        self._batch = batch
        self._cutter = cutter
        self._ledger = ledger
        self._cancel = cancel

    def work(self, photo: Path) -> Outcome:
        self._cancel.check()
        outcome = attempt(lambda: self._work(photo))
        return _failed(photo, outcome) if isinstance(outcome, Problem) else outcome

    def _work(self, photo: Path) -> Outcome:
        batch, result = self._batch, self._batch.plan[photo]
        source_path, target = batch.folder / photo, batch.out / result
        seen = stamp(source_path)
        if seen is None:
            raise InputError("not-found", f"There is no file {photo}; it may be a broken link.")
        source = Source(photo.as_posix(), seen, batch.recipe)
        standing = self._ledger.standing(result.as_posix(), stamp(target), source)
        if standing is Standing.current and not batch.force:
            return self._unchanged(photo, result)
        overwrite = batch.force or standing is Standing.outdated
        make_folder(target.parent)
        cut = self._cutter.cut(Job(source_path, target, overwrite))
        if isinstance(cut, Problem):
            return _failed(photo, cut)
        record = cut.as_json(photo.as_posix(), result.as_posix())
        made = stamp(target)
        if made is None:
            raise InputError("result-vanished", f"{target} was removed while the batch ran.")
        self._ledger.record(result.as_posix(), Entry(source, made, record))
        return Outcome(photo.as_posix(), Status.done, record)

    def _unchanged(self, photo: Path, result: Path) -> Outcome:
        entry = self._ledger.entry(result.as_posix())
        return Outcome(photo.as_posix(), Status.unchanged, entry.record if entry else None)


def _failed(photo: Path, problem: Problem) -> Outcome:
    return Outcome(
        photo.as_posix(),
        Status.failed,
        error=(problem.code, problem.message),
        exit_code=problem.exit_code,
    )
