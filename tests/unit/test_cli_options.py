"""The options say what the engine's settings say."""

from typing import Any

import click
import pytest
from click.testing import CliRunner
from maskwright.cli import options
from maskwright.errors import InputError
from maskwright.imaging import picture
from maskwright.matting.edges import EdgeSettings
from maskwright.models import catalogue


def settings_for(*arguments: str) -> EdgeSettings:
    seen: list[EdgeSettings] = []

    @click.command()
    @options.recipe_options
    def command(**_others):
        seen.append(options.edge_settings(click.get_current_context()))

    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return seen[0]


def with_only(name: str, value: float) -> EdgeSettings:
    settings: dict[str, Any] = {name: value}
    return EdgeSettings(**settings)


def test_no_flag_is_neutral():
    assert settings_for() == EdgeSettings()
    assert settings_for().is_neutral


def test_every_flag_reaches_its_setting():
    flags = "--shift -1.5 --feather 2 --contrast .25 --midpoint .4 --solidify .5 --fill-holes 9"
    assert settings_for(*flags.split(), "--drop-specks", "7", "--largest", "--invert") == (
        EdgeSettings(
            shift=-1.5,
            feather=2,
            contrast=0.25,
            midpoint=0.4,
            solidify=0.5,
            fill_holes=9,
            drop_specks=7,
            largest=True,
            invert=True,
        )
    )


@pytest.mark.parametrize(
    ("flag", "name"),
    [
        ("--shift", "shift"),
        ("--feather", "feather"),
        ("--contrast", "contrast"),
        ("--midpoint", "midpoint"),
        ("--solidify", "solidify"),
        ("--fill-holes", "fill_holes"),
        ("--drop-specks", "drop_specks"),
    ],
)
def test_the_flags_ranges_are_those_of_the_settings(flag, name):
    @click.command()
    @options.recipe_options
    def command(**_others):
        """Carry the options."""

    (span,) = [one.type for one in command.params if flag in one.opts]
    assert isinstance(span, click.FloatRange)
    for bound, beyond in ((span.min, -0.001), (span.max, 0.001)):
        if bound is not None:
            assert getattr(with_only(name, bound), name) == bound
            with pytest.raises(InputError):
                with_only(name, bound + beyond)


def test_an_area_beyond_every_picture_is_refused_with_a_sentence():
    with pytest.raises(InputError, match="fill_holes"):
        settings_for("--fill-holes", "1e12")


def test_the_constants_written_twice_are_the_same():
    assert options.DEFAULT_MODEL == catalogue.DEFAULT_MODEL
    assert options.DEFAULT_MAX_PIXELS == picture.DEFAULT_MAX_PIXELS
    assert options.HARD_MAX_PIXELS == picture.HARD_MAX_PIXELS
