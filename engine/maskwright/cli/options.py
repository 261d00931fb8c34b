"""Options that several commands share."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from maskwright.cli.failure import DEBUG
from maskwright.naming import Product

if TYPE_CHECKING:
    from maskwright.matting.edges import EdgeSettings

Command = TypeVar("Command", bound=Callable[..., Any])

# Written out here because the engine's own constants sit behind heavy imports.
DEFAULT_MODEL = "u2netp"
DEFAULT_MAX_PIXELS = 120_000_000
HARD_MAX_PIXELS = 400_000_000

_EDGES = "maskwright.edges"


def _remember_debug(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[DEBUG] = True


def _remember_edge(ctx: click.Context, param: click.Parameter, value: object) -> None:
    name = param.name or ""
    if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT:
        ctx.meta.setdefault(_EDGES, {})[name] = value


debug_option = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    callback=_remember_debug,
    envvar="MASKWRIGHT_DEBUG",
    help="Show where an error came from (also MASKWRIGHT_DEBUG=1).",
)


def _number(flag: str, low: float, high: float | None, text: str) -> Callable[[Command], Command]:
    return click.option(
        flag,
        metavar="X",
        type=click.FloatRange(low, high),
        expose_value=False,
        callback=_remember_edge,
        help=text,
    )


def _switch(flag: str, text: str) -> Callable[[Command], Command]:
    return click.option(flag, is_flag=True, expose_value=False, callback=_remember_edge, help=text)


_EDGE_OPTIONS = (
    _number("--shift", -10, 10, "Move the edge by this many pixels; above 0 grows the subject."),
    _number("--feather", 0, 20, "Soften the edge, as a Gaussian of this many pixels."),
    _number("--contrast", 0, 1, "Firm up soft edges; 1 makes them hard."),
    _number("--midpoint", 0, 1, "The alpha that --contrast leaves where it is.  [default: 0.5]"),
    _number("--solidify", 0, 1, "Make haze inside the subject opaque; edges stay."),
    _number("--fill-holes", 0, None, "Fill holes of up to this many pixels."),
    _number("--drop-specks", 0, None, "Drop separate bits of up to this many pixels."),
    _switch("--largest", "Keep only the largest subject."),
    _switch("--invert", "Keep the background instead of the subject."),
)


_RECIPE_OPTIONS = (
    click.option("--mask", is_flag=True, help="Write the grey matte instead of a cut-out."),
    click.option(
        "--model",
        "model_id",
        metavar="ID",
        default=DEFAULT_MODEL,
        show_default=True,
        help="The network to use; see `maskwright models list`.",
    ),
    click.option("--force", is_flag=True, help="Overwrite results that are there already."),
    *_EDGE_OPTIONS,
    click.option(
        "--clean-colours",
        is_flag=True,
        help="Take the background's colour out of soft edges; other pixels stay as they are.",
    ),
    click.option(
        "--no-focus",
        is_flag=True,
        help="Look at the photo only once: quicker, edges less fine.",
    ),
    click.option(
        "--max-pixels",
        metavar="N",
        type=click.IntRange(1, HARD_MAX_PIXELS),
        default=DEFAULT_MAX_PIXELS,
        show_default=True,
        help="Refuse larger photos.",
    ),
)


def recipe_options(command: Command) -> Command:
    """Give a command what decides about a result: the parameters `mask`, `model_id`, `force`,
    `clean_colours`, `no_focus` and `max_pixels`, and the edge settings that `edge_settings` reads.
    """
    for option in reversed(_RECIPE_OPTIONS):
        command = option(command)
    return command


def product_of(mask: bool, clean_colours: bool) -> Product:
    """What is to be written; raises UsageError where the options contradict each other."""
    if mask and clean_colours:
        raise click.UsageError(
            "--clean-colours is about the colours of a cut-out, and --mask writes none; leave one "
            "of them out."
        )
    return Product.mask if mask else Product.cutout


def edge_settings(ctx: click.Context) -> "EdgeSettings":
    """Return what the command line says about edges; InputError `bad-setting` beyond a range."""
    from maskwright.matting.edges import EdgeSettings

    return EdgeSettings(**ctx.meta.get(_EDGES, {}))
