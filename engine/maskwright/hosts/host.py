"""What an editor is: where it was found, and where its plug-ins go."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

PLUGIN = "maskwright"


class HostKind(Enum):
    """The editors that Maskwright serves."""

    gimp = "gimp"
    krita = "krita"


class Flavour(Enum):
    """How an editor was installed, which decides where it looks for plug-ins."""

    system = "system"  # Linux: a package of the distribution, or built by hand
    flatpak = "flatpak"
    snap = "snap"
    portable = "portable"  # only its settings were found: an AppImage, or it was removed
    directed = "GIMP3_DIRECTORY"  # a GIMP that this variable gives other settings
    windows = "windows"
    store = "store"  # Windows: from the Microsoft Store
    macos = "macos"


@dataclass(frozen=True, slots=True)
class Host:
    """One editor that was found.

    version:       "3.0", "3.2", ... for GIMP; for Krita the newest that was started, like "5.2.9";
                   None where the files do not say.
    plugin_folder: where its plug-ins go; it may not exist yet. None when the editor must be started
                   once before anybody can know (a sandboxed GIMP that was never used).
    settings_file: Krita's kritarc, which says whether the plug-in is switched on; GIMP's gimprc,
                   which says where it looks for plug-ins.
    searched:      the folders where it looks for plug-ins, without those of its installation.
    shared:        the folder of its installation where a package puts plug-ins for all users, if it
                   looks there; it takes those in `searched` first.
    usual_folder:  Krita's folder for plug-ins if kritarc did not say where its resources are.
    lacks:         what its Python would need to run plug-ins, and has not got.
    in_use:        False for settings in a sandbox that lie hidden under the user's own.
    """

    kind: HostKind
    version: str | None
    flavour: Flavour
    plugin_folder: Path | None
    executable: Path | None
    settings_file: Path | None = None
    searched: tuple[Path, ...] = ()
    shared: Path | None = None
    usual_folder: Path | None = None
    lacks: str | None = None
    in_use: bool = True

    @property
    def has_settings(self) -> bool:
        """Whether it has been started before.

        GIMP takes a settings folder that is there for a used one, and would not bring the settings
        of an older GIMP over.
        """
        return self.settings_file is not None and self.settings_file.parent.is_dir()
