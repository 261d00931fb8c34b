"""`maskwright models`: which networks there are, and getting them onto this machine."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maskwright.cancel import CancelToken
from maskwright.cli.background import run_stoppable
from maskwright.cli.options import debug_option
from maskwright.cli.speech import remark, say
from maskwright.errors import InputError

if TYPE_CHECKING:
    from maskwright.models.catalogue import ModelSpec
    from maskwright.models.store import Installed, Store

_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class _Row:
    """A model in the list and its file, if it is there."""

    spec: "ModelSpec"
    installed: "Installed | None"

    def as_json(self) -> dict[str, Any]:
        spec, installed = self.spec, self.installed
        return {
            "id": spec.id,
            "title": spec.title,
            "use": spec.use,
            "licence": spec.licence,
            "licence_url": spec.licence_url,
            "commercial": spec.commercial,
            "gated": spec.gated,
            "bytes": spec.bytes,
            "sha256": spec.sha256,
            "seconds": spec.seconds,
            "memory_mb": spec.memory_mb,
            "builtin": spec.builtin,
            "recommended": spec.recommended,
            "verified": spec.verified,
            "note": spec.note,
            "installed": installed is not None and installed.problem is None,
            "path": str(installed.path) if installed else None,
            "problem": installed.problem if installed else None,
        }

    def as_cells(self) -> tuple[str, ...]:
        spec = self.spec
        return (spec.id, _size(spec.bytes), _licence(spec), ", ".join(self._marks()), spec.title)

    def _marks(self) -> list[str]:
        spec, installed = self.spec, self.installed
        there = installed is not None
        return [
            mark
            for mark, holds in (
                ("built in", spec.builtin),
                ("installed", there and not spec.builtin),
                ("damaged", installed is not None and installed.problem is not None),
                ("recommended", spec.recommended),
                ("unverified", not spec.verified),
            )
            if holds
        ]


@click.group(
    epilog="""\b
Examples:
  maskwright models list
  maskwright models get birefnet-lite
  maskwright models add my-network.onnx --like isnet-general-use
  maskwright models path u2netp

The models folder is MASKWRIGHT_MODELS, or else a folder of your user account. A model file that
you put there by hand is recognised by its contents.
"""
)
@debug_option
def models() -> None:
    """List, get, add and remove the networks that find the subject."""


@models.command("list", epilog="\b\nExample:\n  maskwright models list --json\n")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@debug_option
def list_models(as_json: bool) -> None:
    """List the models on offer and those on this machine.

    Unverified means that nobody has run it with this version yet.
    """
    rows = _rows(_store())
    if as_json:
        say(json.dumps([row.as_json() for row in rows], indent=1))
        return
    head = ("id", "size", "licence", "", "good for")
    for line in _columns([head, *(row.as_cells() for row in rows)]):
        say(line)


@models.command(
    "get",
    short_help="Download a model.",
    epilog="\b\nExample:\n  maskwright models get birefnet-lite\n",
)
@click.argument("model_id", metavar="ID")
@click.option(
    "--accept-licence",
    is_flag=True,
    help="Accept the licence of a model that is not free for commercial use.",
)
@debug_option
def get_model(model_id: str, accept_licence: bool) -> None:
    """Download a model and check it; a broken download goes on where it stopped."""
    store = _store()
    spec = store.spec(model_id)
    try:
        path = download(store, spec, accept_licence=accept_licence)
    except InputError as error:
        if error.code != "licence-not-accepted":
            raise
        _ask_for_licence(spec)
        path = download(store, spec, accept_licence=True)
    say(f"{spec.id} -> {path}")


@models.command(
    "add",
    epilog="\b\nExample:\n  maskwright models add my-network.onnx --like isnet-general-use\n",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--like", required=True, metavar="ID", help="The model whose input and output it shares."
)
@debug_option
def add_model(file: Path, like: str) -> None:
    """Add an ONNX file of your own."""
    spec = run_stoppable(lambda cancel: _store().add(file, like, cancel=cancel))
    say(f"{file} -> {spec.id}")
    remark(f"Use it with: maskwright cut photo.jpg --model {spec.id}")


@models.command("remove", epilog="\b\nExample:\n  maskwright models remove birefnet-lite\n")
@click.argument("model_id", metavar="ID")
@debug_option
def remove_model(model_id: str) -> None:
    """Delete a model's file from this machine."""
    _store().remove(model_id)
    say(f"{model_id} removed")


@models.command("path", epilog="\b\nExample:\n  maskwright models path u2netp\n")
@click.argument("model_id", metavar="[ID]", required=False)
@debug_option
def model_path(model_id: str | None) -> None:
    """Print the models folder, or where the file of model ID is."""
    store = _store()
    say(str(store.path(model_id) if model_id else store.root))


def _store() -> "Store":
    from maskwright.models.store import open_store

    return open_store(os.environ)


def _rows(store: "Store") -> list[_Row]:
    there = {installed.spec.id: installed for installed in store.installed()}
    rows = [_Row(spec, there.pop(spec.id, None)) for spec in store.catalogue.specs]
    return rows + [_Row(installed.spec, installed) for installed in there.values()]


def download(store: "Store", spec: "ModelSpec", *, accept_licence: bool) -> Path:
    """Get a model; where stderr is a terminal, a bar on it shows how far it is."""
    if not sys.stderr.isatty():
        return run_stoppable(
            lambda cancel: store.get(spec.id, accept_licence=accept_licence, cancel=cancel)
        )
    with click.progressbar(length=spec.bytes, label=spec.id, file=sys.stderr) as bar:

        def progress(done: int, _total: int) -> None:
            bar.update(done - bar.pos)

        def work(cancel: CancelToken) -> Path:
            return store.get(
                spec.id, accept_licence=accept_licence, progress=progress, cancel=cancel
            )

        return run_stoppable(work)


def _ask_for_licence(spec: "ModelSpec") -> None:
    """Ask on a terminal; raise the refusal anywhere else, and where the answer is not yes."""
    text = f"{spec.title}: licence {spec.licence}, {spec.licence_url}"
    say("\n".join(filter(None, (text, spec.note))), to_stderr=True)
    refusal = InputError(
        "licence-not-accepted",
        f"{spec.id} is not free for commercial use; read its licence and, if you accept it, run: "
        f"maskwright models get {spec.id} --accept-licence",
    )
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        raise refusal
    if not click.confirm("Do you accept this licence?", default=False, err=True):
        raise refusal


def _licence(spec: "ModelSpec") -> str:
    if not spec.urls and not spec.builtin:
        return spec.licence
    return f"{spec.licence}, {'commercial' if spec.commercial else 'NON-COMMERCIAL'}"


def _size(size: int) -> str:
    return f"{size / _MB:.1f} MB" if size < 100 * _MB else f"{size / _MB:.0f} MB"


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
