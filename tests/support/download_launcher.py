"""The engine with one more model in its catalogue, on a server of the test's own."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import engine_launcher  # noqa: F401  # finds the checkout

if __name__ == "__main__":
    import os

    from download_server import spec_of
    from maskwright.models import store
    from maskwright.models.catalogue import Catalogue, load_catalogue
    from maskwright.models.download import Downloader

    url, shipped = os.environ["TEST_MODEL_URL"], load_catalogue()
    commercial = "TEST_MODEL_IS_CLOSED" not in os.environ
    more = spec_of(url, commercial=commercial)
    for name, stand_in in (
        ("load_catalogue", lambda: Catalogue((*shipped.specs, more))),
        ("_fetch", Downloader(allow_http=True).fetch),
    ):
        setattr(store, name, stand_in)

    from maskwright.cli import main

    main()
