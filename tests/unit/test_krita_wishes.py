"""Every setting of the docker finds its way into a wish, into Krita's settings and back."""

from dataclasses import fields

import pytest
from maskwright_client.protocol import Combine, Edges
from maskwright_editor.settings import settings
from maskwright_editor.wish import Painted, Wish
from maskwright_krita import wishes
from maskwright_krita.languages import catalogue_names

WISH = Wish(
    model="own-0123456789ab",
    existing=Combine.subtract,
    painted=Painted.discard,
    clean_colours=True,
    focus=False,
    edges=Edges(1.5, 2.0, 0.25, 0.75, 0.5, 10.0, 20.0, True, True),
)


@pytest.mark.parametrize("wish", [Wish(), WISH])
def test_a_wish_is_kept_as_a_line(wish: Wish):
    text = wishes.to_text(wish)
    assert "\n" not in text
    assert wishes.from_text(text) == wish


@pytest.mark.parametrize("text", ["", "{", "[]", '{"existing": "burn"}', '{"edges": 3}', "\ud800"])
def test_a_damaged_line_is_the_first_wish(text: str):
    assert wishes.from_text(text) == Wish()


def test_a_line_of_an_older_plug_in_is_understood():
    assert wishes.from_text('{"model": "modnet", "gone": 1}') == Wish(model="modnet")


def test_every_setting_takes_what_another_wish_says():
    wish = Wish()
    for one in wishes.shown():
        wish = wishes.changed(wish, one, wishes.value(WISH, one))
        assert wishes.value(wish, one) == wishes.value(WISH, one)
    assert (wish.edges, wish.existing, wish.painted) == (WISH.edges, WISH.existing, WISH.painted)
    assert (wish.focus, wish.clean_colours) == (False, True)


def test_the_docker_has_every_edge_setting():
    names = {one.field for one in wishes.shown()}
    others = {"existing", "painted", "focus", "clean_colours"}
    assert names == {field.name for field in fields(Edges)} | others


def test_values_are_of_the_kind_of_their_defaults():
    for one in wishes.shown():
        assert type(wishes.value(Wish(), one)) is type(one.default)
        assert wishes.value(Wish(), one) == one.default


def test_a_reset_leaves_what_is_no_edge():
    assert wishes.without_edges(WISH).edges == Edges()
    assert wishes.without_edges(WISH).existing is Combine.subtract


def test_labels_have_no_access_keys():
    """They would take those of Krita's menus."""
    assert not [one.name for one in settings() if {"_", "&"} & set(wishes.label(one))]


def test_catalogues_are_found_by_qt_s_names():
    assert catalogue_names(["de-AT", "en-US"]) == ["de_AT", "de", "en_US", "en"]
    assert catalogue_names(["de"]) == ["de"]
