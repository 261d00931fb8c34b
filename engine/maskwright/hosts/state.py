"""How far the plug-in has got in an editor."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class PluginState(Enum):
    """Whether the editor will show the plug-in, and what keeps it from that."""

    in_place = "in-place"
    missing = "missing"
    incomplete = "incomplete"  # parts of it are not there
    misnamed = "misnamed"  # in a folder that the editor does not take for it
    other_profile = "other-profile"  # only in the folder of another GIMP or Krita
    not_searched = "not-searched"  # where the user's settings have the editor not look
    other_version = "other-version"  # parts differ from this installation's
    foreign = "foreign"  # somebody else's files are in its place
    # Krita
    disabled = "disabled"  # there, and switched off
    bad_desktop = "bad-desktop"  # the file by which Krita finds it does not lead there
    too_old = "too-old"  # it would not work in this Krita
    no_qt = "no-qt"  # what Krita's Python needs for any plug-in is not installed
    closed_folder = "closed-folder"  # where this Krita runs no plug-in at all
    # GIMP
    not_executable = "not-executable"  # not asked for on Windows
    bad_first_line = "bad-first-line"  # does not name Python 3; not asked for on Windows
    twice = "twice"  # a second copy would run as well
    unused = "unused"  # these settings are not used, see Host.in_use


@dataclass(frozen=True, slots=True)
class Finding:
    """A state; `where` is the file or folder that it is about, `parts` the parts of the plug-in.

    With `in_place` it is given only for a plug-in of the installation's, see `Host.shared`.
    """

    state: PluginState
    where: Path | None = None
    parts: tuple[str, ...] = ()
