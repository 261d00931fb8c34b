"""The whole way from a photo to its matte, with networks that are functions of the pixels."""

import threading
import time
from itertools import groupby, pairwise, product

import numpy as np
import pytest
from looking_networks import Answer, Looking, Pixels, Plane, always, contract_of, darkness, redness
from maskwright.cancel import CancelToken
from maskwright.errors import Cancelled, ModelError
from maskwright.matting.looks import SMALL_NETWORK
from maskwright.matting.photo import Photo
from maskwright.matting.pipeline import MatteResult, matte_photo
from maskwright.models.contract import Contract, Network, Resize, SizeRule
from true_mattes import RED, Depth, composed, disc, noisy_photo, widened

LEVELS = (0.0, 0.7)  # the disc's red is 0.7 redder than anything else
SIZES = [(1, 1), (1, 57), (57, 1), (3, 5000), (5000, 3), (97, 131), (20, 15), (701, 503)]
CONTRACTS = [
    contract_of(64, rule, resize, multiple=16, levels=LEVELS)
    for rule, resize in product(SizeRule, Resize)
]


def red_network(contract: Contract | None = None) -> Looking:
    return Looking(redness, contract or contract_of(64, levels=LEVELS))


def large_network(answer: Answer = redness) -> Looking:
    """One that looks once at a subject that is not small."""
    return Looking(answer, contract_of(SMALL_NETWORK + 8, levels=LEVELS))


def matted(
    photo: Photo, network: Network, cancel: CancelToken | None = None, *, focus: bool = True
) -> MatteResult:
    return matte_photo(photo, network, cancel=cancel or CancelToken(), focus=focus)


def codes(result: MatteResult) -> list[str]:
    return [warning.code for warning in result.warnings]


def large_disc() -> tuple[Photo, Plane]:
    alpha = disc(800, 600, 240)
    return Photo(composed(alpha)), alpha


def small_disc() -> tuple[Photo, Plane]:
    alpha = disc(1600, 1200, 130, (1100, 500))
    return Photo(composed(alpha)), alpha


def whole_frame() -> Photo:
    """A subject with next to nothing around it."""
    return Photo(composed(disc(800, 600, 480)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: f"{c.size_rule.name}-{c.resize.name}")
def test_the_matte_has_the_photos_size(size: tuple[int, int], contract: Contract) -> None:
    width, height = size
    alpha = disc(width, height, max(0.6, 0.4 * min(size)))
    matte = matted(Photo(composed(alpha)), red_network(contract)).matte
    assert matte.shape == (height, width)
    assert matte.dtype == np.uint8
    wide = matted(Photo(widened(composed(alpha))), red_network(contract)).matte
    assert wide.shape == (height, width)
    assert wide.dtype == np.uint16
    # Two mattes, each in whole numbers, are mixed where a closer look fades into the first.
    assert np.abs(wide / 257 - matte).max() <= 1.01
    photos = (Photo(composed(alpha)), Photo(widened(composed(alpha))))
    narrow, wide = (matted(one, red_network(contract), focus=False).matte for one in photos)
    assert np.abs(wide / 257 - narrow).max() <= 0.51


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: f"{c.size_rule.name}-{c.resize.name}")
def test_the_subject_is_found(contract: Contract) -> None:
    photo, alpha = large_disc()
    result = matted(photo, red_network(contract))
    assert np.abs(result.matte / 255 - alpha).mean() < 0.004
    assert codes(result) == ["small-photo"]
    assert result.network_runs == 3
    assert result.review.doubt < 0.5


def test_a_16_bit_matte_has_more_levels() -> None:
    _, alpha = large_disc()
    result = matted(Photo(widened(composed(alpha))), red_network())
    assert np.unique(result.matte).size > 256
    assert np.abs(result.matte / 65_535 - alpha).mean() < 0.004


@pytest.mark.parametrize("size", [(300, 100), (100, 300)])
def test_a_letterboxs_border_never_leaks(size: tuple[int, int]) -> None:
    width, height = size
    alpha = disc(width, height, 30)
    photo = Photo(composed(alpha, (0, 0, 0), (255, 255, 255)))
    network = Looking(darkness, contract_of(64, resize=Resize.letterbox))
    matte = matted(photo, network, focus=False).matte
    for border in (matte[0], matte[-1], matte[:, 0], matte[:, -1]):
        assert (border == 0).all()
    assert np.abs(matte / 255 - alpha).mean() < 0.01


def test_a_fully_transparent_photo_needs_no_network() -> None:
    photo = Photo(composed(disc(80, 60, 20)), np.zeros((60, 80), np.uint8))
    network = red_network()
    result = matted(photo, network)
    assert network.shown == []
    assert result.network_runs == 0
    assert result.matte.shape == (60, 80)
    assert (result.matte == 0).all()
    assert codes(result) == ["nothing-found", "tiny-photo"]
    assert (result.review.doubt, result.review.spots) == (1, ())


