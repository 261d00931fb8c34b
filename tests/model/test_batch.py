"""`maskwright batch` with the built-in network, in the test's process and in its own."""

import json
import os
import signal
import subprocess
import time

import numpy as np
import pytest
from click.testing import CliRunner
from filelock import FileLock
from maskwright.cli import cli
from own_process import environment, maskwright_command, on_a_terminal
from PIL import Image
from subject_photos import save_ball


def batch(folder, out, *arguments):
    line = ["batch", str(folder), "--out", str(out), *map(str, arguments)]
    return CliRunner().invoke(cli, line)


def report_of(out):
    return json.loads((out / "maskwright-report.json").read_text())


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def visible(folder):
    """Everything that a person sees in the folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(
        path.relative_to(folder).as_posix() for path in files if not path.name.startswith(".")
    )


def stamps(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.png")}


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for seed in range(3):
        save_ball(folder / f"{seed}.jpg", seed=seed)
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def test_one_bad_file_does_not_stop_the_rest(photos, out):
    (photos / "1 bad.png").write_bytes(b"no photo")
    done = batch(photos, out)
    assert done.exit_code == 1
    assert visible(out) == [
        *(f"{n}-cutout.png" for n in range(3)),
        "maskwright-report.json",
    ]
    assert pixels(out / "0-cutout.png").shape == (180, 240, 4)
    lines = done.stdout.splitlines()
    assert lines[1].split()[0] == "failed"
    assert "1 bad.png is not a photo" in lines[1]
    assert lines[-2].startswith("3 done, 0 unchanged, 1 failed; ")
    assert lines[-1] == f"Report: {out / 'maskwright-report.json'}"
    assert "Traceback" not in done.output


def test_the_report_says_what_was_run_and_ranks_by_doubt(photos, out):
    empty = np.full((400, 400, 3), 90, np.uint8)
    Image.fromarray(empty).save(photos / "empty.png")
    (photos / "broken.jpg").write_bytes(b"")
    assert batch(photos, out, "--mask", "--feather", "1.5").exit_code == 1
    document = report_of(out)
    assert document["maskwright_report"] == 1
    assert document["folder"] == str(photos)
    assert (document["product"], document["model"]) == ("mask", "u2netp")
    assert document["edges"]["feather"] == 1.5
    assert document["counts"]["done"] == 4
    assert [one["photo"] for one in document["failed"]] == ["broken.jpg"]
    assert document["failed"][0]["error"]["code"] == "not-a-photo"
    results = document["results"]
    assert results[0]["photo"] == "empty.png"
    assert results[0]["needs_review"] is True
    assert "nothing-found" in [one["code"] for one in results[0]["warnings"]]
    keys = [(not one["needs_review"], -one["doubt"]) for one in results]
    assert keys == sorted(keys)
    assert document["counts"]["needs_review"] == sum(one["needs_review"] for one in results)


def test_a_second_run_leaves_alone_what_is_done(photos, out):
    assert batch(photos, out).exit_code == 0
    before, first = stamps(out), report_of(out)
    done = batch(photos, out)
    assert done.exit_code == 0
    assert stamps(out) == before
    assert "0 done, 3 unchanged, 0 failed" in done.stdout
    second = report_of(out)
    assert [one["status"] for one in second["results"]] == ["unchanged"] * 3
    assert [one["doubt"] for one in second["results"]] == [one["doubt"] for one in first["results"]]


def test_a_failure_is_tried_again(photos, out):
    (photos / "x.png").write_bytes(b"no photo")
    assert batch(photos, out).exit_code == 1
    save_ball(photos / "x.png")
    done = batch(photos, out)
    assert done.exit_code == 0
    assert "1 done, 3 unchanged" in done.stdout


def test_only_what_changed_is_made_anew(photos, out):
    assert batch(photos, out).exit_code == 0
    before = stamps(out)
    save_ball(photos / "0.jpg", seed=9)
    (out / "1-cutout.png").unlink()
    done = batch(photos, out)
    assert done.exit_code == 0
    assert "2 done, 1 unchanged" in done.stdout
    after = stamps(out)
    assert {path.name for path in after if after[path] != before[path]} == {
        "0-cutout.png",
        "1-cutout.png",
    }


def test_other_settings_make_everything_anew_and_masks_live_beside_cut_outs(photos, out):
    assert batch(photos, out).exit_code == 0
    assert "3 done" in batch(photos, out, "--invert").stdout
    assert pixels(out / "0-cutout.png")[90, 120, 3] < 5
    assert "3 done" in batch(photos, out, "--mask").stdout
    assert "3 unchanged" in batch(photos, out, "--invert").stdout
    assert "3 unchanged" in batch(photos, out, "--mask").stdout


def test_clean_colours_are_another_result_of_the_same_photo(photos, out):
    assert batch(photos, out).exit_code == 0
    plain = pixels(out / "0-cutout.png")
    assert report_of(out)["clean_colours"] is False
    assert "3 done" in batch(photos, out, "--clean-colours").stdout
    assert report_of(out)["clean_colours"] is True
    clean = pixels(out / "0-cutout.png")
    np.testing.assert_array_equal(clean[..., 3], plain[..., 3])
    assert (clean != plain).any()
    assert "3 unchanged" in batch(photos, out, "--clean-colours").stdout


def test_a_result_that_somebody_worked_on_is_kept_unless_forced(photos, out):
    assert batch(photos, out).exit_code == 0
    mine = out / "0-cutout.png"
    mine.write_bytes(b"touched up by hand")
    done = batch(photos, out)
    assert done.exit_code == 0
    assert "3 unchanged" in done.stdout
    done = batch(photos, out, "--shift", "1")
    assert done.exit_code == 1
    assert "0-cutout.png exists already; add --force" in done.stdout
    assert mine.read_bytes() == b"touched up by hand"
    assert batch(photos, out, "--shift", "1", "--force").exit_code == 0
    assert pixels(mine).shape == (180, 240, 4)


def test_a_file_of_somebody_else_is_not_overwritten(photos, out):
    out.mkdir()
    (out / "0-cutout.png").write_bytes(b"mine")
    assert batch(photos, out).exit_code == 1
    assert (out / "0-cutout.png").read_bytes() == b"mine"
    assert batch(photos, out, "--force").exit_code == 0


def test_force_makes_everything_anew(photos, out):
    assert batch(photos, out).exit_code == 0
    assert "3 done, 0 unchanged" in batch(photos, out, "--force").stdout


def test_a_damaged_record_is_said_and_nothing_is_overwritten(photos, out):
    assert batch(photos, out).exit_code == 0
    before = stamps(out)
    (out / ".maskwright-batch.json").write_text("{")
    done = batch(photos, out)
    assert done.exit_code == 2
    assert "damaged" in done.stderr
    assert stamps(out) == before


def test_photos_that_share_a_name_keep_their_endings(tmp_path, out):
    folder = tmp_path / "photos"
    save_ball(folder / "a.jpg", seed=1)
    save_ball(folder / "a.png", seed=2)
    assert batch(folder, out, "--mask").exit_code == 0
    assert visible(out)[:2] == ["a.jpg-mask.png", "a.png-mask.png"]


def test_results_in_the_same_folder_are_not_photos_of_the_next_run(photos):
    for _ in range(2):
        assert batch(photos, photos).exit_code == 0
        assert batch(photos, photos, "--mask", "--recursive").exit_code == 0
    done = batch(photos, photos)
    assert "0 done, 3 unchanged, 0 failed" in done.stdout
    assert "6 files, such as 0-cutout.png, are named like results" in done.stderr


def test_results_in_a_folder_inside_are_not_photos_of_the_next_run(photos):
    save_ball(photos / "sub" / "0.jpg", seed=7)
    for expected in ("4 done, 0 unchanged", "0 done, 4 unchanged"):
        done = batch(photos, photos / "out", "--recursive")
        assert done.exit_code == 0
        assert expected in done.stdout
        assert done.stderr == ""
    assert visible(photos / "out")[:4] == [
        "0-cutout.png",
        "1-cutout.png",
        "2-cutout.png",
        "maskwright-report.json",
    ]
    assert (photos / "out" / "sub" / "0-cutout.png").exists()


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_loop_of_links_ends(photos, out):
    (photos / "again").symlink_to(photos)
    assert "3 done" in batch(photos, out, "--recursive").stdout


def test_the_number_of_jobs_changes_nothing_in_the_results(photos, tmp_path):
    for jobs in (1, 3):
        assert batch(photos, tmp_path / str(jobs), "--jobs", jobs).exit_code == 0
    for n in range(3):
        one, three = (tmp_path / str(jobs) / f"{n}-cutout.png" for jobs in (1, 3))
        assert one.read_bytes() == three.read_bytes()


def test_the_report_goes_where_it_should_and_replaces_only_reports(photos, out, tmp_path):
    report = tmp_path / "report.json"
    assert batch(photos, out, "--report", report).exit_code == 0
    assert batch(photos, out, "--report", report).exit_code == 0
    assert json.loads(report.read_text())["counts"]["unchanged"] == 3
    assert not (out / "maskwright-report.json").exists()
    report.write_text("my notes")
    done = batch(photos, out, "--report", report)
    assert done.exit_code == 2
    assert report.read_text() == "my notes"
    done = batch(photos, out, "--report", tmp_path / "no such folder" / "x.json")
    assert done.exit_code == 2
    assert "no folder" in done.stderr


def test_no_photos_is_bad_input(tmp_path, out):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    save_ball(tmp_path / "in" / "sub" / "a.jpg")
    done = batch(tmp_path / "in", out)
    assert done.exit_code == 2
    assert "--recursive" in done.stderr
    assert not out.exists()
    assert batch(tmp_path / "in", out, "--recursive").exit_code == 0


def test_an_output_folder_that_cannot_be_is_a_sentence(photos, tmp_path):
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        done = batch(photos, out)
        assert done.exit_code == 2
        assert "file" in done.stderr


@pytest.mark.parametrize(("model", "code"), [("nonsense", 2), ("birefnet-lite", 3)])
def test_a_model_that_is_not_there_ends_the_run(photos, out, model, code):
    assert batch(photos, out, "--model", model).exit_code == code
    assert stamps(out) == {}


def test_where_every_photo_fails_the_code_is_theirs(tmp_path, out):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"no photo")
    assert batch(tmp_path / "in", out).exit_code == 2


def test_two_batches_do_not_write_to_one_folder(photos, out):
    out.mkdir()
    with FileLock(out / ".maskwright-batch.lock"):
        done = batch(photos, out)
    assert done.exit_code == 2
    assert "Another batch" in done.stderr
    assert batch(photos, out).exit_code == 0


def test_a_terminal_gets_a_progress_bar(photos, out):
    code, shown = on_a_terminal("batch", str(photos), "--out", str(out))
    assert code == 0
    assert b"photos  [" in shown
    assert b"3/3" in shown


def start(folder, out):
    return subprocess.Popen(
        maskwright_command("batch", str(folder), "--out", str(out), "--jobs", "3"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def wait_for_results(out, count):
    until = time.monotonic() + 30
    while len(list(out.glob("*-cutout.png"))) < count:
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.fixture
def many(tmp_path):
    folder = tmp_path / "many"
    for seed in range(24):
        save_ball(folder / f"{seed:02}.jpg", seed=seed, size=(1200, 900))
    return folder


def assert_whole(out):
    results = sorted(out.glob("*.png"))
    for result in results:
        assert pixels(result).shape == (900, 1200, 4)
    return results


def test_ctrl_c_leaves_no_half_file_and_the_next_run_goes_on(many, out):
    with start(many, out) as process:
        wait_for_results(out, 3)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        said, complained = process.communicate(timeout=20)
        waited = time.monotonic() - began
    assert process.returncode == 130
    assert waited < 1.5
    assert b" of 24 photos; run the same command again to go on." in complained
    assert b"Traceback" not in complained
    assert said == b""
    assert list(out.glob(".*.part")) == []
    before = assert_whole(out)
    assert 3 <= len(before) < 24
    done = batch(many, out)
    assert done.exit_code == 0
    assert f"{24 - len(before)} done, {len(before)} unchanged, 0 failed" in done.stdout
    assert len(assert_whole(out)) == 24


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL there")
def test_a_kill_leaves_no_half_file_under_a_results_name(many, out):
    with start(many, out) as process:
        wait_for_results(out, 3)
        process.kill()
        process.communicate(timeout=20)
    killed = assert_whole(out)
    assert 3 <= len(killed) < 24
    done = batch(many, out)
    # A result that was in place and not yet in the record is not ours to overwrite.
    unsure = done.stdout.count("exists already")
    assert unsure <= 3
    assert done.exit_code == (1 if unsure else 0)
    assert len(assert_whole(out)) == 24
