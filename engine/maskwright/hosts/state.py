"""How far the plug-in has got in an editor."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class PluginState(Enum):
    """Whether the editor will show the plug-in, and what keeps it from that."""

    in_place = "in-place"
    missing = "missing"
    incomplete = "incomplete"  # parts of it are not there
    # Krita
    disabled = "disabled"  # there, and switched off
    # GIMP
    not_executable = "not-executable"  # not asked for on Windows
    bad_first_line = "bad-first-line"  # does not name Python 3; not asked for on Windows
    misnamed = "misnamed"  # neither `<name>/<name>.py` nor another name twice
    other_profile = "other-profile"  # only in the settings folder of another GIMP
    not_searched = "not-searched"  # where gimprc has it not look
    other_version = "other-version"  # parts differ from this installation's
    twice = "twice"  # a second copy would run as well
    foreign = "foreign"  # somebody else's files are in its place
    unused = "unused"  # these settings are not used, see Host.in_use


@dataclass(frozen=True, slots=True)
class Finding:
    """A state; `where` is the file or folder that it is about, `parts` the parts of the plug-in."""

    state: PluginState
    where: Path | None = None
    parts: tuple[str, ...] = ()
