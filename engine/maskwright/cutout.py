"""One photo file in, one result file out: what `cut` and `batch` do to every photo."""

import io
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from maskwright.cancel import CancelToken
from maskwright.errors import InputError
from maskwright.imaging.picture import DEFAULT_MAX_PIXELS, Picture
from maskwright.imaging.read import read_picture
from maskwright.imaging.save import check_target, write_atomically
from maskwright.imaging.write import (
    OutputFormat,
    cutout_format,
    encode_cutout,
    encode_matte,
    matte_format,
)
from maskwright.matting.colours import clean_colours
from maskwright.matting.edges import EdgeSettings, with_edges
from maskwright.matting.photo import Samples
from maskwright.matting.pipeline import MatteResult, matte_photo
from maskwright.models.contract import Network
from maskwright.naming import Product
from maskwright.results import Cut, Notice, Problem, attempt

Progress = Callable[[str, float], None]


class Said(Protocol):
    """A code and a sentence; warnings from every part of the engine are that at least."""

    @property
    def code(self) -> str:
        """For programs."""

    @property
    def message(self) -> str:
        """For people."""


class LoadedNetwork(Network, Protocol):
    """A network that knows what it runs on; `models.session.Session` is one."""

    @property
    def model_id(self) -> str:
        """The model's id."""

    @property
    def provider(self) -> str:
        """The execution provider that really ran."""

    @property
    def device(self) -> str:
        """The short name of the device that really ran."""

    @property
    def notices(self) -> Sequence["Said"]:
        """What people should know about how it runs."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to make of a photo, with which settings.

    clean_colours: whether a cut-out's soft pixels get the subject's own colours; all others, and
                   without it all, are the photo's.
    """

    product: Product = Product.cutout
    edges: EdgeSettings = field(default_factory=EdgeSettings)
    clean_colours: bool = False
    focus: bool = True
    max_pixels: int = DEFAULT_MAX_PIXELS

    def digest(self, model: str) -> str:
        """Name the recipe and the model (its id or its hash): equal digests, equal results."""
        what = [model, self.product.value, asdict(self.edges), self.focus]
        if self.clean_colours:  # results that were made before there was such a choice stay current
            what.append("clean-colours")
        return sha256(dumps(what).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Job:
    """Read `source`, write `target`; both are paths or binary streams."""

    source: Path | BinaryIO
    target: Path | BinaryIO
    overwrite: bool = False


class Cutter:
    """Makes results by one recipe with one network; threads may share it."""

    def __init__(
        self,
        network: LoadedNetwork,
        recipe: Recipe,
        cancel: CancelToken,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._network = network
        self._recipe = recipe
        self._cancel = cancel
        self._clock = clock

    def cut(self, job: Job, progress: Progress | None = None) -> Cut | Problem:
        """Make one result.

        What this photo suffers from comes back as a Problem, with nothing written. Raises
        Cancelled.
        """
        return attempt(lambda: self._cut(job, progress))

    def _cut(self, job: Job, progress: Progress | None) -> Cut:
        watch = _Watch(self._clock)
        picture = self._read(job)
        watch.lap("read")
        result = matte_photo(
            picture.photo,
            self._network,
            cancel=self._cancel,
            progress=progress,
            focus=self._recipe.focus,
        )
        watch.take(result.seconds)
        matte = with_edges(result.matte, self._recipe.edges)
        watch.lap("edges")
        if self._recipe.clean_colours:
            picture = _with_clean_colours(picture, matte, self._format(job), self._cancel)
            watch.lap("colours")
        self._cancel.check()
        self._write(job, picture, matte)
        watch.lap("write")
        return _described(picture, self._network, result, self._recipe.product, watch.total())

    def _read(self, job: Job) -> Picture:
        self._cancel.check()
        self._format(job)
        if isinstance(job.target, Path):
            check_target(job.target, overwrite=job.overwrite, source=_path(job.source))
        return read_picture(job.source, max_pixels=self._recipe.max_pixels)

    def _write(self, job: Job, picture: Picture, matte: Samples) -> None:
        output = self._format(job)

        def write(stream: BinaryIO) -> None:
            heedful = cast(BinaryIO, _Heedful(stream, self._cancel))
            if self._recipe.product is Product.mask:
                encode_matte(matte, heedful, output, dpi=picture.dpi)
            else:
                encode_cutout(picture, matte, heedful, output)

        if isinstance(job.target, Path):
            write_atomically(job.target, write, overwrite=job.overwrite, source=_path(job.source))
        else:
            write(job.target)

    def _format(self, job: Job) -> OutputFormat:
        if not isinstance(job.target, Path):
            return OutputFormat.png
        by_name = matte_format if self._recipe.product is Product.mask else cutout_format
        return by_name(job.target)


class _Heedful(io.BufferedIOBase):
    """A stream to write to that raises Cancelled as soon as somebody has asked to stop."""

    def __init__(self, stream: BinaryIO, cancel: CancelToken) -> None:
        self._stream = stream
        self._cancel = cancel

    def write(self, data: Any) -> int:
        self._cancel.check()
        return self._stream.write(data)

    def read(self, size: int | None = -1) -> bytes:
        return self._stream.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def flush(self) -> None:
        self._stream.flush()

    def readable(self) -> bool:
        return self._stream.readable()

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._stream.seekable()


class _Watch:
    """Wall time by stage."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = self._last = clock()
        self._seconds: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        now = self._clock()
        self._seconds[stage] = now - self._last
        self._last = now

    def take(self, stages: dict[str, float]) -> None:
        """Count the time since the last lap by somebody else's watch."""
        self._seconds |= stages
        self._last = self._clock()

    def total(self) -> dict[str, float]:
        return {**self._seconds, "total": self._clock() - self._began}


def _with_clean_colours(
    picture: Picture, matte: Samples, output: OutputFormat, cancel: CancelToken
) -> Picture:
    """The picture with clean colours where they are written.

    The file's own numbers are cleaned, in its own colour space and curve: nothing is converted, so
    all other pixels stay as they are. A grey photo goes into WebP as the sRGB that was analysed.
    """
    photo = picture.photo
    if output is OutputFormat.webp and picture.pixels.shape[2] == 1:
        rgb = clean_colours(photo.rgb, matte, cancel, photo.alpha)
        return replace(picture, photo=replace(photo, rgb=rgb))
    return replace(picture, pixels=clean_colours(picture.pixels, matte, cancel, photo.alpha))


def _path(source: Path | BinaryIO) -> Path | None:
    return source if isinstance(source, Path) else None


def _described(
    picture: Picture,
    network: LoadedNetwork,
    result: MatteResult,
    product: Product,
    seconds: dict[str, float],
) -> Cut:
    about_file = [*picture.warnings]
    if product is Product.cutout:
        about_file += picture.cutout_warnings
    notices = [Notice(one.code, one.message) for one in (*network.notices, *about_file)]
    notices += [Notice(one.code, one.message, float(one.value)) for one in result.warnings]
    return Cut(
        width=picture.photo.width,
        height=picture.photo.height,
        bits=8 * result.matte.dtype.itemsize,
        model=network.model_id,
        provider=network.provider,
        device=network.device,
        network_runs=result.network_runs,
        seconds=seconds,
        warnings=tuple(notices),
        doubt=float(result.review.doubt),
        spots=tuple(asdict(spot) for spot in result.review.spots),
    )


def make_folder(folder: Path) -> None:
    """Make a folder for results and those above it; raises InputError `cannot-make-folder`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            "cannot-make-folder",
            f"The folder {folder} cannot be made ({error.strerror}); name another.",
        ) from error
