"""What keeps the plug-in out of a real GIMP, the doctor finds and mends."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from gimp_desk import BREAKAGES, Desk, begun_with
from gimp_plug_in import CHECKOUT
from host_gimp import Gimp
from maskwright.doctor import editors
from maskwright.doctor.report import Check, Status
from maskwright.hosts import Finding, PluginState

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(300)]

SOURCES = CHECKOUT / "plugin"
PROCEDURE = "maskwright-remove-background"
ASK = f"answer(Gimp.get_pdb().lookup_procedure({PROCEDURE!r}) is not None)"
SHOWS_ALL_THE_SAME = (PluginState.twice, PluginState.other_version)
SENTENCES = {
    PluginState.not_executable: "may not be executed",
    PluginState.bad_first_line: "does not name Python 3",
    PluginState.incomplete: "there in part",
    PluginState.misnamed: "passes over the plug-in",
    PluginState.other_version: "of another version in part",
    PluginState.other_profile: "only where this GIMP does not look",
    PluginState.not_searched: "gimprc has it look in",
    PluginState.twice: "a second time",
}


@pytest.fixture
def desk(gimp: Gimp) -> Desk:
    return Desk(gimp.stay.home, gimp.profile.name, SOURCES)


def shows(gimp: Gimp, desk: Desk) -> bool:
    """Whether a GIMP that is started now has the procedure."""
    return bool(gimp.console(ASK, env=desk.environ))


def host_check(desk: Desk) -> Check:
    """What the doctor says about the GIMP that would start."""
    checks = dict(zip(desk.hosts(), editors.checks(desk.hosts(), SOURCES), strict=True))
    return checks[desk.host()]


@pytest.mark.parametrize("name", BREAKAGES)
def test_gimp_does_not_show_it_the_doctor_says_why_mends_it_and_gimp_does(
    gimp: Gimp, desk: Desk, name: str
):
    wanted = BREAKAGES[name](desk)
    assert shows(gimp, desk) is (wanted.state in SHOWS_ALL_THE_SAME), gimp.said
    if wanted.state is PluginState.twice:
        assert f"Removing duplicate PDB procedure '{PROCEDURE}'" in gimp.said
    found = host_check(desk)
    assert found.status is Status.warn
    assert SENTENCES[wanted.state] in found.message
    assert str(wanted.where) in found.message
    assert found.fix == "Run `maskwright doctor --repair`, then restart GIMP."
    (done,) = editors.repairs(desk.hosts(), SOURCES)
    assert done.status is Status.done
    assert (done.fix or "").startswith("Restart GIMP")
    assert host_check(desk).status is Status.ok
    assert shows(gimp, desk), gimp.said
    assert "duplicate" not in gimp.said


@pytest.mark.parametrize("line", [b"#!/usr/bin/env python3\r\n", b"#! /usr/bin/python3\n"])
def test_what_gimp_takes_is_not_called_broken(gimp: Gimp, desk: Desk, line: bytes):
    begun_with(line)(desk)
    assert shows(gimp, desk), gimp.said
    assert desk.finding() == Finding(PluginState.in_place)


def test_the_command_mends_it_too(gimp: Gimp, desk: Desk):
    BREAKAGES["not executable"](desk)
    assert doctor(desk.home)["host:gimp"]["figures"]["plugin"] == "not-executable"
    said = doctor(desk.home, "--repair")
    assert said["repair:gimp"]["status"] == "done"
    assert "~/.config/GIMP" in said["repair:gimp"]["message"]
    assert said["host:gimp"]["status"] == "ok"
    assert shows(gimp, desk), gimp.said
    assert "repair:gimp" not in doctor(desk.home, "--repair")


def doctor(home: Path, *options: str) -> dict[str, dict[str, Any]]:
    """What `maskwright doctor` reports for that home, by the names of the checks."""
    path = os.pathsep.join(str(CHECKOUT / part) for part in ("engine", "plugin/shared"))
    environ = {"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-B", "-m", "maskwright", "doctor", "--json", *options],
        env={**environ, "MASKWRIGHT_DEVICE": "cpu"},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return {check["name"]: check for check in json.loads(done.stdout)["checks"]}
