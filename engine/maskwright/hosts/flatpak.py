"""What Flatpak says about an application: is it there, and does it see the user's own settings?"""

import configparser
from pathlib import Path


def is_installed(installations: tuple[Path, ...], app: str) -> bool:
    """Whether one of the folders `flatpak` in the file system has the application."""
    return any((folder / "app" / app).is_dir() for folder in installations)


def shares_settings(installations: tuple[Path, ...], app: str, name: str) -> bool:
    """Whether `~/.config/NAME`, if it exists, takes the place of the application's own one.

    Applications that nothing is known about are taken for GIMP's from Flathub, which does that
    (finish-args `--filesystem=xdg-config/GIMP:create`). Users take a permission away, or give
    one, by an override: flatpak-metadata(5), flatpak-override(1).
    """
    wishes = [folder / "app" / app / "current/active/metadata" for folder in installations]
    overrides = [folder / "overrides" / of for folder in installations for of in ("global", app)]
    shared = not any(file.is_file() for file in wishes)
    for permission in (each for file in (*wishes, *overrides) for each in _filesystems(file)):
        place, _, _ = permission.removeprefix("!").partition(":")
        if place in ("xdg-config", f"xdg-config/{name}"):
            shared = not permission.startswith("!")
    return shared


def _filesystems(file: Path) -> list[str]:
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    try:
        parser.read_string(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return []
    return parser.get("Context", "filesystems", fallback="").split(";")
