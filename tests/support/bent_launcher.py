"""The engine bent in one way, which the environment variable BENT names."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import engine_launcher  # noqa: F401  # finds the checkout

HASTY_S = 0.5
SECRET = "the path of a picture"  # noqa: S105


def hasty() -> None:
    """Patient for half a second where it is patient for long; in no doubt about wrong tokens."""
    from maskwright.service import limits

    vars(limits)["SILENCE_S"] = HASTY_S  # before anybody imports it

    from maskwright.service import gate

    vars(gate)["WRONG_TOKEN_DELAY_S"] = 0.0


def generous() -> None:
    """No gate, and every page may do everything, as with rembg's server."""
    from maskwright.service import engine
    from starlette.middleware.cors import CORSMiddleware
    from starlette.types import ASGIApp

    def welcome(app: ASGIApp, **_: object) -> CORSMiddleware:
        anything = ["*"]
        return CORSMiddleware(
            app,
            allow_origins=anything,
            allow_methods=anything,
            allow_headers=anything,
            allow_credentials=True,
            allow_private_network=True,
        )

    vars(engine)["Gate"] = welcome


def broken() -> None:
    """Fails inside when it is greeted."""
    from maskwright.service.app import Endpoints

    async def fail(self: object, request: object) -> None:
        raise RuntimeError(SECRET)

    Endpoints.hello = fail  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    {"hasty": hasty, "generous": generous, "broken": broken}[os.environ["BENT"]]()

    from maskwright.cli import main

    main()
