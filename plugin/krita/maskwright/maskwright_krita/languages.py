"""Which languages somebody wants, as catalogues of texts are called."""

from __future__ import annotations

from collections.abc import Iterable


def catalogue_names(languages: Iterable[str]) -> list[str]:
    """`de_AT` and `de` for `de-AT`; as Qt names them, in their order, each once."""
    names = []
    for language in languages:
        name = language.replace("-", "_")
        names += [name, name.partition("_")[0]]
    return list(dict.fromkeys(names))
