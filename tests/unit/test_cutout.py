"""What tells one recipe from another."""

from dataclasses import replace

from maskwright.cutout import Recipe
from maskwright.matting.edges import EdgeSettings
from maskwright.naming import Product

RECIPE = Recipe()


def test_every_setting_that_changes_a_result_changes_the_digest():
    others = [
        replace(RECIPE, product=Product.mask),
        replace(RECIPE, edges=EdgeSettings(shift=1)),
        replace(RECIPE, clean_colours=True),
        replace(RECIPE, focus=False),
    ]
    digests = {recipe.digest("u2netp") for recipe in (RECIPE, *others)}
    assert len(digests) == 5
    assert RECIPE.digest("another") not in digests
    assert replace(RECIPE, max_pixels=5).digest("u2netp") in digests


def test_results_of_earlier_versions_stay_current():
    """A batch compares with what its record says, which may be older than a setting."""
    assert RECIPE.digest("u2netp") == (
        "f32db9781a20942fbc166214ca943f42f8104f0a3d3b26e396485cfa76786c39"
    )
