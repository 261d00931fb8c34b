"""`maskwright cut` with the built-in network, in the test's process and in its own."""

import io
import json
import os
import signal
import subprocess
import time

import imagecodecs
import numpy as np
import pytest
from click.testing import CliRunner
from maskwright.cancel import CancelToken
from maskwright.cli import cli
from maskwright.imaging.png_write import profile_chunk
from maskwright.matting.colours import clean_colours
from maskwright.matting.edges import EdgeSettings, apply_edges
from own_process import environment, maskwright_command, on_a_terminal, run_maskwright
from PIL import Image
from sample_pictures import adobe_rgb_like, png, srgb
from subject_photos import ball, save_ball


@pytest.fixture
def photo(tmp_path):
    return save_ball(tmp_path / "ball.png")


def cut(*arguments):
    return CliRunner().invoke(cli, ["cut", *map(str, arguments)])


def pixels(path):
    return np.asarray(Image.open(path))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_cut_out_lies_beside_its_photo_with_the_photos_own_pixels(tmp_path, photo):
    done = cut(photo)
    assert done.exit_code == 0, done.output
    rgba = pixels(tmp_path / "ball-cutout.png")
    np.testing.assert_array_equal(rgba[..., :3], ball())
    assert rgba[90, 120, 3] > 250
    assert rgba[:5, :, 3].max() < 5
    assert names(tmp_path) == ["ball-cutout.png", "ball.png"]


def test_what_a_person_reads(tmp_path, photo):
    done = cut(photo)
    assert done.stdout.startswith(f"{photo} -> {tmp_path / 'ball-cutout.png'}  (")
    assert done.stdout.endswith(" s)\n")
    assert done.stderr.startswith(f"maskwright: {photo}: The short side is only 180 pixels")
    assert "\x1b" not in done.output


def test_the_mask_is_grey_and_is_the_cut_outs_alpha(tmp_path, photo):
    assert cut(photo).exit_code == 0
    assert cut(photo, "--mask").exit_code == 0
    mask = Image.open(tmp_path / "ball-mask.png")
    assert mask.mode == "L"
    np.testing.assert_array_equal(np.asarray(mask), pixels(tmp_path / "ball-cutout.png")[..., 3])


def test_profile_and_resolution_are_kept(tmp_path):
    profile = srgb()
    photo = save_ball(tmp_path / "ball.jpg", icc_profile=profile, dpi=(300, 300))
    assert cut(photo).exit_code == 0
    with Image.open(tmp_path / "ball-cutout.png") as result:
        assert result.info["icc_profile"] == profile
        assert result.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_json_is_one_line_for_each_photo_and_nothing_else(tmp_path, photo):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no photo")
    done = cut(photo, bad, "--json")
    assert done.exit_code == 1
    assert done.stderr == ""
    good, failed = (json.loads(line) for line in done.stdout.splitlines())
    assert good["photo"] == str(photo)
    assert good["result"] == str(tmp_path / "ball-cutout.png")
    assert (good["width"], good["height"], good["bits"]) == (240, 180, 8)
    assert (good["model"], good["provider"]) == ("u2netp", "CPUExecutionProvider")
    assert good["device"] == "cpu"
    assert {"read", "predict", "refine", "review", "edges", "write", "total"} <= set(
        good["seconds"]
    )
    assert good["seconds"]["total"] >= good["seconds"]["predict"] > 0
    (warning,) = [one for one in good["warnings"] if one["code"] == "tiny-photo"]
    assert warning["value"] == 180
    assert "180" in warning["message"]
    assert 0 <= good["doubt"] <= 1
    assert good["needs_review"] is (good["doubt"] >= 0.5)
    assert failed["photo"] == str(bad)
    assert failed["error"]["code"] == "not-a-photo"
    assert failed["error"]["message"].startswith("bad.jpg is not a photo")


def test_an_existing_result_is_not_overwritten_and_the_others_go_on(tmp_path, photo):
    other = save_ball(tmp_path / "other.jpg", seed=2)
    (tmp_path / "ball-cutout.png").write_bytes(b"mine")
    done = cut(photo, other)
    assert done.exit_code == 1
    assert "ball-cutout.png exists already; add --force" in done.stderr
    assert (tmp_path / "ball-cutout.png").read_bytes() == b"mine"
    assert (tmp_path / "other-cutout.png").exists()
    assert cut(photo, other, "--force").exit_code == 0
    assert pixels(tmp_path / "ball-cutout.png").shape == (180, 240, 4)


def test_where_all_fail_the_code_is_theirs(tmp_path, photo):
    (tmp_path / "ball-cutout.png").write_bytes(b"mine")
    assert cut(photo).exit_code == 2
    assert cut(photo, tmp_path / "none.jpg").exit_code == 2


