"""How a job stands, in words."""

from __future__ import annotations

from maskwright_client.protocol import MatteEvent, MatteState

from maskwright_gimp.texts import _


def state_sentence(event: MatteEvent) -> str:
    """One line for a job that goes on; empty for one that has ended."""
    texts = {
        MatteState.queued: _("Waiting for another job"),
        MatteState.loading: _("Loading the network"),
        MatteState.predicting: _("Finding the subject"),
        MatteState.refining: _("Fitting the edge"),
    }
    text = texts.get(event.state, "")
    if not text or event.seconds_left is None:
        return text
    left = max(1, round(event.seconds_left))
    return _("{what}, {seconds} s left").format(what=text, seconds=left)
