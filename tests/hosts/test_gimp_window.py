"""Remove Background as a designer meets it: menu, dialog, live preview, OK, undo."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from engine_client import client_of, matted
from engine_process import EngineProcess, engine_in, wait_for
from gimp_plug_in import CHECKOUT, assembled
from gimp_screens import HAS_MASK, IS_DIRTY, LAYER, keep, open_dialog, picture
from host_gimp import Gimp, GimpWindow
from maskwright_client.cancel import CancelSwitch
from maskwright_client.protocol import AlphaRequest
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms
from sample_pictures import adobe_rgb_like

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(300)]

SAMPLE = CHECKOUT / "installers/sample/coffee.jpg"
WRITTEN_WITH = """
import json
parasite = layer.get_mask().get_parasite("maskwright-mask")
answer(json.loads(bytes(parasite.get_data())))
"""


@pytest.fixture
def plug_ins(tmp_path: Path) -> dict[str, Path]:
    return {"maskwright": assembled(tmp_path)}


@pytest.fixture
def engine(gimp: Gimp) -> Iterator[EngineProcess]:
    with engine_in(gimp.stay.home) as running:
        yield running


@pytest.fixture
def window(gimp: Gimp, engine: EngineProcess, plug_ins: dict[str, Path]) -> Iterator[GimpWindow]:
    with gimp.gui(SAMPLE, plug_ins=plug_ins) as running:
        yield running


def place_of(window: GimpWindow, dialog: int) -> tuple[int, int]:
    """Where the left upper corner of a window is on the screen."""
    said = window.display.xdotool("getwindowgeometry", "--shell", str(dialog))
    found = dict(line.split("=") for line in said.split())
    return int(found["X"]), int(found["Y"])


def test_a_designer_removes_a_background_and_takes_it_back(
    window: GimpWindow, engine: EngineProcess, tmp_path: Path
):
    client, display = client_of(engine), window.display
    dialog = open_dialog(window)
    wait_for(lambda: client.hello().network_runs > 0 and client.hello().jobs == 0, 30)
    display.wait_until_still()
    keep(window, tmp_path, "dialog")
    before = picture(tmp_path / "dialog.png")
    runs = client.hello().network_runs
    display.key("alt+g")  # the edge's slider
    display.key(*["Page_Up"] * 6)
    display.wait_until_still()
    after = picture(keep(window, tmp_path, "slider"))
    assert (before != after).any(axis=2).sum() > 1000, "the preview did not follow the slider"
    assert client.hello().network_runs == runs
    display.key("alt+x", "Tab", "Down", "Down", "Down")  # pixel for pixel, on red
    display.wait_until_still()
    closer = picture(keep(window, tmp_path, "edge"))
    assert (closer != after).any(axis=2).sum() > 10_000, "the preview did not come closer"
    left, top = place_of(window, dialog)
    display.drag((left + 280, top + 230), (left + 240, top + 230))
    display.wait_until_still()
    panned = picture(keep(window, tmp_path, "panned"))
    assert (panned != closer).any(axis=2).sum() > 10_000, "the preview was not dragged"
    assert client.hello().network_runs == runs
    display.key("alt+o")
    window.program.wait_until(lambda: window.do(HAS_MASK), 30)
    assert client.hello().network_runs == runs
    display.wait_until_still()
    keep(window, tmp_path, "mask")
    assert window.do(LAYER + "answer(layer.get_edit_mask())") is False
    assert window.do(WRITTEN_WITH)["wish"]["edges"]["shift"] > 4
    display.key("ctrl+z")
    window.program.wait_until(lambda: not window.do(HAS_MASK), 10)
    display.key("ctrl+y")
    window.program.wait_until(lambda: window.do(HAS_MASK), 10)


def test_a_designer_changes_their_mind(window: GimpWindow, engine: EngineProcess):
    client, display = client_of(engine), window.display
    open_dialog(window)
    wait_for(lambda: client.hello().jobs > 0 or client.hello().network_runs > 0, 30)
    display.key("Escape")
    window.program.wait_until(lambda: not display.windows("^Remove Background"), 10)
    wait_for(lambda: client.hello().jobs == 0, 1.5)
    assert window.do(HAS_MASK) is False
    assert window.do(IS_DIRTY) is False


BY_SCRIPT = """
from host_inside.gimp_cases import REMOVE, call
layer = Gimp.get_images()[0].get_layers()[0]
answer(call(REMOVE, layer.get_image(), [layer], shift=3.0, feather=2.0))
"""


def test_refining_opens_with_what_the_mask_was_made_with(
    window: GimpWindow, engine: EngineProcess, tmp_path: Path
):
    client, display = client_of(engine), window.display
    assert window.do(BY_SCRIPT)[0] is True
    runs = client.hello().network_runs
    open_dialog(window, "refine background mask", "^Refine Background Mask")
    wait_for(lambda: client.hello().jobs == 0, 30)
    display.wait_until_still()
    keep(window, tmp_path, "refine")
    display.key("alt+o")
    window.program.wait_until(lambda: not display.windows("^Refine Background Mask"), 30)
    edges = window.do(LAYER + WRITTEN_WITH)["wish"]["edges"]
    assert (edges["shift"], edges["feather"]) == (3.0, 2.0)
    assert client.hello().network_runs == runs


def test_the_last_values_are_used_again(window: GimpWindow, engine: EngineProcess):
    client, display = client_of(engine), window.display
    open_dialog(window)
    wait_for(lambda: client.hello().network_runs > 0 and client.hello().jobs == 0, 30)
    display.key("alt+g", *["Page_Up"] * 6, "alt+o")
    window.program.wait_until(lambda: window.do(HAS_MASK), 30)
    first = window.do(LAYER + WRITTEN_WITH)
    display.key("ctrl+z")
    window.program.wait_until(lambda: not window.do(HAS_MASK), 10)
    display.key("ctrl+f")
    window.program.wait_until(lambda: window.do(HAS_MASK), 30)
    assert not display.windows("^Remove Background")
    assert window.do(LAYER + WRITTEN_WITH) == first


LOCK = LAYER + "answer(layer.set_lock_content(True))"


def test_a_locked_layer_is_asked_about(window: GimpWindow, tmp_path: Path):
    display = window.display
    window.do(LOCK)
    open_dialog(window)
    display.wait_until_still()
    keep(window, tmp_path, "locked")
    display.key("Escape")
    window.program.wait_until(lambda: not display.windows("^Remove Background"), 10)
    assert window.do(HAS_MASK) is False
    open_dialog(window)
    display.wait_until_still()
    display.key("Return")
    display.wait_for_window("^Remove Background\u2026", window.program)
    display.wait_until_still()
    display.key("alt+o")
    window.program.wait_until(lambda: window.do(HAS_MASK), 30)


PAINT = """
layer = Gimp.get_images()[0].get_layers()[0]
layer.fill(Gimp.FillType.WHITE)
Gimp.displays_flush()
answer(True)
"""
EMPTY_MASK = """
from host_inside.gimp_cases import mask_of
layer = Gimp.get_images()[0].get_layers()[0]
answer(sum(mask_of(layer)) / len(mask_of(layer)))
"""


def test_what_is_painted_while_the_dialog_is_open_counts(window: GimpWindow, engine: EngineProcess):
    client, display = client_of(engine), window.display
    open_dialog(window)
    wait_for(lambda: client.hello().network_runs > 0 and client.hello().jobs == 0, 30)
    display.wait_until_still()
    runs = client.hello().network_runs
    window.do(PAINT)
    display.key("alt+o")
    window.program.wait_until(lambda: window.do(HAS_MASK), 30)
    assert client.hello().network_runs > runs
    assert window.do(EMPTY_MASK) < 30, "the mask is that of the cup that was painted over"


def test_the_engine_can_be_stopped_from_the_dialog(window: GimpWindow, engine: EngineProcess):
    client, display = client_of(engine), window.display
    open_dialog(window)
    wait_for(lambda: client.hello().network_runs > 0 and client.hello().jobs == 0, 30)
    display.wait_until_still()
    # From the tick box below the picture it is the next but one.
    display.key("alt+x", "Tab", "Tab", "space")
    wait_for(lambda: engine.process.poll() is not None, 20)
    assert engine.process.returncode == 0


SEEN = """
from host_inside.gimp_cases import MASK, REMOVE, call, mask_of, samples
image = Gimp.get_images()[0]
layer = image.get_layers()[0]
profile = image.get_color_profile()
done, said = call(REMOVE, image, [layer])
assert done, said
for name, content in (("seen", samples(layer, "R'G'B' u8")), ("stored", samples(layer, None)),
                      ("mask", mask_of(layer))):
    with open(f"/srv/files/{name}", "wb") as file:
        file.write(content)
