"""The procedures' arguments and what they mean are the same thing."""

from dataclasses import fields
from typing import Any

import pytest
from maskwright.matting.edges import _RANGES
from maskwright_client.protocol import Combine, Edges
from maskwright_editor.settings import settings
from maskwright_editor.wish import Output, Painted, Wish
from maskwright_gimp.arguments import read, write


class Config(dict[str, Any]):
    """As GIMP's, with the arguments' defaults."""

    def __init__(self) -> None:
        super().__init__({one.name: one.default for one in settings()})

    def get_property(self, name: str) -> Any:
        return self[name]

    def set_property(self, name: str, value: Any) -> None:
        assert name in self
        assert type(value) is type(self[name])
        self[name] = value


WISHES = [
    Wish(),
    Wish(model="own-0123456789ab", existing=Combine.add, painted=Painted.discard, focus=False),
    Wish(edges=Edges(1.5, 2.0, 0.25, 0.75, 0.5, 10.0, 20.0, True, True), edit_mask=True),
    Wish(locked=True, output=Output.selection, clean_colours=True),
]


def test_the_defaults_are_those_of_a_wish():
    assert read(Config()) == Wish()


@pytest.mark.parametrize("wish", WISHES)
def test_a_wish_comes_back_out_of_a_config(wish: Wish):
    config = Config()
    write(config, wish)
    assert read(config) == wish


def test_every_setting_is_an_argument():
    names = {one.field for one in settings()}
    assert names == {one.name for one in fields(Edges)} | {
        one.name for one in fields(Wish) if one.name != "edges"
    }


def test_sliders_go_as_far_as_the_engine_does():
    for one in settings():
        if isinstance(one.default, float):
            low, high = _RANGES[one.field]
            assert (one.low, one.high) == (low, min(high, 1_000_000))


def test_no_two_labels_have_the_same_mnemonic():
    taken = set("hrocslx")  # GIMP's own: Help, Reset, OK, Cancel, Save, Load; and the preview's
    for one in (one for one in settings() if "_" in one.label):
        letter = one.label[one.label.index("_") + 1].lower()
        assert letter not in taken, one.label
        taken.add(letter)


def test_an_unknown_choice_is_no_wish():
    config = Config()
    config["existing"] = "burn"
    with pytest.raises(ValueError, match="burn"):
        read(config)
