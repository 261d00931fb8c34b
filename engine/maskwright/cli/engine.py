"""From options to the engine's own things; imports the engine only when called."""

import os
from typing import TYPE_CHECKING

import click

from maskwright.cancel import CancelToken
from maskwright.cli.options import edge_settings
from maskwright.naming import Product

if TYPE_CHECKING:
    from maskwright.cutout import Recipe
    from maskwright.models.session import Session


def open_network(model_id: str, cancel: CancelToken, *, for_many: bool) -> "Session":
    """Load a model; raises what `models.sessions.Sessions.open` raises.

    for_many: keep a run's memory for the next photo.
    """
    from maskwright.models.sessions import open_sessions
    from maskwright.models.store import open_store

    sessions = open_sessions(open_store(os.environ), os.environ, keep_memory=for_many)
    return sessions.open(model_id, cancel)


def model_sha256(model_id: str) -> str:
    """The hash of a model's file; raises InputError `unknown-model`."""
    from maskwright.models.store import open_store

    return open_store(os.environ).spec(model_id).sha256


def recipe_of(
    ctx: click.Context, product: Product, clean_colours: bool, no_focus: bool, max_pixels: int
) -> "Recipe":
    """Put the command line's settings together; raises InputError `bad-setting`."""
    from maskwright.cutout import Recipe

    return Recipe(product, edge_settings(ctx), clean_colours, not no_focus, max_pixels)
