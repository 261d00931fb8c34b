"""How a job stands, in words."""

from __future__ import annotations

from maskwright_client.protocol import DownloadEvent, MatteEvent, MatteInfo, MatteState, ModelInfo

from maskwright_editor.texts import _


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


def finished_sentence(info: MatteInfo) -> str:
    """What a matte was made with, and on what."""
    if info.network_runs == 0:
        return _("Engine ready; it still had what {model} found").format(model=info.model)
    seconds = info.seconds.get("predict", 0.0)
    return _("Engine ready; {model} ran on {device}, {seconds:.1f} s").format(
        model=info.model, device=info.device, seconds=seconds
    )


def notes(info: MatteInfo, *, refining: bool) -> str:
    """What a designer should know of a matte; empty if there is nothing."""
    sentences = [warning.message for warning in info.warnings]
    if refining and info.network_runs > 0:
        sentences.append(_("The engine had let go of this layer, so the network ran again."))
    return " ".join(sentences)


def model_label(model: ModelInfo) -> str:
    """A network in a list: what it is for, and what it would cost to have."""
    if model.installed:
        return model.title
    size = round(model.bytes / 1e6)
    return _("{title} (download, {size} MB)").format(title=model.title, size=size)


def model_sentence(model: ModelInfo) -> str:
    """What there is to say about a network that was chosen."""
    parts = [model.use, model.licence]
    if not model.commercial:
        parts.append(_("not for commercial use"))
    if model.seconds is not None:
        parts.append(_("about {seconds:.1f} s").format(seconds=model.seconds))
    return " \u00b7 ".join(parts)


def download_sentence(event: DownloadEvent) -> str:
    """How a download stands."""
    done, total = event.bytes_done / 1e6, event.bytes_total / 1e6
    return _("Downloading, {done:.0f} of {total:.0f} MB").format(done=done, total=total)
