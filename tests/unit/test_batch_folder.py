"""Which files a batch takes for photos."""

import os
import sys
from pathlib import Path

import pytest
from maskwright.batch.folder import find_photos


def _touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _names(paths):
    return [path.as_posix() for path in paths]


def test_photos_are_found_sorted_by_name_and_the_rest_ignored(tmp_path):
    _touch(tmp_path, "b.JPG", "a.png", "notes.txt", ".hidden.jpg", "._b.JPG", "sub/c.jpg")
    found = find_photos(tmp_path, tmp_path / "out", recursive=False)
    assert _names(found.photos) == ["a.png", "b.JPG"]


def test_recursive_goes_into_folders_but_not_hidden_ones(tmp_path):
    _touch(tmp_path, "a.jpg", "sub/deep/c.webp", ".trash/d.jpg")
    found = find_photos(tmp_path, tmp_path / "out", recursive=True)
    assert _names(found.photos) == ["a.jpg", "sub/deep/c.webp"]


def test_the_output_folder_inside_the_folder_is_not_searched(tmp_path):
    _touch(tmp_path, "a.jpg", "out/a-cutout.png", "out/other.jpg", "outer/b.jpg")
    found = find_photos(tmp_path, tmp_path / "sub" / ".." / "out", recursive=True)
    assert _names(found.photos) == ["a.jpg", "outer/b.jpg"]


def test_results_beside_their_photos_are_told_from_photos(tmp_path):
    _touch(tmp_path, "a.jpg", "a-cutout.png", "a.jpg-mask.png", "face-mask.png", "-mask.png")
    found = find_photos(tmp_path, tmp_path, recursive=True)
    assert _names(found.photos) == ["-mask.png", "a.jpg", "face-mask.png"]
    assert _names(found.results) == ["a-cutout.png", "a.jpg-mask.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links_to_folders_cannot_lead_in_circles(tmp_path):
    _touch(tmp_path, "in/a.jpg", "in/sub/b.jpg", "elsewhere/c.jpg")
    folder = tmp_path / "in"
    (folder / "loop").symlink_to(folder)
    (folder / "sub" / "up").symlink_to(folder)
    (folder / "away").symlink_to(tmp_path / "elsewhere")
    found = find_photos(folder, tmp_path / "out", recursive=True)
    assert _names(found.photos) == ["a.jpg", "sub/b.jpg"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_to_a_photo_is_a_photo_and_a_broken_one_is_not_hidden(tmp_path):
    _touch(tmp_path, "elsewhere/c.jpg")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.jpg").symlink_to(tmp_path / "elsewhere" / "c.jpg")
    (folder / "lost.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert _names(find_photos(folder, tmp_path / "out", recursive=False).photos) == [
        "good.jpg",
        "lost.jpg",
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_named_like_a_photo_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert find_photos(tmp_path, Path("out"), recursive=False).photos == ()