@pytest.mark.parametrize("content", [b"", b"no photo", b"\xff\xd8\xff\xe0 broken", b"GIF89a"])
def test_a_bad_file_is_one_sentence_code_2_and_nothing_written(tmp_path, content):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(content)
    done = cut(bad)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith("maskwright: bad.jpg is ")
    assert done.stderr.count("\n") == 1
    assert names(tmp_path) == ["bad.jpg"]


def test_debug_shows_where_a_photo_failed(tmp_path):
    done = cut(tmp_path / "none.jpg", "--debug")
    assert done.exit_code == 2
    assert "Traceback" in done.stderr
    assert "Traceback" not in cut(tmp_path / "none.jpg").stderr


@pytest.mark.parametrize(
    ("model", "code", "says"),
    [
        ("nonsense", 2, "no such model"),
        ("birefnet-lite", 3, "maskwright models get birefnet-lite"),
    ],
)
def test_a_model_that_is_not_there_ends_the_run_before_anything_is_written(
    tmp_path, photo, model, code, says
):
    done = cut(photo, photo.with_name("second.jpg"), "--model", model)
    assert done.exit_code == code
    assert says in done.stderr
    assert names(tmp_path) == ["ball.png"]


def test_the_photo_itself_is_never_overwritten(photo):
    before = photo.read_bytes()
    done = cut(photo, "-o", photo, "--force")
    assert done.exit_code == 2
    assert photo.read_bytes() == before


@pytest.mark.parametrize(("name", "kind"), [("x.tif", "TIFF"), ("x.webp", "WEBP"), ("x", "PNG")])
def test_the_results_name_says_its_format(tmp_path, photo, name, kind):
    assert cut(photo, "-o", tmp_path / name).exit_code == 0
    result = Image.open(tmp_path / name)
    assert result.format == kind
    np.testing.assert_array_equal(np.asarray(result.convert("RGBA"))[..., :3], ball())


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["-o", "x.jpg"], "no-alpha-in-format"), (["-o", "x.webp", "--mask"], "unsupported-output")],
)
def test_a_format_that_cannot_hold_it_is_refused(tmp_path, photo, monkeypatch, arguments, code):
    monkeypatch.chdir(tmp_path)
    done = cut(photo, "--json", *arguments)
    assert done.exit_code == 2
    assert json.loads(done.stdout)["error"]["code"] == code
    assert names(tmp_path) == ["ball.png"]


def test_a_folder_for_several_is_made(tmp_path, photo):
    other = save_ball(tmp_path / "deep" / "other.jpg", seed=2)
    assert cut(photo, other, "-o", tmp_path / "new" / "er").exit_code == 0
    assert names(tmp_path / "new" / "er") == ["ball-cutout.png", "other-cutout.png"]


def test_too_large_a_photo_is_refused_before_it_is_read(photo):
    done = cut(photo, "--max-pixels", 240 * 180 - 1)
    assert done.exit_code == 2
    assert "limit" in done.stderr
    assert cut(photo, "--max-pixels", 240 * 180).exit_code == 0


def test_edge_settings_work_on_the_finished_matte(tmp_path, photo):
    assert cut(photo, "--mask").exit_code == 0
    flags = ["--shift", "-1.5", "--feather", "1", "--contrast", "0.3", "--invert"]
    assert cut(photo, "--mask", "-o", tmp_path / "edged.png", *flags).exit_code == 0
    settings = EdgeSettings(shift=-1.5, feather=1, contrast=0.3, invert=True)
    expected = apply_edges(pixels(tmp_path / "ball-mask.png"), settings)
    np.testing.assert_array_equal(pixels(tmp_path / "edged.png"), expected)


def test_16_bits_stay_16_while_edges_are_neutral_and_are_widened_otherwise(tmp_path):
    photo = tmp_path / "deep.png"
    rng = np.random.default_rng(1)
    deep = ball().astype(np.uint16) * 257 ^ rng.integers(0, 200, (180, 240, 3), np.uint16)
    photo.write_bytes(imagecodecs.png_encode(deep))
    done = cut(photo, "--json")
    assert json.loads(done.stdout)["bits"] == 16
    rgba = imagecodecs.png_decode((tmp_path / "deep-cutout.png").read_bytes())
    assert rgba.dtype == np.uint16
    np.testing.assert_array_equal(rgba[..., :3], deep)
    matte = rgba[..., 3]
    assert np.any(matte % 257)

    assert cut(photo, "--mask", "--shift", "1").exit_code == 0
    shifted = imagecodecs.png_decode((tmp_path / "deep-mask.png").read_bytes())
    narrow = np.round(matte / 257).astype(np.uint8)
    expected = apply_edges(narrow, EdgeSettings(shift=1)).astype(np.uint16) * 257
    assert shifted.dtype == np.uint16
    np.testing.assert_array_equal(shifted, expected)


