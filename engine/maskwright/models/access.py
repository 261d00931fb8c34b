"""What the user allowed: licences that were accepted, and access tokens for gated hosts.

Both live in one JSON settings file in the user's configuration folder, private to the user (mode
0600), because a token is a password:

    {"tokens": {"huggingface": "hf_..."}, "accepted_licences": ["rmbg-1.4"]}

Keys that are not known here are kept as they are.
"""

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from maskwright.errors import InputError
from maskwright.models.seal import replace_text

# The hosts that can ask for a token, and the name that settings and environment use for each.
_SERVICES: Final = {"huggingface.co": "huggingface"}
_ENVIRONMENT: Final = {"huggingface": ("MASKWRIGHT_TOKEN_HUGGINGFACE", "HF_TOKEN")}
_MAX_BYTES: Final = 1 << 20


def default_settings_path() -> Path:
    """`settings.json` in the user's configuration folder for Maskwright."""
    import platformdirs  # here, so that what never asks for settings does not pay for it

    return platformdirs.user_config_path("maskwright", appauthor=False) / "settings.json"


class Access:
    """Reads and writes the settings file when asked, never before."""

    def __init__(self, settings: Path, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ

    def accepted(self, model_id: str) -> bool:
        """Whether the user has accepted that model's licence before."""
        found = self._read().get("accepted_licences")
        return isinstance(found, list) and model_id in found

    def accept(self, model_id: str) -> None:
        """Remember that the user accepts that model's licence."""
        settings = self._read()
        found = settings.get("accepted_licences")
        accepted = [str(entry) for entry in found] if isinstance(found, list) else []
        if model_id in accepted:
            return
        settings["accepted_licences"] = [*accepted, model_id]
        try:
            self._settings.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace_text(self._settings, json.dumps(settings, indent=2) + "\n", mode=0o600)
        except OSError as error:
            raise InputError(
                "settings-unwritable",
                f"The settings file {self._settings} cannot be written; free the folder and try "
                "again.",
            ) from error

    def token(self, host: str) -> str | None:
        """The access token for a host: environment first, then settings; None without one.

        Raises InputError `bad-token` when it cannot be a token.
        """
        service = _SERVICES.get(host)
        if service is None:
            return None
        token = next((v for k in _ENVIRONMENT[service] if (v := self._environ.get(k))), None)
        if token is None:
            tokens = self._read().get("tokens")
            token = tokens.get(service) if isinstance(tokens, dict) else None
        if token is None:
            return None
        if not isinstance(token, str) or not token.strip().isascii() or len(token) > 1024:
            raise _bad_token(service)
        token = token.strip()
        if not token.isprintable() or " " in token or not token:
            raise _bad_token(service)
        return token

    def _read(self) -> dict[str, object]:
        try:
            with self._settings.open("rb") as file:
                if os.name == "posix" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    raise InputError(
                        "settings-not-private",
                        f"Other users can read the settings file {self._settings}, which may hold "
                        f"passwords; run: chmod 600 {self._settings}",
                    )
                content = json.loads(file.read(_MAX_BYTES))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise self._unreadable() from error
        if not isinstance(content, dict):
            raise self._unreadable()
        return content

    def _unreadable(self) -> InputError:
        return InputError(
            "bad-settings",
            f"The settings file {self._settings} cannot be read; repair or delete it.",
        )


def _bad_token(service: str) -> InputError:
    return InputError(
        "bad-token", f"The access token for {service} is not a token; copy it again from its page."
    )
