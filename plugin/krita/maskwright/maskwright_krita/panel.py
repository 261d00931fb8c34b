"""What the docker says and offers, in every state: data, and how one state follows another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from maskwright_client.connection import State
from maskwright_client.protocol import MatteEvent, MatteInfo
from maskwright_editor.sentences import finished_sentence, state_sentence, warning_sentence
from maskwright_editor.texts import _

_WORTH_SHOWING = 0.1


class Doing(Enum):
    """What goes on."""

    nothing = "nothing"
    reading = "reading"
    asking = "asking"
    cleaning = "cleaning"
    applying = "applying"
    stopping = "stopping"


@dataclass(frozen=True)
class Panel:
    """doing:  what goes on.
    number:    how many layers are done, of `total`.
    said:      one line on how things stand.
    notes:     what else there is to say about the last result.
    engine:    one line on the engine.
    fraction:  0..1 of the work on this layer.
    can_clean: whether the engine that was met last can clean colours.
    """

    doing: Doing = Doing.nothing
    number: int = 0
    total: int = 0
    said: str = ""
    notes: str = ""
    engine: str = ""
    fraction: float = 0.0
    can_clean: bool = False

    @property
    def is_busy(self) -> bool:
        """Whether something goes on that a new click must not disturb."""
        return self.doing is not Doing.nothing

    @property
    def can_stop(self) -> bool:
        """Whether what goes on can be stopped."""
        return self.doing in (Doing.reading, Doing.asking, Doing.cleaning)

    @property
    def button(self) -> str:
        """What the big button says."""
        return _("Cancel") if self.is_busy else _("Remove Background")

    @property
    def whole_fraction(self) -> float:
        """0..1 of all the work."""
        return (self.number + self.fraction) / self.total if self.total else 0.0


def started(panel: Panel, total: int, *, slow: bool) -> Panel:
    """A run begins; the first layer is about to be read, which may be slow."""
    return _reading(replace(panel, total=total, notes=""), 0, slow=slow)


def next_layer(panel: Panel, *, slow: bool) -> Panel:
    """The layer is done; the next one is about to be read."""
    return _reading(panel, panel.number + 1, slow=slow)


def asked(panel: Panel) -> Panel:
    """The layer was read, and the engine is asked."""
    return replace(panel, doing=Doing.asking, said=_("Asking the engine"))


def is_news(before: MatteEvent | None, event: MatteEvent) -> bool:
    """Whether an event says anything that is worth being shown after the one before."""
    if before is None or state_sentence(event) != state_sentence(before):
        return True
    return abs(event.fraction - before.fraction) >= _WORTH_SHOWING


def heard(panel: Panel, event: MatteEvent) -> Panel:
    """The engine tells how the job stands; old news once it is over."""
    text = state_sentence(event)
    if panel.doing is not Doing.asking or not text:
        return panel
    if panel.total > 1:
        text = _("Layer {number} of {total}: {text}").format(
            number=panel.number + 1, total=panel.total, text=text
        )
    return replace(panel, said=text, fraction=max(panel.fraction, event.fraction))


def cleaning(panel: Panel, *, slow: bool) -> Panel:
    """The mask is there, and the layer's colours are about to be cleaned."""
    said = _slowly() if slow else _("Cleaning the edge's colours")
    return replace(panel, doing=Doing.cleaning, said=said)


def applying(panel: Panel) -> Panel:
    """All masks are there and about to be attached."""
    return replace(panel, doing=Doing.applying, said=_("Adding the mask"), fraction=1.0)


def stopping(panel: Panel) -> Panel:
    """Somebody wants to stop."""
    return replace(panel, doing=Doing.stopping, said=_("Stopping"))


def finished(
    panel: Panel, said: str, infos: Sequence[MatteInfo] = (), notes: Sequence[str] = ()
) -> Panel:
    """All went well."""
    warnings = [warning_sentence(warning) for info in infos for warning in info.warnings]
    engine = finished_sentence(infos[-1]) if infos else panel.engine
    every = " ".join(dict.fromkeys([*warnings, *notes]))
    return Panel(said=said, notes=every, engine=engine, can_clean=panel.can_clean)


def failed(panel: Panel, sentence: str) -> Panel:
    """It did not work, or was stopped; the document is as it was."""
    return Panel(said=sentence, engine=panel.engine, can_clean=panel.can_clean)


def told(panel: Panel, sentence: str) -> Panel:
    """Something to say that changes nothing else."""
    return replace(panel, said=sentence)


def engine_can(panel: Panel, *, clean: bool) -> Panel:
    """An engine was met, which can or cannot clean colours."""
    return replace(panel, can_clean=clean)


def engine_stands(panel: Panel, state: State) -> Panel:
    """The engine's state has changed."""
    texts = {
        State.absent: _("The engine starts when it is needed."),
        State.starting: _("The engine starts."),
        State.ready: _("Engine ready"),
        State.busy: _("The engine has too much to do right now."),
        State.too_old: _("Engine and plug-in are not of the same age."),
        State.refused: _("The engine was not asked."),
        State.gone: _("The engine went away."),
    }
    return replace(panel, engine=texts[state])


def _reading(panel: Panel, number: int, *, slow: bool) -> Panel:
    said = _slowly() if slow else _("Reading the layer")
    return replace(panel, doing=Doing.reading, number=number, said=said, fraction=0.0)


def _slowly() -> str:
    return _("Krita converts the layer's colours, which may take some seconds")
