"""What a plug-in may send and ask for, checked before anything is sent."""

from typing import Any

import pytest
from maskwright_client.errors import BadRequest
from maskwright_client.frames import alpha_body, colours_body, expected_alpha, frame_body
from maskwright_client.protocol import (
    MAX_HEAD_BYTES,
    AlphaHead,
    AlphaRequest,
    ColoursRequest,
    Combine,
    Edges,
    MatteCreated,
    MatteInfo,
    MatteRequest,
    Region,
    ping_proof,
    preview_size,
)

INFO = MatteInfo(400, 300, 8, "u2netp", "CPU", "cpu", 1, False, {}, 0.0)


def test_a_frame_is_a_length_a_head_and_the_samples_themselves():
    samples = bytearray(b"abc")
    body = frame_body(MatteCreated("m1"), samples, 3)
    assert body.head == b'\x00\x00\x00\x0b{"id":"m1"}'
    assert body.length == 18
    samples[0] = ord("x")
    assert bytes(body.samples) == b"xbc"  # a view, no copy


@pytest.mark.parametrize("wanted", [0, 2, 4])
def test_as_many_samples_as_announced(wanted: int):
    with pytest.raises(BadRequest):
        frame_body(MatteCreated("m1"), b"abc", wanted)


def test_a_head_has_its_limit():
    with pytest.raises(BadRequest):
        frame_body(MatteCreated("x" * MAX_HEAD_BYTES), b"", 0)


def test_numbers_that_are_none_are_a_mistake():
    with pytest.raises(BadRequest) as caught:
        alpha_body(AlphaRequest(Edges(shift=float("nan"))), AlphaHead(4, 3, 8), None)
    assert "please report it" in caught.value.message


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (AlphaRequest(), AlphaHead(400, 300, 8)),
        (AlphaRequest(bits=16), AlphaHead(400, 300, 16)),
        (AlphaRequest(preview=100), AlphaHead(100, 75, 8)),
        (AlphaRequest(preview=1), AlphaHead(1, 1, 8)),
        (AlphaRequest(preview=9999), AlphaHead(400, 300, 8)),
        (AlphaRequest(region=Region(0, 0, 400, 300)), AlphaHead(400, 300, 8)),
        (AlphaRequest(region=Region(399, 299, 1, 1)), AlphaHead(1, 1, 8)),
    ],
)
def test_the_size_that_an_answer_must_have(request_: AlphaRequest, expected: AlphaHead):
    assert expected_alpha(INFO, request_) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"bits": 1},
        {"bits": 32},
        {"preview": 0},
        {"preview": -5},
        {"preview": 10, "region": Region(0, 0, 1, 1)},
        {"region": Region(0, 0, 0, 1)},
        {"region": Region(0, 0, 1, -1)},
        {"region": Region(-1, 0, 5, 5)},
        {"region": Region(0, 0, 401, 1)},
        {"region": Region(1, 0, 400, 1)},
        {"region": Region(0, 300, 1, 1)},
    ],
)
def test_what_no_matte_can_answer(changes: dict[str, Any]):
    with pytest.raises(BadRequest):
        expected_alpha(INFO, AlphaRequest(**changes))


def test_a_mask_goes_with_combining():
    answer, mask = AlphaHead(4, 3, 16), bytes(12)
    for combine in Combine:
        request = AlphaRequest(combine=combine)
        replaces = combine is Combine.replace
        assert len(alpha_body(request, answer, None if replaces else mask).samples) == (
            0 if replaces else 12
        )
        with pytest.raises(BadRequest):
            alpha_body(request, answer, mask if replaces else None)
    with pytest.raises(BadRequest):
        alpha_body(AlphaRequest(combine=Combine.add), answer, bytes(24))


def test_a_layer_and_its_mask_go_as_they_are():
    layer, mask = bytearray(range(12)), bytearray(b"mn")
    body = colours_body(ColoursRequest(2, 1, 3, 16, "c"), layer, mask)
    layer[0], mask[0] = 99, ord("x")
    assert (body.samples[0], bytes(body.more)) == (99, b"xn")  # views, no copies
    assert body.length == len(body.head) + 14
    with pytest.raises(BadRequest) as caught:
        colours_body(ColoursRequest(2, 1, 3, 16, "c"), layer, "mn")  # type: ignore[arg-type]
    assert "please report it" in caught.value.message


@pytest.mark.parametrize(
    ("width", "height", "longest", "expected"),
    [
        (4000, 3000, 1000, (1000, 750)),
        (3000, 4000, 1000, (750, 1000)),
        (100, 50, 100, (100, 50)),
        (10_000, 1, 100, (100, 1)),
        (3, 2, 2, (2, 1)),
    ],
)
def test_the_size_of_a_preview(width: int, height: int, longest: int, expected: tuple[int, int]):
    assert preview_size(width, height, longest) == expected


def test_bytes_of_pixels_and_alpha():
    assert MatteRequest(5, 3, 4, 16, "m", "c").pixels_bytes == 120
    assert ColoursRequest(5, 3, 3, 16, "c").pixels_bytes == 90
    assert ColoursRequest(5, 3, 3, 16, "c").mask_bytes == 15
    assert AlphaHead(5, 3, 16).alpha_bytes == 30


def test_a_proof_is_what_it_always_was():
    """An engine of another version must give the same."""
    assert ping_proof("token", "00ff", 8080) == (
        "85020581457ef48def5eb63aaaca940d1111778847e2167f4829fbba5ca04449"
    )
