"""Remove Background in a real Krita: the mask is the engine's, and nothing else moves."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_client import client_of
from engine_process import EngineProcess, engine_in
from host_fixtures import ahead_too
from host_krita import Krita
from krita_expected import what_the_engine_says
from krita_file import saved_masks
from krita_plug_in import CHECKOUT

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(600)]

SAMPLE = CHECKOUT / "installers/sample/coffee.jpg"

EVERY_CASE = """
from host_inside.krita_cases import CASES, run_case
answer({name: run_case(name, given["photo"], "/srv/files") for name in CASES})
"""


@pytest.fixture
def engine(krita: Krita) -> Iterator[EngineProcess]:
    """An engine outside, of the same user."""
    with engine_in(krita.stay.home) as running:
        yield running


def saved_at(file: Path, layer: dict[str, Any]) -> bytes:
    """The layer's uppermost mask as it lies in the file."""
    masks = [one for one in saved_masks(file) if one.layer == layer["name"]]
    (mask,) = [one for one in masks if one.name == layer["mask name"]]
    return mask.at(*layer["place"])


@ahead_too
def test_every_kind_of_layer(krita: Krita, engine: EngineProcess):
    photo = krita.stay.bring(SAMPLE)
    cases = krita.runner(EVERY_CASE, timeout=400, photo=photo)
    client, files = client_of(engine), krita.stay.files
    wrong, table = [], []
    for name, case in cases.items():
        facts = {
            "else as before": case["unchanged"],
            "and when reopened": case["unchanged when reopened"],
            "taken for unchanged": not any("meanwhile" in note for note in case["notes"]),
        }
        for layer in case["layers"]:
            expected, seen = what_the_engine_says(client, case, layer, files)
            mask = (files / f"{layer['stem']}.mask").read_bytes()
            facts |= {
                "size": len(mask) == layer["place"][2] * layer["place"][3],
                "the engine saw these pixels": seen,
                "mask": mask == expected,
                "reopened": (files / f"{layer['stem']}.reopened").read_bytes() == mask,
                "in the file": saved_at(files / case["saved"], layer) == mask,
                "other masks": layer["others"],
                "remembered": layer["remembered"],
                "named": layer["mask name"] == "Cut-out, u2netp",
            }
        bad = [fact for fact, holds in facts.items() if not holds]
        place = "{2}x{3}{0:+}{1:+}".format(*case["layers"][0]["place"])
        table.append(f"  {name:<22}{place:<20}{'ok' if not bad else 'NOT: ' + ', '.join(bad)}")
        wrong += [(name, bad, case["before"], case["after"])] if bad else []
    sys.stdout.write("\n".join(["", *table, ""]))
    assert not wrong
    assert len(cases) >= 33
