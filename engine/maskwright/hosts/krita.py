"""Krita's plug-in: `pykrita/<name>.desktop` beside `pykrita/<name>/`, switched on in `kritarc`."""

import configparser
from pathlib import Path

from .host import PLUGIN, Host
from .state import Finding, PluginState


def krita_finding(host: Host) -> Finding:
    """How the plug-in stands in a Krita."""
    if host.plugin_folder is None:
        return Finding(PluginState.missing)
    desktop = host.plugin_folder / f"{PLUGIN}.desktop"
    package = host.plugin_folder / PLUGIN / "__init__.py"
    there = desktop.is_file() + package.is_file()
    if there < 2:
        return Finding(PluginState.incomplete if there else PluginState.missing)
    switched_on = _switched_on(host.settings_file)
    return Finding(PluginState.in_place if switched_on else PluginState.disabled)


def _switched_on(settings: Path | None) -> bool:
    """Whether kritarc has `enable_maskwright=true` under [python]."""
    # Krita's own keys are case-sensitive, and KDE's files may repeat one or have none.
    parser = configparser.RawConfigParser(
        strict=False, allow_no_value=True, delimiters=("=",), interpolation=None
    )
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    try:
        text = settings.read_text(encoding="utf-8") if settings else ""
        parser.read_string(f"[\0]\n{text}")
    except (OSError, UnicodeDecodeError, configparser.Error):
        return False
    value = parser.get("python", f"enable_{PLUGIN}", fallback=None)
    return (value or "").strip().lower() == "true"
