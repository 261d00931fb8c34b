"""Where `cut` writes."""

from pathlib import Path

import click
import pytest
from maskwright.cli.targets import plan_targets
from maskwright.errors import InputError
from maskwright.naming import Product


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "file.png").touch()


def planned(photos, out=None, product=Product.cutout):
    plan = plan_targets([Path(photo) for photo in photos], out, product)
    return {str(photo): str(target) for photo, target in plan.by_photo.items()}


@pytest.mark.parametrize(
    ("photo", "out", "target"),
    [
        ("a/cat.jpg", None, "a/cat-cutout.png"),
        ("cat.jpg", "x.tif", "x.tif"),
        ("cat.jpg", "there", "there/cat-cutout.png"),
        ("cat.jpg", "new/", "new/cat-cutout.png"),
        ("cat.jpg", "-", "-"),
        ("-", None, "-"),
        ("-", "x.png", "x.png"),
    ],
)
def test_one_photo(photo, out, target):
    assert planned([photo], out) == {photo: target}


def test_a_mask_is_called_mask():
    assert planned(["cat.jpg"], None, Product.mask) == {"cat.jpg": "cat-mask.png"}


@pytest.mark.parametrize("out", ["there", "there/", "new", "new/", "new.png/"])
def test_several_photos_go_into_a_folder(out):
    folder = out.rstrip("/")
    assert planned(["a.jpg", "x/b.jpg"], out) == {
        "a.jpg": f"{folder}/a-cutout.png",
        "x/b.jpg": f"{folder}/b-cutout.png",
    }


@pytest.mark.parametrize(
    ("photos", "out", "folder"),
    [
        (["a.jpg"], None, None),
        (["a.jpg"], "x/y.png", None),
        (["a.jpg"], "new/", Path("new")),
        (["a.jpg", "b.jpg"], None, None),
        (["a.jpg", "b.jpg"], "new", Path("new")),
    ],
)
def test_only_a_folder_that_was_named_is_to_be_made(photos, out, folder):
    plan = plan_targets([Path(photo) for photo in photos], out, Product.cutout)
    assert plan.folder == folder


def test_several_photos_without_a_folder_stay_beside_themselves():
    assert planned(["a.jpg", "x/a.jpg"]) == {
        "a.jpg": "a-cutout.png",
        "x/a.jpg": "x/a-cutout.png",
    }


def test_a_photo_named_twice_is_done_once():
    assert planned(["a.jpg", "a.jpg", "b.jpg"], "there") == planned(["a.jpg", "b.jpg"], "there")
    assert planned(["a.jpg", "a.jpg"], "x.png") == {"a.jpg": "x.png"}


@pytest.mark.parametrize(
    ("photos", "out", "says"),
    [
        (["a.jpg", "b.jpg"], "file.png", "file.png is a file"),
        (["a.jpg", "b.jpg"], "new.png", "looks like a file"),
        (["a.jpg", "b.jpg"], "-", "not standard output"),
        (["-", "b.jpg"], None, "stands alone"),
        (["-", "b.jpg"], "there", "stands alone"),
        (["-"], "there", "needs a file name"),
    ],
)
def test_what_does_not_fit_together_is_bad_usage(photos, out, says):
    with pytest.raises(click.UsageError) as caught:
        planned(photos, out)
    assert says in caught.value.message
    assert caught.value.exit_code == 2


def test_two_photos_that_would_become_one_file_are_refused():
    with pytest.raises(InputError, match="rename"):
        planned(["x/a.jpg", "y/a.jpg"], "there")
