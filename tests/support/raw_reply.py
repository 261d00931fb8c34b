"""An engine's answer to bytes that no HTTP client would send."""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class RawReply:
    """status 0: nothing was answered; headers in small letters, as they came."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def names(self) -> set[str]:
        """The names of all headers."""
        return {name for name, _ in self.headers}

    def header(self, name: str) -> str:
        """All values of a header, empty if there is none."""
        return ", ".join(value for key, value in self.headers if key == name)

    @property
    def code(self) -> str:
        """The code of an error of ours, empty if it is none."""
        if self.header("content-type") != "application/json":
            return ""
        return str(json.loads(self.body).get("error", {}).get("code", ""))


def parsed(heard: bytes) -> RawReply:
    """Take an answer apart; all that came after its head is its body."""
    head, _, body = heard.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    status = int(first.split(" ")[1]) if first.startswith("HTTP/1.1 ") else 0
    pairs = (line.partition(":") for line in lines)
    return RawReply(status, tuple((name.lower(), value.strip()) for name, _, value in pairs), body)