@pytest.mark.parametrize("value", [0.0, 0.02, 0.3, 0.49])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_an_empty_picture_has_an_empty_matte(value: float, depth: Depth) -> None:
    result = matted(Photo(noisy_photo(200, 150, depth)), Looking(always(value)))
    assert result.matte.dtype == depth
    assert (result.matte == 0).all()
    assert codes(result) == ["nothing-found", "tiny-photo"]
    assert result.warnings[0].value == pytest.approx(value)
    assert result.network_runs == 1
    assert result.review.doubt == 1


def test_faint_differences_are_not_stretched() -> None:
    rgb = np.random.default_rng(2).integers(100, 130, (150, 200, 3), np.uint8)
    result = matted(Photo(rgb), red_network())
    assert (result.matte == 0).all()
    assert "nothing-found" in codes(result)


def test_a_flat_answer_stays_what_it_is() -> None:
    rgb = np.random.default_rng(3).integers(0, 256, (150, 200, 3), np.uint8)
    assert (matted(Photo(rgb), Looking(always(0.6))).matte == 153).all()
    levelled = Looking(always(0.6), contract_of(levels=(0.1, 0.9)))
    assert np.abs(matted(Photo(rgb), levelled).matte - 255 * 0.625).max() <= 0.6


def test_a_picture_that_is_all_subject() -> None:
    rgb = np.full((1000, 1000, 3), RED, np.uint8)
    result = matted(Photo(rgb), red_network())
    assert (result.matte == 255).all()
    assert codes(result) == ["all-subject"]
    assert result.review.doubt == 0


def test_a_small_subject_gets_a_second_look() -> None:
    photo, alpha = small_disc()
    network = red_network()
    result = matted(photo, network)
    assert result.network_runs == len(network.shown) == 3
    share = [float((redness(pixels) > 0.35).mean()) for pixels in network.shown]
    assert share[1] > 5 * share[0]
    without = matted(photo, red_network(), focus=False)
    assert without.network_runs == 1
    errors = [np.abs(r.matte / 255 - alpha).mean() for r in (result, without)]
    assert errors[0] < 0.75 * errors[1]
    assert "focus" in result.seconds
    assert "focus" not in without.seconds


def test_the_second_look_is_judged_and_not_the_first() -> None:
    alpha = disc(1600, 1200, 130, (1350, 950))
    alpha[870:1030, 1270:1430] *= 0.6  # too small for the first look to be more than an edge
    result = matted(Photo(composed(alpha)), red_network())
    assert result.network_runs == 3
    assert codes(result) == ["see-through"]
    assert result.review.spots
    for spot in result.review.spots:
        assert 1220 - 30 < spot.x < spot.x + spot.width < 1480 + 30
        assert 820 - 30 < spot.y < spot.y + spot.height < 1080 + 30
    worst = result.review.spots[0]
    assert 1270 < worst.x + worst.width / 2 < 1430
    assert 870 < worst.y + worst.height / 2 < 1030


def greedy(pixels: Pixels) -> Plane:
    """Takes everything for the subject where much of what it sees is red."""
    red = np.maximum(redness(pixels), 0)
    return red if red.mean() < 0.1 else np.ones_like(red)


def blind(pixels: Pixels) -> Plane:
    """Sees nothing where much of what it sees is red."""
    red = np.maximum(redness(pixels), 0)
    return red if red.mean() < 0.1 else np.zeros_like(red)


@pytest.mark.parametrize("answer", [greedy, blind])
def test_a_second_look_that_does_not_agree_changes_nothing(answer: Answer) -> None:
    photo, _ = small_disc()
    network = large_network(answer)
    result = matted(photo, network)
    assert result.network_runs == 2
    without = matted(photo, network, focus=False)
    np.testing.assert_array_equal(result.matte, without.matte)
    assert result.review == without.review
    assert result.warnings == without.warnings


