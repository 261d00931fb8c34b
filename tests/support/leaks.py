"""Finding in a log what must not be in it."""

import base64
from collections.abc import Iterator

# Recognisable in every form, and of no byte that a text could have by chance.
PATTERN = b"PICTURES"


def leaks(text: bytes, token: str, *, home: str = "") -> list[str]:
    """What of token, pixels (of PATTERN over and over) and home folder is in a text."""
    forms = {"token": [token.encode()], "pixels": list(_forms(PATTERN))}
    # Half a token is as bad, and base64 depends on where it begins.
    forms["token"] += [token[:20].encode(), token[-20:].encode(), *_forms(token.encode())]
    if home:
        forms["home"] = [home.encode(), *_forms(home.encode())]
    return [what for what, ways in forms.items() if any(way in text for way in ways)]


def _forms(content: bytes) -> Iterator[bytes]:
    """How bytes may look in a log."""
    yield content
    yield content.hex().encode()
    yield content.hex(" ").encode()
    for between in (", ", " ", ","):  # of which a long list shows its beginning only
        yield between.join(str(number) for number in content[:3]).encode()
    for start in range(3):
        yield base64.b64encode(content[start : start + len(content[start:]) // 3 * 3])
