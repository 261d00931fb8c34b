"""`maskwright cut`: photos in, cut-outs or masks out."""

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from maskwright.cancel import CancelToken
from maskwright.cli.background import run_stoppable
from maskwright.cli.engine import open_network, recipe_of
from maskwright.cli.exits import combined
from maskwright.cli.failure import DEBUG
from maskwright.cli.options import debug_option, product_of, recipe_options
from maskwright.cli.targets import STREAM, plan_targets
from maskwright.cli.teller import Teller
from maskwright.errors import InputError

if TYPE_CHECKING:
    from maskwright.cutout import Cutter

_STDIN_BYTES = 1 << 30

_EPILOG = """\b
Examples:
  maskwright cut photo.jpg                     writes photo-cutout.png beside it
  maskwright cut photo.jpg --mask              writes photo-mask.png
  maskwright cut photo.jpg -o cat.tif          PNG, TIFF or WebP, by the name
  maskwright cut *.jpg -o cut-outs/            several photos need a folder
  maskwright cut - < photo.jpg > cat.png       in a pipe
  maskwright cut photo.jpg --shift -1 --feather 0.5
  maskwright cut photo.jpg --json              one JSON line for each photo

\b
Exit codes:
  0 done, 1 some of several photos failed, 2 bad input or usage,
  3 a model or the engine failed, 130 cancelled.
Where every one of several photos failed, the code is that of the worst failure.
"""


@click.command(epilog=_EPILOG)
@click.argument(
    "photos",
    metavar="PHOTO...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, allow_dash=True),
)
@click.option(
    "-o",
    "--out",
    metavar="OUT",
    help="A file for one photo, a folder for several, - for standard output.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line for each photo.")
@recipe_options
@debug_option
@click.pass_context
def cut(
    ctx: click.Context,
    photos: tuple[Path, ...],
    out: str | None,
    mask: bool,
    model_id: str,
    as_json: bool,
    force: bool,
    clean_colours: bool,
    no_focus: bool,
    max_pixels: int,
) -> None:
    """Remove the background of each PHOTO.

    The result has the photo's own pixels, with the matte as transparency; only --clean-colours
    changes some of them. Nothing is overwritten without --force, and never the photo itself.
    """
    product = product_of(mask, clean_colours)
    targets = plan_targets(photos, out, product)
    to_stdout = STREAM in targets.by_photo.values()
    if to_stdout and sys.stdout.isatty():
        raise click.UsageError("A picture is not for a terminal; add -o FILE, or pipe it on.")
    stdin = _stdin() if STREAM in targets.by_photo else None
    teller = Teller(as_json, to_stdout, bool(ctx.meta.get(DEBUG)))

    def work(cancel: CancelToken) -> int:
        from maskwright.cutout import Cutter, make_folder

        recipe = recipe_of(ctx, product, clean_colours, no_focus, max_pixels)
        network = open_network(model_id, cancel, for_many=len(targets.by_photo) > 1)
        cutter = Cutter(network, recipe, cancel)
        if targets.folder is not None:
            make_folder(targets.folder)
        return combined(
            [
                _cut_one(cutter, photo, target, stdin, force, teller)
                for photo, target in targets.by_photo.items()
            ]
        )

    ctx.exit(run_stoppable(work))


def _cut_one(
    cutter: "Cutter",
    photo: Path,
    target: Path,
    stdin: BinaryIO | None,
    force: bool,
    teller: Teller,
) -> int:
    """Make one result, tell about it and return its exit code."""
    from maskwright.cutout import Job
    from maskwright.results import Problem

    picture = io.BytesIO() if target == STREAM else None
    job = Job(stdin or photo, picture or target, force)
    with teller.working_on(photo) as progress:
        cut = cutter.cut(job, progress)
    if isinstance(cut, Problem):
        teller.failed(photo, cut)
        return cut.exit_code
    if picture is not None:
        sys.stdout.buffer.write(picture.getbuffer())
        sys.stdout.buffer.flush()
    teller.done(photo, target, cut)
    return 0


def _stdin() -> BinaryIO:
    """Standard input; a pipe is read here, in the main thread, where Ctrl+C ends the wait."""
    stdin = sys.stdin.buffer
    if stdin.seekable():
        return stdin
    data = stdin.read(_STDIN_BYTES + 1)
    if len(data) > _STDIN_BYTES:
        raise InputError("too-large", "Standard input holds more than a gigabyte; use a file.")
    return io.BytesIO(data)
