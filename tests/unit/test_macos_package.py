"""What can be said about the package for macOS on a machine that has none of Apple's tools."""

import plistlib
import stat
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

MACOS = Path(__file__).resolve().parents[2] / "installers" / "macos"
POSTINSTALL = MACOS / "scripts" / "postinstall"


@pytest.mark.parametrize(
    "script", [MACOS / "build_pkg.sh", POSTINSTALL], ids=lambda path: path.name
)
def test_scripts_can_be_run(script: Path) -> None:
    assert script.stat().st_mode & stat.S_IXUSR
    subprocess.run(["sh", "-n", script], check=True)


def test_entitlements_are_switched_on() -> None:
    entitlements = plistlib.loads((MACOS / "entitlements.plist").read_bytes())
    assert all(name.startswith("com.apple.security.cs.") for name in entitlements)
    assert set(entitlements.values()) == {True}


def test_it_is_for_one_user_and_names_the_package_that_is_built() -> None:
    text = (MACOS / "distribution.xml").read_text().replace("@VERSION@", "1.2.3")
    root = ElementTree.fromstring(text)  # noqa: S314 - our own
    domains = root.find("domains")
    assert domains is not None
    assert domains.attrib == {
        "enable_anywhere": "false",
        "enable_currentUserHome": "true",
        "enable_localSystem": "false",
    }
    identifiers = {reference.get("id") for reference in root.iter("pkg-ref")}
    script = (MACOS / "build_pkg.sh").read_text()
    assert identifiers == {"org.maskwright.engine"}
    assert "identifier=org.maskwright.engine\n" in script
    assert [reference.text for reference in root.iter("pkg-ref") if reference.text] == [
        "engine.pkg"
    ]
    assert "/engine.pkg" in script


@pytest.mark.parametrize("code", [0, 3])
def test_the_engine_installs_itself_and_what_was_unpacked_goes(tmp_path: Path, code: int) -> None:
    unpacked = tmp_path / "Zoë 山田" / "maskwright-setup"
    program = unpacked / "engine" / "maskwright"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\necho "$@" > "{tmp_path}/said"\nexit {code}\n')
    program.chmod(0o755)
    done = subprocess.run([POSTINSTALL, "the.pkg", unpacked, tmp_path, "/"])
    assert done.returncode == code
    assert (tmp_path / "said").read_text() == "setup install --no-sample\n"
    assert not unpacked.exists()