answer([layer.get_width(), layer.get_height(), profile.get_label() if profile else None])
"""


def camera_photo(path: Path) -> NDArray[np.uint8]:
    """A JPEG on its side, which its EXIF data says, in AdobeRGB; gives what is to be seen."""
    with Image.open(SAMPLE) as sample:
        upright = sample.convert("RGB")
    profile = adobe_rgb_like()
    adobe = ImageCms.profileToProfile(
        upright, ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(BytesIO(profile))
    )
    assert adobe is not None
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    lying = adobe.transpose(Image.Transpose.ROTATE_90)
    lying.save(path, quality=97, subsampling=0, icc_profile=profile, exif=exif)
    return np.asarray(upright)


def test_a_camera_photo_is_seen_upright_and_in_its_true_colours(
    gimp: Gimp, engine: EngineProcess, plug_ins: dict[str, Path], tmp_path: Path
):
    upright = camera_photo(tmp_path / "camera.jpg")
    with gimp.gui(tmp_path / "camera.jpg", plug_ins=plug_ins) as window:
        width, height, label = window.do(SEEN)
        window.display.wait_until_still()
        keep(window, tmp_path, "camera")
    assert (width, height) == (upright.shape[1], upright.shape[0])
    assert label
    files = gimp.stay.files
    seen, stored = (
        np.fromfile(files / name, np.uint8).reshape(upright.shape).astype(int)
        for name in ("seen", "stored")
    )
    assert np.abs(seen - upright).mean() < 2
    assert np.abs(stored - upright).mean() > 5, "this photo's colours need no profile"
    matte_id, info = matted(client_of(engine), seen.astype(np.uint8))
    alpha = client_of(engine).alpha(matte_id, info, AlphaRequest(), None, CancelSwitch())
    mask = np.fromfile(files / "mask", np.uint8).astype(int)
    assert np.abs(mask - np.frombuffer(bytes(alpha.samples), np.uint8)).max() <= 8
    assert 0.1 < mask.mean() / 255 < 0.9


BROWSER = """\
[Desktop Entry]
Type=Application
Name=Browser
Exec=/bin/sh -c 'echo "%u" > /srv/files/opened'
MimeType=text/html;
"""


@pytest.mark.parametrize(
    ("words", "title", "page"),
    [
        ("remove background", "^Remove Background", "index.html"),
        ("refine background mask", "^Refine Background Mask", "index.html#refine"),
    ],
)
def test_the_help_button_opens_the_guide(window: GimpWindow, words: str, title: str, page: str):
    stay = window.display.stay
    applications = stay.home / ".local/share/applications"
    applications.mkdir(parents=True, exist_ok=True)
    (applications / "browser.desktop").write_text(BROWSER)
    (applications / "mimeapps.list").write_text(
        "[Default Applications]\ntext/html=browser.desktop\n"
    )
    assert window.do(BY_SCRIPT)[0] is True
    open_dialog(window, words, title)
    window.display.wait_until_still()
    window.display.key("alt+h")
    opened = stay.files / "opened"
    window.program.wait_until(lambda: opened.exists() and opened.read_text().strip(), 30)
    assert opened.read_text().strip().endswith(f"plug-ins/maskwright/help/en/{page}")


HALF_MASK = """
layer = Gimp.get_images()[0].get_layers()[0]
mask = layer.create_mask(Gimp.AddMaskType.BLACK)
mask.get_buffer().set(Gegl.Rectangle.new(0, 0, 300, 400), "Y u8", bytes([255]) * 120000)
mask.get_buffer().flush()
layer.add_mask(mask)
Gimp.displays_flush()
answer(True)
"""


def test_the_preview_shows_what_becomes_of_the_mask_that_is_there(
    window: GimpWindow, engine: EngineProcess, tmp_path: Path
):
    client, display = client_of(engine), window.display
    window.do(HALF_MASK)
    open_dialog(window)
    wait_for(lambda: client.hello().network_runs > 0 and client.hello().jobs == 0, 30)
    display.wait_until_still()
    replaced = picture(keep(window, tmp_path, "mask-replaced"))
    runs = client.hello().network_runs
    display.key("alt+e", "Down")
    display.wait_until_still()
    both = picture(keep(window, tmp_path, "mask-intersected"))
    assert (both != replaced).any(axis=2).sum() > 10_000, "the right half is still there"
    assert client.hello().network_runs == runs


LAYERS = """
answer([[layer.get_name(), layer.get_visible(), layer.get_mask() is not None]
        for layer in Gimp.get_images()[0].get_layers()])
"""


def test_clean_colours_are_one_undo_step(window: GimpWindow, engine: EngineProcess, tmp_path: Path):
    client, display = client_of(engine), window.display
    before = window.do(LAYERS)
    open_dialog(window)
    wait_for(lambda: client.hello().network_runs > 0 and client.hello().jobs == 0, 30)
    display.wait_until_still()
    display.key("alt+w", "alt+w", "Tab", "space")  # the box below the one with that key
    display.wait_until_still()
    keep(window, tmp_path, "clean-ticked")
    display.key("alt+o")
    window.program.wait_until(lambda: len(window.do(LAYERS)) == 2, 30)
    display.wait_until_still()
    keep(window, tmp_path, "clean")
    after = window.do(LAYERS)
    assert after == [["coffee.jpg, clean edges", True, True], ["coffee.jpg", False, True]]
    display.key("ctrl+z")
    window.program.wait_until(lambda: window.do(LAYERS) == before, 10)
    display.key("ctrl+y")
    window.program.wait_until(lambda: window.do(LAYERS) == after, 10)
