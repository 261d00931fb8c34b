"""What holds for every test: a home of its own, and the same examples every time."""

import os
from pathlib import Path

import pytest
from hypothesis import settings
from loopback_only import only_loopback

only_loopback()
settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.load_profile("repeatable")

_FOLDERS = {
    "HOME": ".",
    "USERPROFILE": ".",
    "APPDATA": "AppData/Roaming",
    "LOCALAPPDATA": "AppData/Local",
    "XDG_CACHE_HOME": ".cache",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_RUNTIME_DIR": ".run",
    "XDG_STATE_HOME": ".local/state",
}


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder; no test sees the user's settings, models or environment."""
    folder = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith("MASKWRIGHT_")]:
        monkeypatch.delenv(name)
    for name, place in _FOLDERS.items():
        monkeypatch.setenv(name, str(folder / place))
    return folder
