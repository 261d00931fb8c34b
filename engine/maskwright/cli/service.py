"""`maskwright serve | status | stop`: the engine that GIMP and Krita share."""

import json
import os
from typing import Any

import click

from maskwright.cli.options import debug_option
from maskwright.cli.speech import say
from maskwright.errors import ModelError


@click.command(
    epilog="""\b
Examples:
  maskwright serve
  maskwright serve --stop-minutes 60        stay for an hour after the last request

\b
The plug-ins start it by themselves. It listens on this machine only, and ends by itself when
nobody has needed it for a while. A second one sees the first and ends with exit code 0.
"""
)
@click.option("--quiet", is_flag=True, help="Print nothing unless it fails.")
@click.option(
    "--unload-minutes",
    metavar="X",
    type=click.FloatRange(0.02, 1e6),
    help="Let go of models after this idle time.  [default: 5]",
)
@click.option(
    "--stop-minutes",
    metavar="X",
    type=click.FloatRange(0.02, 1e6),
    help="End after this idle time.  [default: 15]",
)
@debug_option
def serve(quiet: bool, unload_minutes: float | None, stop_minutes: float | None) -> None:
    """Run the engine that GIMP and Krita share."""
    from maskwright.service.control import serve_here

    given = {"unload_minutes": unload_minutes, "stop_minutes": stop_minutes}
    tell = (lambda text: None) if quiet else say
    serve_here(os.environ, {k: v for k, v in given.items() if v is not None}, tell)


@click.command(epilog="\b\nExample:\n  maskwright status --json\n")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@debug_option
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Say whether the engine runs, and what it is doing. Exit code 3 when it does not run."""
    from maskwright.service.control import state

    found = state(os.environ)
    if as_json:
        say(json.dumps(found))
    else:
        for line in _described(found):
            say(line)
    ctx.exit(0 if found["running"] else ModelError.exit_code)


@click.command(epilog="\b\nExample:\n  maskwright stop\n")
@debug_option
def stop() -> None:
    """Stop the engine, once it is done with what it does."""
    from maskwright.service.control import stop_engine

    say("The engine has stopped." if stop_engine(os.environ) else "The engine was not running.")


def _described(found: dict[str, Any]) -> list[str]:
    if not found["running"]:
        how = found["start_problem"] or "The plug-ins start it when they need it."
        return [f"The engine is not running. {how}"]
    hello = found["engine"]
    loaded = ", ".join(hello["loaded_models"]) or "none"
    return [
        f"The engine {hello['engine_version']} is running at {found['url']}.",
        f"Models in memory: {loaded}. Jobs: {hello['jobs']}.",
        f"Networks run so far: {hello['network_runs']}, the last one on {hello['device'] or '-'}.",
        f"Log: {found['log']}",
    ]
