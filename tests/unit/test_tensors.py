from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from maskwright.errors import ModelError
from maskwright.models.contract import OutputKind
from maskwright.models.tensors import state_tensors, to_prediction, to_tensor
from network_bench import TINY, U2NETP
from numpy.typing import NDArray

FLOAT = np.dtype(np.float32)
PIXELS = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)))


@given(PIXELS)
def test_the_tensor_is_the_definition(pixels: NDArray[np.uint8]) -> None:
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    expected = ((pixels.astype(np.float64) / 255.0 - mean) / std).transpose(2, 0, 1)[None]
    tensor = to_tensor(pixels, U2NETP.contract, FLOAT)
    assert tensor.dtype == np.float32
    assert tensor.flags.c_contiguous
    np.testing.assert_allclose(tensor, expected, atol=1e-6)


def test_a_dark_photo_is_not_brightened() -> None:
    dark = np.full((4, 4, 3), 20, np.uint8)
    assert to_tensor(dark, TINY, FLOAT).max() == pytest.approx(20 / 255)


def test_half_precision_where_the_graph_wants_it() -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    tensor = to_tensor(pixels, TINY, np.dtype(np.float16))
    assert tensor.dtype == np.float16
    np.testing.assert_allclose(tensor, to_tensor(pixels, TINY, FLOAT), atol=1e-3)


@pytest.mark.parametrize(("size", "ratio"), [((1024, 512), 0.5), ((256, 128), 1.0)])
def test_state_tensors(size: tuple[int, int], ratio: float) -> None:
    contract = replace(TINY, state_inputs=("r1i", "r2i"), ratio_input="ratio")
    tensors = state_tensors(contract, *size)
    assert tensors.keys() == {"r1i", "r2i", "ratio"}
    assert tensors["r1i"].shape == (1, 1, 1, 1)
    assert not tensors["r2i"].any()
    assert tensors["ratio"].tolist() == [ratio]
    assert state_tensors(TINY, *size) == {}


@pytest.mark.parametrize("shape", [(1, 1, 4, 6), (1, 4, 6), (4, 6), (1, 4, 6, 1)])
def test_axes_of_length_one_do_not_matter(shape: tuple[int, ...]) -> None:
    answer = np.linspace(-0.2, 1.2, 24, dtype=np.float32).reshape(shape)
    prediction = to_prediction(answer, 4, 6, OutputKind.probability)
    assert prediction.shape == (4, 6)
    np.testing.assert_array_equal(prediction, np.clip(answer.reshape(4, 6), 0, 1))


@pytest.mark.parametrize("shape", [(1, 1, 6, 4), (1, 2, 4, 6), (24,), (1, 1, 4, 5), (0, 4, 6)])
def test_another_shape_is_an_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError) as caught:
        to_prediction(np.zeros(shape, np.float32), 4, 6, OutputKind.probability)
    assert caught.value.code == "bad-output"


def test_whole_numbers_are_an_error() -> None:
    with pytest.raises(ModelError):
        to_prediction(np.zeros((4, 6), np.int64), 4, 6, OutputKind.probability)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", OutputKind)
def test_one_bad_number_is_an_error(bad: float, kind: OutputKind) -> None:
    answer = np.zeros((1, 1, 40, 60), np.float32)
    answer[0, 0, 17, 33] = bad
    with pytest.raises(ModelError) as caught:
        to_prediction(answer, 40, 60, kind)
    assert caught.value.code == "bad-output"


@given(arrays(np.float32, (3, 5), elements=st.floats(-(2.0**100), 2.0**100, width=32)))
def test_logits_go_through_the_sigmoid(logits: NDArray[np.float32]) -> None:
    before = logits.copy()
    prediction = to_prediction(logits, 3, 5, OutputKind.logits)
    expected = 1.0 / (1.0 + np.exp(-np.clip(logits.astype(np.float64), -500, 500)))
    np.testing.assert_allclose(prediction, expected, atol=1e-6)
    np.testing.assert_array_equal(logits, before)


def test_half_precision_answers_become_single() -> None:
    answer = np.full((1, 1, 2, 2), 0.25, np.float16)
    prediction = to_prediction(answer, 2, 2, OutputKind.probability)
    assert prediction.dtype == np.float32
    assert (prediction == 0.25).all()
