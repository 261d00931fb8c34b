"""What results are called, and that two photos never share one."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maskwright.errors import InputError
from maskwright.naming import Product, looks_like_result, plan_results, result_name

P = PurePosixPath


@pytest.mark.parametrize(
    ("photo", "product", "name"),
    [
        ("cat.jpg", Product.cutout, "cat-cutout.png"),
        ("cat.jpg", Product.mask, "cat-mask.png"),
        ("a.b.tiff", Product.cutout, "a.b-cutout.png"),
        ("no suffix", Product.mask, "no suffix-mask.png"),
        (".hidden", Product.cutout, ".hidden-cutout.png"),
    ],
)
def test_the_name_says_what_it_is(photo, product, name):
    assert result_name(P(photo), product) == name


def test_a_shared_stem_makes_all_of_them_keep_their_suffix_in_any_order():
    photos = [P("d/a.jpg"), P("d/a.png"), P("d/b.jpg")]
    expected = {
        P("d/a.jpg"): P("o/a.jpg-cutout.png"),
        P("d/a.png"): P("o/a.png-cutout.png"),
        P("d/b.jpg"): P("o/b-cutout.png"),
    }
    for order in (photos, photos[::-1]):
        assert plan_results(order, Product.cutout, lambda photo: P("o")) == expected


def test_the_same_stem_in_two_folders_is_no_clash_where_the_folders_stay_apart():
    plan = plan_results([P("x/a.jpg"), P("y/a.jpg")], Product.mask, lambda photo: photo.parent)
    assert list(plan.values()) == [P("x/a-mask.png"), P("y/a-mask.png")]


def test_names_that_differ_in_case_or_unicode_form_count_as_one():
    photos = [P("A.jpg"), P("a.png"), P("u\u0308.jpg"), P("\u00fc.png")]
    names = [path.name for path in plan_results(photos, Product.mask, lambda _: P(".")).values()]
    assert names == [f"{photo.name}-mask.png" for photo in photos]


@pytest.mark.parametrize(
    "photos",
    [
        ["x/a.jpg", "y/a.jpg"],
        ["A.jpg", "a.jpg"],
        ["a.jpg", "a.png", "a.jpg.webp"],
    ],
)
def test_what_cannot_be_told_apart_is_refused_by_name(photos):
    with pytest.raises(InputError) as caught:
        plan_results([P(photo) for photo in photos], Product.cutout, lambda _: P("out"))
    assert caught.value.code == "same-result"
    assert "rename" in str(caught.value)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.sampled_from("abAB"), st.sampled_from([".jpg", ".png", ".jpg.png", ""])),
        unique=True,
        max_size=6,
    )
)
def test_a_plan_never_sends_two_photos_to_one_file(parts):
    photos = [P(stem + suffix) for stem, suffix in parts]
    try:
        plan = plan_results(photos, Product.cutout, lambda _: P("out"))
    except InputError:
        return
    assert list(plan) == photos
    assert len({str(path).casefold() for path in plan.values()}) == len(photos)


@pytest.mark.parametrize(
    ("name", "neighbours", "expected"),
    [
        ("cat-cutout.png", {"cat"}, True),
        ("cat-mask.PNG", {"cat"}, True),
        ("cat.jpg-mask.png", {"cat.jpg", "cat"}, True),
        ("cat-cutout.png", {"dog"}, False),
        ("cat-cutout.jpg", {"cat"}, False),
        ("catmask.png", {"cat"}, False),
        ("-mask.png", {"cat"}, False),
    ],
)
def test_results_are_known_by_the_photo_beside_them(name, neighbours, expected):
    assert looks_like_result(name, frozenset(neighbours)) is expected
