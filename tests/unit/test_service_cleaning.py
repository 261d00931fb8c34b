"""A layer's way through `Cleaning`, without an engine around it."""

import asyncio

import numpy as np
import pytest
from maskwright.errors import MaskwrightError
from maskwright.service import cleaning as cleaning_module
from maskwright.service.cleaning import Cleaning
from maskwright.service.frames import Frame
from maskwright.service.limits import Limits
from maskwright_client.protocol import STOPPING, ColoursRequest

REQUEST = ColoursRequest(8, 6, 4, 8, "test")


def frame() -> Frame[ColoursRequest]:
    size = REQUEST.pixels_bytes + REQUEST.mask_bytes
    samples = np.random.default_rng(1).integers(0, 256, size, np.uint8)
    return Frame(REQUEST, samples, b"")


def code_of(cleaning: Cleaning) -> str:
    with pytest.raises(MaskwrightError) as caught:
        asyncio.run(cleaning.clean(frame()))
    return caught.value.code


def test_memory_that_runs_out_is_said(monkeypatch: pytest.MonkeyPatch):
    def greedy(*arguments: object) -> None:
        raise MemoryError

    cleaning = Cleaning(Limits())
    monkeypatch.setattr(cleaning_module, "clean_colours", greedy)
    assert code_of(cleaning) == "not-enough-memory"
    assert cleaning.active == 0


def test_after_the_end_nothing_is_taken():
    cleaning = Cleaning(Limits())
    assert asyncio.run(cleaning.clean(frame())).size == REQUEST.pixels_bytes
    cleaning.stop()
    with pytest.raises(MaskwrightError):
        cleaning.check_open()
    assert code_of(cleaning) == STOPPING
