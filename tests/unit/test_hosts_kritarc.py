"""Krita's settings file: what it says, and that a change leaves the rest of it alone."""

from pathlib import Path

import pytest
from krita_desk import SWITCH_LINES
from maskwright.hosts import forget_switch, is_switched_on, switch_on

SWITCH = "enable_maskwright=true"


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return tmp_path / "kritarc"


@pytest.mark.parametrize(("line", "state"), SWITCH_LINES.items())
@pytest.mark.parametrize(
    "header", ["[python]", " [python] ", "[python][$i]", "[python]\nx=1\n[x]\n[python]"]
)
def test_whether_it_is_switched_on(
    settings: Path, header: str, line: str, state: bool | None
) -> None:
    switch = line.format("maskwright")
    settings.write_bytes(f"plain=1\n\n{header}\ny=1\n{switch}\n".encode())
    assert is_switched_on(settings) is state


@pytest.mark.parametrize(
    "content",
    [
        f"{SWITCH}\n",
        f"[Python]\n{SWITCH}\n",
        f"[python][more]\n{SWITCH}\n",
        f"[python]\n[other]\n{SWITCH}\n",
        "\0",
        "",
    ],
)
def test_other_groups_say_nothing(settings: Path, content: str) -> None:
    settings.write_text(content)
    assert is_switched_on(settings) is None
    settings.unlink()
    assert is_switched_on(settings) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"[python]\n{SWITCH}\n"),
        ("a=1\n", f"a=1\n\n[python]\n{SWITCH}\n"),
        ("a=1", f"a=1\n\n[python]\n{SWITCH}"),
        ("a=1\n\n", f"a=1\n\n\n[python]\n{SWITCH}\n"),
        ("a=1\r\n[b]\r\nc=2\r\n", f"a=1\r\n[b]\r\nc=2\r\n\r\n[python]\r\n{SWITCH}\r\n"),
        ("[python]\nx=1\n\n[b]\n", f"[python]\n{SWITCH}\nx=1\n\n[b]\n"),
        ("# mine\n[python]\nx=1", f"# mine\n[python]\n{SWITCH}\nx=1"),
        ("[b]\n\n[python]\r\nx=1\r\n", f"[b]\n\n[python]\r\n{SWITCH}\r\nx=1\r\n"),
        (
            "[python]\nx=\\xff\n\n\n[python]\ny=1\n",
            f"[python]\n{SWITCH}\nx=\\xff\n\n\n[python]\ny=1\n",
        ),
    ],
)
def test_a_switch_comes_and_goes_and_the_rest_stays(
    settings: Path, before: str, after: str
) -> None:
    settings.write_bytes(before.encode())
    settings.chmod(0o640)
    switch_on(settings)
    assert settings.read_bytes().decode() == after
    assert settings.stat().st_mode & 0o777 == 0o640
    assert is_switched_on(settings) is True
    forget_switch(settings)
    assert (settings.read_bytes().decode() if settings.exists() else "") == before


@pytest.mark.parametrize("value", ["false", " FALSE", "0", "true\nenable_maskwright=off"])
def test_what_was_off_is_on(settings: Path, value: str) -> None:
    settings.write_text(f"[python]\na=0\nenable_maskwright={value}\nb=false\n\n[z]\n")
    switch_on(settings)
    assert is_switched_on(settings) is True
    forget_switch(settings)
    assert settings.read_text() == "[python]\na=0\nb=false\n\n[z]\n"


def test_what_krita_has_made_of_it_is_found(settings: Path) -> None:
    """It sorts groups and keys, and others may have come."""
    settings.write_text("a=1\n")
    switch_on(settings)
    settings.write_text(
        f"a=1\n\n[b]\nc=1\n\n[python]\nenable_a=true\n{SWITCH}\nenable_z=true\n\n[x]\n"
    )
    forget_switch(settings)
    assert settings.read_text() == (
        "a=1\n\n[b]\nc=1\n\n[python]\nenable_a=true\nenable_z=true\n\n[x]\n"
    )
    settings.write_text(f"a=1\n\n[b]\nc=1\n\n[python]\n{SWITCH}\n\n[x]\ny=1\n")
    forget_switch(settings)
    assert settings.read_text() == "a=1\n\n[b]\nc=1\n\n[x]\ny=1\n"


def test_a_file_that_was_not_there_comes_and_goes(tmp_path: Path) -> None:
    settings = tmp_path / "config/kritarc"
    switch_on(settings)
    assert settings.stat().st_mode & 0o777 == 0o600
    forget_switch(settings)
    assert [path.name for path in tmp_path.rglob("*")] == ["config"]
    forget_switch(settings)
    assert not settings.exists()


def test_a_link_to_settings_stays_one(tmp_path: Path, settings: Path) -> None:
    real = tmp_path / "dotfiles"
    real.write_text("a=1\n")
    settings.symlink_to(real)
    switch_on(settings)
    assert settings.is_symlink()
    assert is_switched_on(real) is True
    forget_switch(settings)
    assert real.read_text() == "a=1\n"


def test_settings_that_cannot_be_read_are_not_replaced(settings: Path) -> None:
    settings.mkdir()
    assert is_switched_on(settings) is None
    with pytest.raises(OSError, match="directory"):
        switch_on(settings)
    assert settings.is_dir()