def soft(alpha):
    return (alpha > 0) & (alpha < np.iinfo(alpha.dtype).max)


def test_clean_colours_change_soft_pixels_and_no_others(tmp_path, photo):
    assert cut(photo).exit_code == 0
    done = cut(photo, "--clean-colours", "--json", "-o", tmp_path / "clean.png")
    assert json.loads(done.stdout)["seconds"].keys() >= {"edges", "colours", "write"}
    plain, clean = pixels(tmp_path / "ball-cutout.png"), pixels(tmp_path / "clean.png")
    np.testing.assert_array_equal(clean[..., 3], plain[..., 3])
    edge = soft(plain[..., 3])
    np.testing.assert_array_equal(clean[~edge], plain[~edge])
    expected = clean_colours(ball(), plain[..., 3], CancelToken())
    np.testing.assert_array_equal(clean[..., :3], expected)
    # The ball is orange and its ground is blue and grey.
    spill = (plain[edge].astype(int) - clean[edge]) * plain[edge][:, 3:] / 255
    assert spill[:, 2].mean() > 3 > spill[:, 0].mean()


def test_colours_are_cleaned_for_the_matte_that_is_written(tmp_path, photo):
    flags = ["--clean-colours", "--feather", "3", "--shift", "1"]
    assert cut(photo, *flags).exit_code == 0
    rgba = pixels(tmp_path / "ball-cutout.png")
    expected = clean_colours(ball(), rgba[..., 3], CancelToken())
    np.testing.assert_array_equal(rgba[..., :3], expected)


def test_clean_colours_keep_16_bits_and_the_photos_own_colour_space(tmp_path):
    wide, deep = adobe_rgb_like(), ball().astype(np.uint16) * np.uint16(257)
    photo = tmp_path / "wide.png"
    photo.write_bytes(png(deep, profile_chunk(wide)))
    assert cut(photo, "--clean-colours", "-o", tmp_path / "clean.tif").exit_code == 0
    rgba = imagecodecs.imread(tmp_path / "clean.tif")
    assert rgba.dtype == np.uint16
    edge = soft(rgba[..., 3])
    np.testing.assert_array_equal(rgba[~edge][:, :3], deep[~edge])
    expected = clean_colours(deep, rgba[..., 3], CancelToken())
    np.testing.assert_array_equal(rgba[..., :3], expected)
    assert not np.array_equal(rgba[..., :3], deep)
    with Image.open(tmp_path / "clean.tif") as result:
        assert result.info["icc_profile"] == wide


@pytest.mark.parametrize("name", ["clean.png", "clean.webp"])
def test_a_grey_photo_is_cleaned_in_every_format(tmp_path, name):
    grey = np.asarray(Image.fromarray(ball()).convert("L"))
    photo = tmp_path / "grey.png"
    Image.fromarray(grey).save(photo)
    assert cut(photo, "--clean-colours", "-o", tmp_path / name).exit_code == 0
    with Image.open(tmp_path / name) as result:
        rgba = np.asarray(result.convert("RGBA"))
    expected = clean_colours(grey[..., np.newaxis], rgba[..., 3], CancelToken())
    np.testing.assert_array_equal(rgba[..., :3], expected.repeat(3, axis=2))
    assert not np.array_equal(rgba[..., 0], grey)


def test_colours_that_a_photo_hides_are_not_taken_for_its_background(tmp_path):
    """The same cut-out comes of it whatever lies where the photo is transparent."""
    alpha = np.full((180, 240), 255, np.uint8)
    alpha[:, :110] = 0
    found = []
    for number, junk in enumerate((0, 255)):
        layer = ball()
        layer[alpha == 0] = junk
        photo = tmp_path / f"{number}.png"
        Image.fromarray(np.dstack((layer, alpha))).save(photo)
        assert cut(photo, "--clean-colours").exit_code == 0
        found.append(pixels(tmp_path / f"{number}-cutout.png"))
        np.testing.assert_array_equal(found[-1][alpha == 0][:, :3], layer[alpha == 0])
    np.testing.assert_array_equal(found[0][alpha > 0], found[1][alpha > 0])
    assert soft(found[0][..., 3]).any()


@pytest.mark.parametrize("command", ["cut", "batch"])
def test_a_mask_has_no_colours_to_clean(tmp_path, photo, command):
    where = [str(tmp_path), "--out", str(tmp_path / "out")] if command == "batch" else [str(photo)]
    done = CliRunner().invoke(cli, [command, *where, "--mask", "--clean-colours"])
    assert done.exit_code == 2
    assert "leave one of them out" in done.output
    assert names(tmp_path) == ["ball.png"]