def lost_half(pixels: Pixels) -> Plane:
    """Sees nothing in the right half of what is shown close up."""
    red = np.maximum(redness(pixels), 0)
    if red.mean() > 0.1:
        red[:, red.shape[1] // 2 :] = 0
    return red


def test_a_large_networks_closer_look_takes_no_part_of_the_subject_away() -> None:
    photo, alpha = small_disc()
    kept = matted(photo, large_network(lost_half))
    assert kept.network_runs == 2
    assert np.abs(kept.matte / 255 - alpha).mean() < 0.001
    lost = matted(photo, Looking(lost_half, contract_of(levels=LEVELS)))
    assert np.abs(lost.matte / 255 - alpha).mean() > 0.01


@pytest.mark.parametrize(
    ("photo", "runs"), [(small_disc()[0], 3), (large_disc()[0], 3), (whole_frame(), 2)]
)
def test_a_small_network_looks_again_mirrored_and_closer(photo: Photo, runs: int) -> None:
    rgb = photo.rgb.copy()
    rgb[:, : photo.width // 2, 2] += 9  # so that mirrored it is another
    network = red_network()
    assert matted(Photo(rgb), network).network_runs == len(network.shown) == runs
    whole = network.shown[0]
    mirrored = [np.array_equal(one[:, ::-1], two) for one, two in pairwise(network.shown)]
    assert mirrored.count(True) == 1
    assert not np.array_equal(whole, whole[:, ::-1])


@pytest.mark.parametrize(("photo", "runs"), [(small_disc()[0], 2), (large_disc()[0], 1)])
def test_a_large_network_looks_again_at_a_small_subject_only(photo: Photo, runs: int) -> None:
    network = large_network()
    assert matted(photo, network).network_runs == len(network.shown) == runs


def test_errors_that_come_and_go_with_the_look_are_averaged_out() -> None:
    """A spot that the network does not see well, wherever it is in what it is shown."""

    def spotty(pixels: Pixels) -> Plane:
        red = np.maximum(redness(pixels), 0)
        red[30:33, 24:27] *= np.float32(0.4)
        return red

    rng = np.random.default_rng(7)  # a colour that says nothing about where the subject is
    photo, alpha = large_disc()
    grey = Photo(photo.rgb - rng.integers(0, 30, photo.rgb.shape, np.uint8))
    network = Looking(spotty, contract_of(64, levels=LEVELS))
    inside = np.s_[270:330, 290:350]
    missed = [
        1 - (matted(grey, network, focus=focus).matte / 255)[inside].mean()
        for focus in (True, False)
    ]
    assert (alpha[inside] == 1).all()
    assert 0.05 < missed[0] < 0.5 * missed[1]


def left_handed(pixels: Pixels) -> Plane:
    """Takes the right half of what is shown for the subject, whatever it is."""
    height, width, _ = pixels.shape
    values = np.zeros((height, width), np.float32)
    values[:, width // 2 :] = 1
    return values


def test_a_further_look_that_sees_something_else_changes_nothing() -> None:
    photo, _ = large_disc()
    network = Looking(left_handed, contract_of())
    result, without = matted(photo, network), matted(photo, network, focus=False)
    assert result.network_runs > 1
    assert np.abs(result.matte.astype(int) - without.matte).mean() < 1


def test_looks_may_agree_on_nothing() -> None:
    """At first just enough was seen; with what the others saw it is not."""
    peaks = iter([0.55, 0.3, 0.3])

    def fading(pixels: Pixels) -> Plane:
        return np.minimum(np.maximum(redness(pixels), 0), np.float32(next(peaks)))

    photo, _ = large_disc()
    result = matted(photo, Looking(fading, contract_of()))
    assert (result.matte == 0).all()
    assert codes(result) == ["nothing-found", "small-photo"]
    assert result.network_runs == 3
    assert 0.3 < result.warnings[0].value < 0.5
    assert result.review.doubt == 1


def test_transparency_guides_and_is_not_multiplied() -> None:
    photo, alpha = large_disc()
    opacity = np.full(alpha.shape, 255, np.uint8)
    opacity[:, 400:] = 0
    network = red_network()
    half = matted(Photo(photo.rgb, opacity), network, focus=False).matte / 255
    assert (network.shown[0][:, 40:] == 128).all()
    assert np.abs(half[:, :380] - alpha[:, :380]).mean() < 0.01
    assert half[:, 420:].max() < 0.01
    veil = np.full(alpha.shape, 254, np.uint8)
    veiled = matted(Photo(photo.rgb, veil), red_network()).matte
    assert np.abs(veiled.astype(int) - matted(photo, red_network()).matte).max() <= 6


def test_nothing_is_random() -> None:
    photo, _ = small_disc()
    first, second = (matted(photo, red_network()) for _ in range(2))
    np.testing.assert_array_equal(first.matte, second.matte)
    assert first.review == second.review


def test_the_photo_is_not_changed() -> None:
    photo, _ = small_disc()
    alpha = np.random.default_rng(4).integers(0, 256, photo.rgb.shape[:2], np.uint8)
    before = photo.rgb.copy(), alpha.copy()
    matted(Photo(photo.rgb, alpha), red_network())
    np.testing.assert_array_equal(photo.rgb, before[0])
    np.testing.assert_array_equal(alpha, before[1])


Heard = list[tuple[str, float]]


def heard(photo: Photo, *, focus: bool = True) -> tuple[Heard, MatteResult]:
    told: Heard = []

    def listen(stage: str, fraction: float) -> None:
        told.append((stage, fraction))

    result = matte_photo(photo, red_network(), cancel=CancelToken(), progress=listen, focus=focus)
    return told, result


@pytest.mark.parametrize(
    ("photo", "stages"),
    [
        (small_disc()[0], ["predict", "focus", "refine", "review", "done"]),
        (large_disc()[0], ["predict", "focus", "refine", "review", "done"]),
        (whole_frame(), ["predict", "focus", "refine", "review", "done"]),
        (Photo(np.zeros((50, 50, 3), np.uint8)), ["predict", "done"]),
        (Photo(np.zeros((50, 50, 3), np.uint8), np.zeros((50, 50), np.uint8)), ["done"]),
    ],
    ids=["small", "large", "whole", "empty", "transparent"],
)
def test_progress_names_the_stages_and_ends_with_done(photo: Photo, stages: list[str]) -> None:
    told, result = heard(photo)
    assert [stage for stage, _ in groupby(told, lambda told: told[0])] == stages
    assert sum(stage == "focus" for stage, _ in told) == max(0, result.network_runs - 1)
    fractions = [fraction for _, fraction in told]
    assert all(before < after for before, after in pairwise(fractions))
    assert fractions[0] >= 0
    assert fractions[-1] == 1
    assert list(result.seconds) == stages[:-1]
    assert all(seconds >= 0 for seconds in result.seconds.values())


def test_the_seconds_of_the_network_are_those_of_its_stage() -> None:
    def slow(pixels: Pixels) -> Plane:
        time.sleep(0.05)
        return redness(pixels)

    photo, _ = small_disc()
    seconds = matted(photo, Looking(slow, contract_of(levels=LEVELS))).seconds
    assert seconds["predict"] >= 0.05
    assert seconds["focus"] >= 0.05


@pytest.mark.parametrize("transparent", [False, True])
def test_cancelled_before_it_begins(transparent: bool) -> None:
    network, cancel = red_network(), CancelToken()
    cancel.cancel()
    rgb = large_disc()[0].rgb
    photo = Photo(rgb, np.zeros(rgb.shape[:2], np.uint8)) if transparent else Photo(rgb)
    with pytest.raises(Cancelled):
        matted(photo, network, cancel)
    assert network.shown == []


@pytest.mark.parametrize("answer", [redness, always(0.0), always(1.0)])
def test_cancelled_while_the_network_runs(answer: Answer) -> None:
    cancel, cancelled_at = CancelToken(), [0.0]

    def cancelling(pixels: Pixels) -> Plane:
        cancelled_at[0] = time.perf_counter()
        cancel.cancel()
        return answer(pixels)

    photo = Photo(np.zeros((3000, 4000, 3), np.uint8))
    with pytest.raises(Cancelled):
        matted(photo, Looking(cancelling, contract_of(levels=LEVELS)), cancel)
    assert time.perf_counter() - cancelled_at[0] < 0.5


def test_cancelled_by_another_thread() -> None:
    cancel, running = CancelToken(), threading.Event()

    class Waiting(Looking):
        def predict(self, pixels: Pixels, cancel: CancelToken) -> Plane:
            stopped = threading.Event()
            with cancel.interrupting(stopped.set):
                running.set()
                assert stopped.wait(20)
            cancel.check()
            return redness(pixels)

    def stop() -> None:
        assert running.wait(20)
        cancel.cancel()

    other = threading.Thread(target=stop)
    other.start()
    with pytest.raises(Cancelled):
        matted(large_disc()[0], Waiting(redness), cancel)
    other.join()


@pytest.mark.parametrize("stage", ["predict", "focus", "refine", "review", "done"])
def test_cancelled_at_any_stage(stage: str) -> None:
    cancel = CancelToken()
    told: list[str] = []

    def listen(name: str, _: float) -> None:
        told.append(name)
        if name == stage:
            cancel.cancel()

    photo, _ = small_disc()
    if stage == "done":
        matte_photo(photo, red_network(), cancel=cancel, progress=listen)
        assert told[-1] == "done"
        return
    with pytest.raises(Cancelled):
        matte_photo(photo, red_network(), cancel=cancel, progress=listen)
    assert told[-1] in (stage, "review")


@pytest.mark.parametrize("run", [1, 2, 3])
def test_what_the_network_raises_passes_through(run: int) -> None:
    runs = iter(range(1, 9))

    def failing(pixels: Pixels) -> Plane:
        if next(runs) == run:
            raise ModelError("bad-output", "The model answered with no numbers; choose another.")
        return redness(pixels)

    photo, _ = small_disc()
    with pytest.raises(ModelError) as caught:
        matted(photo, Looking(failing, contract_of(levels=LEVELS)))
    assert caught.value.code == "bad-output"
