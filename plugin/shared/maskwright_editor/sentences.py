"""How a job stands, what went wrong and what a network is for, in the user's language.

The engine and the client say everything in English. A sentence of theirs that is the same every
time is looked up; one with values in it has a short form here, by its code.
"""

from __future__ import annotations

from maskwright_client.errors import ClientError
from maskwright_client.protocol import (
    DownloadEvent,
    MatteEvent,
    MatteInfo,
    MatteState,
    ModelInfo,
    Notice,
)

from maskwright_editor.texts import _, is_english


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
    seconds = _tenths(info.seconds.get("predict", 0.0))
    return _("Engine ready; {model} ran on {device}, {seconds} s").format(
        model=info.model, device=info.device, seconds=seconds
    )


def notes(info: MatteInfo, *, refining: bool) -> str:
    """What a designer should know of a matte; empty if there is nothing."""
    sentences = [warning_sentence(warning) for warning in info.warnings]
    if refining and info.network_runs > 0:
        sentences.append(_("The engine had let go of this layer, so the network ran again."))
    return " ".join(sentences)


def model_title(model: ModelInfo) -> str:
    """A network's name."""
    return _(model.title)


def model_label(model: ModelInfo) -> str:
    """A network in a list: what it is for, and what it would cost to have."""
    if model.installed:
        return model_title(model)
    size = round(model.bytes / 1e6)
    return _("{title} (download, {size} MB)").format(title=model_title(model), size=size)


def model_sentence(model: ModelInfo) -> str:
    """What there is to say about a network that was chosen."""
    parts = [_(model.use), _(model.licence)]
    if not model.commercial:
        parts.append(_("not for commercial use"))
    if model.seconds is not None:
        parts.append(_("about {seconds} s").format(seconds=_tenths(model.seconds)))
    return " \u00b7 ".join(parts)


def download_sentence(event: DownloadEvent) -> str:
    """How a download stands."""
    done, total = event.bytes_done / 1e6, event.bytes_total / 1e6
    return _("Downloading, {done:.0f} of {total:.0f} MB").format(done=done, total=total)


def _tenths(number: float) -> str:
    return f"{number:.1f}".replace(".", _("."))  # the decimal point


def warning_sentence(warning: Notice) -> str:
    """What the engine warns of."""
    texts = {
        "nothing-found": _(
            "No subject was found, so the mask hides everything; try another model or crop the "
            "photo closer to the subject."
        ),
        "small-photo": _("The short side is {value:.0f} pixels; from 1000 on, edges get finer."),
        "tiny-photo": _(
            "The short side is only {value:.0f} pixels, so edges will be rough; use a larger "
            "version of the photo if there is one."
        ),
        "all-subject": _(
            "{percent:.0f}% of the frame was taken for the subject, so almost nothing is hidden; "
            "check that the photo shows some background."
        ),
        "low-contrast": _(
            "Subject and background have almost the same colour along the edge ({value:.0f} of "
            "255 levels apart), so check the outline."
        ),
        "see-through": _(
            "{percent:.0f}% of the subject is see-through; if it is not glass or a veil, raise "
            "solidify or try another model."
        ),
    }
    text = texts.get(warning.code)
    if text is None or warning.value is None:
        return _(warning.message)
    return text.format(value=warning.value, percent=100 * warning.value)


def problem(error: ClientError) -> str:
    """Why something did not work, and what to do next."""
    sentence = _(error.message)
    if is_english() or sentence != error.message:
        return sentence
    return _short_forms().get(error.code, sentence)


def _short_forms() -> dict[str, str]:
    """For sentences with values in them, which say more than this, but only in English."""
    return {
        "access-denied": _(
            "The network's publisher hands it out only after registration; read about it on the "
            "page of its licence."
        ),
        "bad-hash": _(
            "What was loaded is not the file that was published; it was deleted, try again later."
        ),
        "disk-full": _("The disk is too full; make room and try again."),
        "download-failed": _(
            "The download broke off; check the connection and try again, what has arrived is kept."
        ),
        "download-running": _(
            "Another network is being downloaded; wait for it, or stop it first."
        ),
        "engine-busy": _("The engine has too much to do right now; try again in a moment."),
        "engine-keeps-failing": _(
            "The engine failed three times within a minute to start; run `maskwright doctor` in a "
            "terminal."
        ),
        "engine-start-failed": _(
            "The engine could not be started; run `maskwright doctor` in a terminal."
        ),
        "engine-not-ready": _(
            "The engine was not ready in time; try again, or run `maskwright doctor` in a terminal."
        ),
        "internal-error": _("The engine failed inside; look at its log and report it."),
        "no-run-folder": _(
            "The engine's folder cannot be written to; make room or give yourself access to it, "
            "then try again."
        ),
        "not-enough-memory": _(
            "There is not enough memory for this; close other programs, scale the layer down or "
            "choose a smaller network."
        ),
        "photo-too-large": _("The layer has too many pixels for the engine; scale it down."),
        "too-slow": _("The engine took too long; use a smaller layer or a faster network."),
        "wrong-size": _(
            "The server has another file than this network; nothing was kept, try again later."
        ),
    }
