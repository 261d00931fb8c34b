"""How much memory work takes, and what is said where there is less."""

import pytest
from maskwright.errors import ModelError
from maskwright.service.limits import check_memory, cleaning_bytes, matting_bytes, status_of
from maskwright_client.protocol import ColoursRequest, MatteRequest

PHOTO = MatteRequest(4000, 3000, 4, 16, "u2netp", "test")
LAYER = ColoursRequest(4000, 3000, 4, 16, "test")


def test_work_takes_what_was_sent_and_more():
    assert matting_bytes(PHOTO) > PHOTO.pixels_bytes
    # What was sent, and a copy of it for the answer.
    assert cleaning_bytes(LAYER) > 2 * LAYER.pixels_bytes + LAYER.mask_bytes


def test_as_much_as_is_free_is_enough_and_one_byte_less_is_not():
    wanted = cleaning_bytes(LAYER)
    check_memory(wanted, wanted)
    check_memory(wanted, None)  # a system that does not say
    with pytest.raises(ModelError) as caught:
        check_memory(wanted, wanted - 1)
    assert (caught.value.code, status_of(caught.value)) == ("not-enough-memory", 507)
    assert f"about {wanted >> 20} MB" in str(caught.value)
