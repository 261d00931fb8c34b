"""Maskwright for Krita 5.2 and newer: registers the docker and its action.

Krita imports this folder as `maskwright`; what it is made of lies in here under names of its own.
"""

import sys
from pathlib import Path

_HERE = str(Path(__file__).resolve().parent)
if _HERE not in sys.path:
    sys.path.append(_HERE)  # at the end: nothing of Krita's or of other plug-ins is hidden

from maskwright_krita.extension import register  # noqa: E402

register()
