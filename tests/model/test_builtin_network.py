"""The built-in network, through the whole way from a photo to its matte."""

from pathlib import Path

import numpy as np
import pytest
from maskwright.cancel import CancelToken
from maskwright.matting.photo import Photo
from maskwright.matting.pipeline import MatteResult, matte_photo
from maskwright.matting.prediction import predict
from maskwright.models.session import Session
from network_bench import U2NETP, U2NETP_FILE, open_session
from numpy.typing import NDArray
from PIL import Image
from true_mattes import full_range, noisy_photo, widened

SAMPLE = Path(__file__).resolve().parents[2] / "installers" / "sample" / "coffee.jpg"
WIDTH, HEIGHT = 600, 400

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def network() -> Session:
    return open_session(U2NETP_FILE, U2NETP)


@pytest.fixture(scope="module")
def coffee() -> Pixels:
    with Image.open(SAMPLE) as picture:
        return np.asarray(picture.convert("RGB"))


def matted(photo: Photo, network: Session, *, focus: bool = True) -> MatteResult:
    return matte_photo(photo, network, cancel=CancelToken(), focus=focus)


def codes(result: MatteResult) -> list[str]:
    return [warning.code for warning in result.warnings]


def test_the_sample_photos_subject_is_found(network: Session, coffee: Pixels) -> None:
    result = matted(Photo(coffee), network)
    assert result.matte.shape == (HEIGHT, WIDTH)
    assert result.matte.dtype == np.uint8
    assert "nothing-found" not in codes(result)
    assert 0.1 < (result.matte / 255).mean() < 0.8
    assert (result.matte[150:250, 250:350] > 250).mean() > 0.9  # the cup
    corners = result.matte[np.ix_([0, 1, 2, -3, -2, -1], [0, 1, 2, -3, -2, -1])]
    assert (corners < 10).all()
    assert result.review.doubt < 0.6


def test_a_matte_is_soft_and_mostly_sure(network: Session, coffee: Pixels) -> None:
    matte = matted(Photo(coffee), network).matte
    assert np.unique(matte).size > 100
    assert ((matte == 0) | (matte == 255)).mean() > 0.7


def test_a_16_bit_photo_has_the_same_matte(network: Session, coffee: Pixels) -> None:
    narrow = matted(Photo(coffee), network).matte
    wide = matted(Photo(widened(coffee)), network).matte
    assert wide.dtype == np.uint16
    assert np.unique(wide).size > 256
    # Two mattes, each in whole numbers, are mixed where a closer look fades into the first.
    assert np.abs(wide / 257 - narrow).max() <= 1.01
    once = [
        matted(Photo(pixels), network, focus=False).matte for pixels in (coffee, widened(coffee))
    ]
    assert np.abs(once[1] / 257 - once[0]).max() <= 0.51


def test_a_larger_photo_has_the_same_matte(network: Session, coffee: Pixels) -> None:
    large = np.asarray(Image.fromarray(coffee).resize((2400, 1600), Image.Resampling.BICUBIC))
    matte = matted(Photo(large), network, focus=False).matte
    back = np.asarray(Image.fromarray(matte).resize((WIDTH, HEIGHT), Image.Resampling.BOX))
    plain = matted(Photo(coffee), network, focus=False).matte
    assert np.abs(back.astype(int) - plain).mean() < 3


def test_a_subject_that_is_small_in_the_frame(network: Session, coffee: Pixels) -> None:
    table = np.asarray(Image.fromarray(coffee[:4, :4]).resize((1800, 1200)))
    scene = table.copy()
    scene[500:900, 700:1300] = coffee
    near = matted(Photo(coffee), network)
    found = matted(Photo(scene), network)
    assert found.network_runs == 3
    inside = found.matte[500:900, 700:1300] / 255
    assert np.minimum(inside, near.matte / 255).sum() > 0.8 * (near.matte / 255).sum()
    assert found.matte[:300].max() < 10


def ramp() -> Pixels:
    slope = np.linspace(0, 255, WIDTH)[np.newaxis, :, np.newaxis]
    return np.broadcast_to(slope, (HEIGHT, WIDTH, 3)).astype(np.uint8)


EMPTY = {
    "grey": np.full((HEIGHT, WIDTH, 3), 128, np.uint8),
    "black": np.zeros((HEIGHT, WIDTH, 3), np.uint8),
    "white": np.full((HEIGHT, WIDTH, 3), 255, np.uint8),
    "blue": np.full((HEIGHT, WIDTH, 3), (20, 60, 200), np.uint8),
    "gradient": ramp(),
    "noise": noisy_photo(WIDTH, HEIGHT),
    "faint noise": 120 + noisy_photo(WIDTH, HEIGHT, seed=1) // 32,
}


@pytest.mark.parametrize("kind", EMPTY)
def test_an_empty_picture_has_an_empty_matte(kind: str, network: Session) -> None:
    photo = Photo(full_range(EMPTY[kind], np.uint8))
    result = matted(photo, network)
    assert (result.matte == 0).all()
    assert codes(result)[0] == "nothing-found"
    assert result.network_runs == 1
    assert result.review.doubt == 1


@pytest.mark.parametrize("size", [(1, 1), (1, 57), (57, 1), (3, 2000), (2000, 3), (97, 131)])
def test_photos_of_any_shape(size: tuple[int, int], network: Session) -> None:
    width, height = size
    result = matted(Photo(noisy_photo(width, height)), network)
    assert result.matte.shape == (height, width)


def test_a_dark_photo_is_not_brightened_by_its_own_maximum(
    network: Session, coffee: Pixels
) -> None:
    """Divided by its maximum, a dark photo and a bright one would look the same, until a speck."""

    def values(pixels: Pixels) -> NDArray[np.float32]:
        return predict(Photo(pixels), network, CancelToken()).values

    dark = coffee // 4
    speck = dark.copy()
    speck[:4, :4] = 255
    assert np.abs(values(dark) - values(coffee)).mean() > 0.002
    assert np.abs(values(speck) - values(dark)).mean() < 0.0005


def test_transparency_takes_the_subject_away(network: Session, coffee: Pixels) -> None:
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[:, :20] = 255
    hidden = matted(Photo(coffee, alpha), network).matte
    whole = matted(Photo(coffee), network).matte
    assert hidden.astype(int).sum() < 0.3 * whole.astype(int).sum()
    junk = coffee.copy()
    junk[alpha == 0] = 255
    np.testing.assert_array_equal(matted(Photo(junk, alpha), network).matte, hidden)


def test_nothing_is_random(network: Session, coffee: Pixels) -> None:
    first, second = (matted(Photo(coffee), network) for _ in range(2))
    np.testing.assert_array_equal(first.matte, second.matte)
    assert first.review == second.review
