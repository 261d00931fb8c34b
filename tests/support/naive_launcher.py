"""The engine without its gate, as a plain web application would be: attacks must get through."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import engine_launcher  # noqa: F401  # finds the checkout

if __name__ == "__main__":
    from maskwright.service import engine

    setattr(engine, "Gate", lambda app, **_: app)  # noqa: B010  # plain, as types go

    from maskwright.cli import main

    main()
