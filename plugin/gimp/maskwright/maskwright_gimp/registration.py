"""How GIMP is told of the procedures."""

from __future__ import annotations

from gi.repository import Gimp, GLib, GObject
from maskwright_editor import texts
from maskwright_editor.settings import Setting, settings
from maskwright_editor.texts import _

REMOVE = "maskwright-remove-background"
REFINE = "maskwright-refine-mask"
NAMES = (REMOVE, REFINE)
HELP_DOMAIN = "maskwright:help"  # a name for GIMP; the pages are beside the plug-in

_HELP = {REMOVE: "remove-background", REFINE: "refine-mask"}
_FLAGS = GObject.ParamFlags.READWRITE


def create(plug_in: Gimp.PlugIn, name: str) -> Gimp.Procedure:
    """Describe a procedure."""
    texts.speak(GLib.get_language_names())
    procedure = Gimp.ImageProcedure.new(plug_in, name, Gimp.PDBProcType.PLUGIN, _run, None)
    procedure.set_image_types("*")
    procedure.set_sensitivity_mask(
        Gimp.ProcedureSensitivityMask.DRAWABLE | Gimp.ProcedureSensitivityMask.DRAWABLES
    )
    if name == REMOVE:
        procedure.set_menu_label(_("Remove _Background\u2026"))
        blurb = _("Hides the background of layers with a mask; no pixel is changed")
    else:
        procedure.set_menu_label(_("Refine Background _Mask\u2026"))
        blurb = _("Changes a mask that Remove Background made")
    procedure.set_documentation(blurb, blurb, _HELP[name])
    procedure.set_attribution("Maskwright", "Maskwright, Apache-2.0", "2026")
    procedure.set_icon_name("gimp-tool-foreground-select")
    for path in ("<Image>/Filters", "<Layers>"):
        procedure.add_menu_path(path)
    for argument in settings():
        _add(procedure, argument)
    return procedure


def _add(procedure: Gimp.Procedure, argument: Setting) -> None:
    words = (argument.name, argument.label, argument.blurb)
    if argument.choices:
        choice = Gimp.Choice.new()
        for number, (value, label) in enumerate(argument.choices):
            choice.add(value, number, label, "")
        procedure.add_choice_argument(*words, choice, argument.default, _FLAGS)
    elif isinstance(argument.default, bool):
        procedure.add_boolean_argument(*words, argument.default, _FLAGS)
    elif isinstance(argument.default, float):
        procedure.add_double_argument(*words, argument.low, argument.high, argument.default, _FLAGS)
    else:
        procedure.add_string_argument(*words, argument.default, _FLAGS)


def _run(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    data: object,
) -> Gimp.ValueArray:
    texts.speak(GLib.get_language_names())
    from maskwright_gimp.running import run  # here: whatever fails in there fails with a sentence

    return run(procedure, run_mode, image, drawables, config)