def test_a_photos_own_transparency_is_in_the_cut_out_and_not_in_the_mask(tmp_path):
    photo = tmp_path / "half.png"
    alpha = np.full((180, 240, 1), 255, np.uint8)
    alpha[:, :120] = 128
    Image.fromarray(np.concatenate([ball(), alpha], axis=2)).save(photo)
    assert cut(photo).exit_code == 0
    assert cut(photo, "--mask").exit_code == 0
    mask, own = pixels(tmp_path / "half-mask.png"), pixels(tmp_path / "half-cutout.png")[..., 3]
    assert mask[90, 110] > 250
    expected = np.round(mask.astype(float) * alpha[..., 0] / 255)
    np.testing.assert_array_equal(own, expected)


def test_cmyk_is_converted_with_a_warning_unless_only_a_mask_is_wanted(tmp_path):
    photo = tmp_path / "print.jpg"
    Image.fromarray(ball()).convert("CMYK").save(photo)
    codes = {
        flag: [one["code"] for one in json.loads(cut(photo, "--json", *flag).stdout)["warnings"]]
        for flag in ((), ("--mask",))
    }
    assert set(codes[()]) - set(codes[("--mask",)]) == {"cmyk-converted"}


def test_no_focus_looks_once(tmp_path):
    photo = tmp_path / "small.png"
    canvas = np.full((600, 800, 3), 70, np.uint8)
    canvas[250:370, 340:500] = ball(160, 120)
    Image.fromarray(canvas).save(photo)
    runs = [
        json.loads(cut(photo, "--json", "--force", *flags).stdout)["network_runs"]
        for flags in ((), ("--no-focus",))
    ]
    assert runs == [3, 1]


def test_a_pipe_carries_the_picture_and_nothing_else(photo):
    done = run_maskwright("cut", "-", stdin=photo.read_bytes())
    assert done.returncode == 0
    np.testing.assert_array_equal(pixels(io.BytesIO(done.stdout))[..., :3], ball())
    assert done.stderr.startswith(b"- -> -  (")


def test_in_a_pipe_json_goes_to_stderr(photo):
    done = run_maskwright("cut", str(photo), "-o", "-", "--json", "--mask")
    assert json.loads(done.stderr)["result"] == "-"
    assert pixels(io.BytesIO(done.stdout)).shape == (180, 240)


def test_standard_input_may_be_a_file(tmp_path, photo):
    with photo.open("rb") as stdin:
        done = subprocess.run(
            maskwright_command("cut", "-", "-o", str(tmp_path / "x.png")),
            env=environment(),
            stdin=stdin,
            check=False,
        )
    assert done.returncode == 0
    assert pixels(tmp_path / "x.png").shape == (180, 240, 4)


def test_a_bad_pipe_is_a_sentence_and_no_output():
    done = run_maskwright("cut", "-", stdin=b"")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"standard input" in done.stderr


def test_a_name_that_is_no_utf8_works_on_a_terminal_that_is_ascii(tmp_path):
    photo = os.fsencode(tmp_path / "caf") + b"\xe9 \xe2\x82\xac.png"
    save_ball(tmp_path / "ball.png").rename(os.fsdecode(photo))
    done = run_maskwright(
        "cut", os.fsdecode(photo), LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"
    )
    assert done.returncode == 0, done.stderr
    assert os.path.exists(photo.replace(b".png", b"-cutout.png"))
    assert b"\\udce9" in done.stdout
    as_json = run_maskwright("cut", os.fsdecode(photo), "--json", "--force", LC_ALL="C")
    assert json.loads(as_json.stdout)["photo"] == os.fsdecode(photo)


def test_a_terminal_gets_progress_and_colour(photo):
    code, shown = on_a_terminal("cut", str(photo))
    assert code == 0
    assert b"ball.png: predict 0%" in shown
    assert b"\x1b[33mmaskwright: " in shown


def test_no_picture_is_written_to_a_terminal(photo):
    code, shown = on_a_terminal("cut", str(photo), "-o", "-")
    assert code == 2
    assert b"PNG" not in shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_ends_with_130_and_no_half_file(tmp_path, number):
    photos = [save_ball(tmp_path / f"{n}.jpg", seed=n, size=(800, 600)) for n in range(40)]
    with subprocess.Popen(
        maskwright_command("cut", *map(str, photos)),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.send_signal(number)
        began = time.monotonic()
        code = process.wait(20)
        waited = time.monotonic() - began
        said = process.stderr.read()
    assert code == 130
    assert b"Cancelled" in said
    assert b"Traceback" not in said
    assert waited < 1.0  # half a second to stop, the rest to take the process down
    results = [path for path in tmp_path.iterdir() if path.suffix != ".jpg"]
    assert 0 < len(results) < 40
    for result in results:
        assert result.name.endswith("-cutout.png")
        assert pixels(result).shape == (600, 800, 4)
