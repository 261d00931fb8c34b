"""The last step of `freeze.freeze`, for the Windows Python to run: licences, and what is in there.

python.exe windows_papers.py CHECKOUT ENGINE CONTENTS PACKAGES
"""

import json
import os
import sys
import sysconfig
from pathlib import Path

checkout, engine, contents, packages = map(Path, sys.argv[1:])
sys.path[:0] = [str(checkout / "installers"), str(checkout / "engine")]
sys.dont_write_bytecode = True

from environment import Shell  # noqa: E402
from frozen import freeze, papers  # noqa: E402

origins = json.loads(contents.read_text(encoding="utf-8"))
places = [Path(sysconfig.get_path("purelib")), packages]
found = papers.parts(origins, places, Shell(packages.parent / "papers.log", os.environ))
papers.write(engine / freeze.INTERNAL / freeze.PAPERS, found, checkout)
