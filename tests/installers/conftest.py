"""What these tests share: one frozen engine, one Debian to install into.

Both are kept in the real home, so no test may be the first to ask for them: by then it has another.
"""

from pathlib import Path

import pytest
from debian_computer import debian_root
from frozen_engine import frozen_engine
from host_root import Root


@pytest.fixture(scope="session")
def frozen() -> Path:
    """The frozen engine's folder, which is only read."""
    return frozen_engine()


@pytest.fixture(scope="session")
def debian() -> Root:
    """Debian 13 with GIMP and Krita, which is only read."""
    return debian_root()
