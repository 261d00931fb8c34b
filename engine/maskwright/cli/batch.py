"""`maskwright batch`: a folder of photos with the same settings."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from maskwright import __version__
from maskwright.cancel import CancelToken
from maskwright.cli.background import run_stoppable
from maskwright.cli.engine import model_sha256, open_network, recipe_of
from maskwright.cli.exits import combined
from maskwright.cli.options import debug_option, product_of, recipe_options
from maskwright.cli.speech import remark, say
from maskwright.errors import Cancelled, InputError
from maskwright.naming import Product, plan_results

if TYPE_CHECKING:
    from maskwright.batch.report import Outcome
    from maskwright.cutout import Recipe

_REPORT_NAME = "maskwright-report.json"
_LOCK_NAME = ".maskwright-batch.lock"
_TABLE_ROWS = 20
_MOST_JOBS = 4

_EPILOG = """\b
Examples:
  maskwright batch photos --out cut-outs
  maskwright batch photos --out masks --mask --recursive --feather 1
  maskwright batch photos --out cut-outs --report report.json

A second run goes on where the first one stopped: results that were made from the same photo with
the same settings are left alone, those of changed photos or settings are made anew. A result that
you changed yourself is never replaced without --force.

Photos that share a name (a.jpg and a.png) keep their endings: a.jpg-cutout.png, a.png-cutout.png.
Links to folders are not followed. The report lists the failures, then the results, those that
need review first: with a doubt of 0.5 or more, empty, or all subject.

\b
Exit codes:
  0 done, 1 some photos failed, 2 bad input or usage,
  3 a model or the engine failed, 130 cancelled.
Where every photo failed, the code is that of the worst failure.
"""


@click.command(epilog=_EPILOG)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    metavar="DIR",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for the results; made if it is not there.",
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(1, 64),
    help=f"How many photos to have in hand at a time.  [default: cores, at most {_MOST_JOBS}]",
)
@click.option("--recursive", is_flag=True, help="Also the photos in folders inside FOLDER.")
@click.option(
    "--report",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Where to write the JSON report.  [default: DIR/{_REPORT_NAME}]",
)
@recipe_options
@debug_option
@click.pass_context
def batch(
    ctx: click.Context,
    folder: Path,
    out: Path,
    jobs: int | None,
    recursive: bool,
    mask: bool,
    report: Path | None,
    model_id: str,
    force: bool,
    clean_colours: bool,
    no_focus: bool,
    max_pixels: int,
) -> None:
    """Remove the background of every photo in FOLDER.

    One bad photo does not stop the rest. Ctrl+C leaves no half file, and the same command goes on
    where it stopped.
    """
    product = product_of(mask, clean_colours)
    plan = _plan(folder, out, recursive, product)
    report = report or out / _REPORT_NAME
    recipe = recipe_of(ctx, product, clean_colours, no_focus, max_pixels)
    with _alone_in(out):
        _check_report(report, force)
        outcomes = _run(folder, out, plan, model_id, recipe, jobs or _default_jobs(), force)
    _tell(outcomes, report, _head(folder, out, model_id, recipe))
    ctx.exit(combined([outcome.exit_code for outcome in outcomes]))


def _plan(folder: Path, out: Path, recursive: bool, product: Product) -> dict[Path, Path]:
    from maskwright.batch.folder import find_photos

    found = find_photos(folder, out, recursive=recursive)
    if found.results:
        remark(
            f"{len(found.results)} files, such as {found.results[0]}, are named like results of "
            "the photos beside them and are left out."
        )
    if not found.photos:
        hint = "" if recursive else "; add --recursive for the folders inside it"
        raise InputError("no-photos", f"There are no photos in {folder}{hint}.")
    return plan_results(found.photos, product, lambda photo: photo.parent)


def _check_report(report: Path, force: bool) -> None:
    from maskwright.batch.report import is_report
    from maskwright.imaging.save import check_target

    check_target(report, overwrite=force or is_report(report))


@contextmanager
def _alone_in(out: Path) -> Iterator[None]:
    """Make the output folder and keep other batches out of it."""
    from filelock import FileLock, Timeout

    from maskwright.cutout import make_folder

    make_folder(out)
    try:
        with FileLock(out / _LOCK_NAME, timeout=0):
            yield
    except Timeout as error:
        raise InputError(
            "batch-running", f"Another batch is writing to {out}; wait for it, or choose another."
        ) from error


def _run(
    folder: Path,
    out: Path,
    plan: dict[Path, Path],
    model_id: str,
    recipe: "Recipe",
    jobs: int,
    force: bool,
) -> "list[Outcome]":
    from maskwright.batch.run import Batch, one_at_a_time, open_ledger, run_batch
    from maskwright.cutout import Cutter

    ledger = open_ledger(out)
    if ledger.was_damaged:
        remark(f"The record of earlier runs in {out} is damaged; what is there counts as foreign.")
    todo = Batch(folder, out, plan, recipe.digest(model_sha256(model_id)), jobs, force)
    finished = 0

    def work(cancel: CancelToken) -> "list[Outcome]":
        network = one_at_a_time(open_network(model_id, cancel, for_many=True))
        cutter = Cutter(network, recipe, cancel)
        return run_batch(todo, cutter, ledger, cancel, count)

    with _bar(len(plan)) as advance:

        def count(_outcome: "Outcome") -> None:
            nonlocal finished
            finished += 1
            advance()

        try:
            return run_stoppable(work)
        except Cancelled as error:
            raise Cancelled(
                f"Cancelled after {finished} of {len(plan)} photos; run the same command again to "
                "go on."
            ) from error


@contextmanager
def _bar(photos: int) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    with click.progressbar(length=photos, label="photos", file=sys.stderr, show_pos=True) as bar:
        yield lambda: bar.update(1)


def _tell(outcomes: "list[Outcome]", path: Path, head: dict[str, Any]) -> None:
    from maskwright.batch.report import report, table
    from maskwright.imaging.save import write_atomically

    text = json.dumps(report(outcomes, head), indent=1) + "\n"
    write_atomically(path, lambda stream: _write(stream, text), overwrite=True)
    for line in table(outcomes, _TABLE_ROWS):
        say(line)
    say(f"Report: {path}")


def _write(stream: BinaryIO, text: str) -> None:
    stream.write(text.encode("ascii"))


def _head(folder: Path, out: Path, model_id: str, recipe: "Recipe") -> dict[str, Any]:
    from maskwright.results import REVIEW_DOUBT

    return {
        "maskwright": __version__,
        "folder": str(folder),
        "out": str(out),
        "product": recipe.product.value,
        "model": model_id,
        "edges": asdict(recipe.edges),
        "clean_colours": recipe.clean_colours,
        "focus": recipe.focus,
        "review_doubt": REVIEW_DOUBT,
    }


def _default_jobs() -> int:
    from maskwright.models.machine import usable_cores

    return min(usable_cores() or _MOST_JOBS, _MOST_JOBS)
