"""A slot that fails says a sentence, and never raises."""

import pytest
from maskwright_client.errors import Cancelled, EngineAbsent
from maskwright_krita.failure import HostError
from maskwright_krita.guard import guarded

SENTENCES = [
    (Cancelled(), "Stopped."),
    (EngineAbsent("engine-absent", "There is no engine; try again."), "There is no engine;"),
    (HostError("The layer was deleted."), "The layer was deleted."),
    (ZeroDivisionError(), "failed inside (ZeroDivisionError); please report it"),
]


@pytest.mark.parametrize(("error", "sentence"), SENTENCES)
def test_what_goes_wrong_is_told(error: Exception, sentence: str, capsys):
    told: list[str] = []

    def fail(*given: object) -> None:
        assert given == (1, "two")
        raise error

    guarded(fail, told.append)(1, "two")
    assert len(told) == 1
    assert sentence in told[0]
    printed = capsys.readouterr().err
    assert ("Traceback" in printed) is isinstance(error, ZeroDivisionError)


def test_what_goes_well_is_not_told():
    told: list[str] = []
    done: list[int] = []
    guarded(done.append, told.append)(7)
    assert (done, told) == ([7], [])


def test_widgets_that_are_gone_cannot_say_it():
    def gone(sentence: str) -> None:
        raise RuntimeError("wrapped C/C++ object has been deleted")

    def fail() -> None:
        raise HostError("The picture was closed.")

    guarded(fail, gone)()
