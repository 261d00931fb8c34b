"""S-measure and mean absolute error as the field computes them, beside rembg's plain mask."""

import pytest
from bench_process import CACHE
from judged_networks import NETWORKS, opened, plain_mask
from maskwright.cancel import CancelToken
from maskwright.matting.photo import Photo
from maskwright.matting.pipeline import matte_photo
from PIL import Image
from reference_photos import DATA, references
from sod_peer import SodMetrics, provide_sod_metrics

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3000)]


@pytest.fixture(scope="module")
def sod_metrics() -> SodMetrics:
    return provide_sod_metrics(CACHE)


@pytest.mark.skipif(not DATA.is_dir(), reason="no photographs with true alpha beside the checkout")
@pytest.mark.parametrize("model", NETWORKS)
def test_agreement_on_objects(model: str, sod_metrics: SodMetrics, tmp_path):
    network, runtime = opened(model, tmp_path / "models")
    ours, plain, truths = tmp_path / "ours", tmp_path / "plain", tmp_path / "truths"
    for folder in (ours, plain, truths):
        folder.mkdir()
    for reference in references("objects"):
        pixels, name = reference.pixels, f"{reference.path.stem}.png"
        result = matte_photo(Photo(pixels), network, cancel=CancelToken())
        Image.fromarray(result.matte).save(ours / name)
        Image.fromarray(plain_mask(pixels, network, runtime)).save(plain / name)
        Image.fromarray((reference.alpha * 255).round().astype("uint8")).save(truths / name)
    mine, peer = (sod_metrics.agreement(mattes, truths) for mattes in (ours, plain))
    print(f"\n{model} on objects: {mine}; rembg's plain mask: {peer}")
    assert mine.s_measure >= peer.s_measure - 0.002
    assert mine.error <= peer.error
