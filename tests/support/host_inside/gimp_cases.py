"""Documents of every kind, made inside GIMP, and what a run of Remove Background does to them."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from host_inside.gimp_names import gimp_names

Gegl, Gimp, Gio = (gimp_names()[name] for name in ("Gegl", "Gimp", "Gio"))

REMOVE = "maskwright-remove-background"
QUIET = Gimp.RunMode.NONINTERACTIVE
NO_ABYSS = Gegl.AbyssPolicy.NONE
MASK = "Y u8"


@dataclass
class Document:
    """drawables: what is selected; targets: the layers that get a mask."""

    image: Any
    drawables: list[Any]
    targets: list[Any]
    settings: dict[str, Any] = field(default_factory=dict)


def opened(photo: str) -> Document:
    """The photo as GIMP opens it."""
    image = Gimp.file_load(QUIET, Gio.File.new_for_path(photo))
    layers = image.get_layers()
    image.set_selected_layers(layers)
    return Document(image, layers, layers)


def converted(photo: str, change: Callable[[Any], object]) -> Document:
    """The photo after the whole image was changed."""
    document = opened(photo)
    change(document.image)
    document.drawables = document.targets = document.image.get_layers()
    return document


def half_transparent(photo: str) -> Document:
    """Its left half is erased."""
    document = opened(photo)
    (layer,) = document.targets
    layer.add_alpha()
    image = document.image
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 300, 400)
    layer.edit_clear()
    Gimp.Selection.none(image)
    return document


def moved(photo: str, x: int, y: int) -> Document:
    """The layer lies elsewhere on the canvas, or beside it."""
    document = opened(photo)
    document.targets[0].set_offsets(x, y)
    return document


def small_canvas(photo: str) -> Document:
    """The canvas is a quarter of the layer."""
    document = opened(photo)
    document.image.resize(300, 200, -150, -100)
    return document


def in_a_group(photo: str) -> Document:
    """The group is selected, with the photo in it."""
    document = opened(photo)
    image, (layer,) = document.image, document.targets
    group = Gimp.GroupLayer.new(image, "Group")
    image.insert_layer(group, None, 0)
    image.reorder_item(layer, group, 0)
    image.set_selected_layers([group])
    return Document(image, [group], [group])


def text_layer(photo: str) -> Document:
    """A text over the photo."""
    document = opened(photo)
    image = document.image
    font = Gimp.Font.get_by_name("DejaVu Sans Bold") or Gimp.context_get_font()
    text = Gimp.TextLayer.new(image, "Maskwright", font, 90.0, Gimp.Unit.pixel())
    image.insert_layer(text, None, 0)
    image.set_selected_layers([text])
    return Document(image, [text], [text])


def linked(photo: str) -> Document:
    """A layer that shows a file."""
    document = opened(photo)
    image = document.image
    link = Gimp.LinkLayer.new(image, Gio.File.new_for_path(photo))
    image.insert_layer(link, None, 0)
    image.set_selected_layers([link])
    return Document(image, [link], [link])


def with_mask(photo: str, **settings: Any) -> Document:
    """A mask is there already: its upper half hides."""
    document = opened(photo)
    (layer,) = document.targets
    mask = layer.create_mask(Gimp.AddMaskType.WHITE)
    width, height = layer.get_width(), layer.get_height()
    alpha = bytes((x + y) % 256 for y in range(height) for x in range(width))
    mask.get_buffer().set(Gegl.Rectangle.new(0, 0, width, height), MASK, alpha)
    layer.add_mask(mask)
    layer.set_edit_mask(False)
    document.settings = settings
    return document


def mask_selected(photo: str) -> Document:
    """The mask is what is being edited, so it is what GIMP hands out."""
    document = with_mask(photo)
    (layer,) = document.targets
    layer.set_edit_mask(True)
    return Document(document.image, [layer.get_mask()], [layer])


def two_layers(photo: str) -> Document:
    """Both are selected."""
    document = opened(photo)
    image, (layer,) = document.image, document.targets
    second = layer.copy()
    second.set_name("second")
    image.insert_layer(second, None, 0)
    second.scale(333, 211, False)
    second.set_color_tag(Gimp.ColorTag.RED)
    image.set_selected_layers([second, layer])
    return Document(image, [second, layer], [second, layer])


def with_selection(photo: str) -> Document:
    """Part of the picture is selected, with a soft edge."""
    document = opened(photo)
    document.image.select_ellipse(Gimp.ChannelOps.REPLACE, 50, 50, 200, 150)
    Gimp.Selection.feather(document.image, 20)
    return document


def locked(photo: str, *, parent: bool = False) -> Document:
    """The content is locked, its own or that of a group around it."""
    document = in_a_group(photo)
    (group,) = document.targets
    (layer,) = group.get_children()
    (group if parent else layer).set_lock_content(True)
    document.image.set_selected_layers([layer])
    return Document(document.image, [layer], [layer], {"locked": True})


def hidden(photo: str) -> Document:
    """It cannot be seen."""
    document = opened(photo)
    document.targets[0].set_visible(False)
    return document


def precision(name: str) -> Callable[[str], Document]:
    """The photo in another precision."""
    kind = getattr(Gimp.Precision, name)
    return lambda photo: converted(photo, lambda image: image.convert_precision(kind))


def indexed(image: Any) -> None:
    """A palette of 64 colours."""
    image.convert_indexed(
        Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 64, False, True, ""
    )


def adobe(image: Any) -> None:
    """The same colours in a wider space."""
    image.convert_color_profile(
        Gimp.ColorProfile.new_rgb_adobe(), Gimp.ColorRenderingIntent.RELATIVE_COLORIMETRIC, True
    )


CASES: dict[str, Callable[[str], Document]] = {
    "8-bit RGB": opened,
    "half transparent": half_transparent,
    "grey": lambda photo: converted(photo, lambda image: image.convert_grayscale()),
    "indexed": lambda photo: converted(photo, indexed),
    "16-bit": precision("U16_NON_LINEAR"),
    "16-bit linear": precision("U16_LINEAR"),
    "32-bit": precision("U32_NON_LINEAR"),
    "half float": precision("HALF_LINEAR"),
    "float": precision("FLOAT_LINEAR"),
    "float perceptual": precision("FLOAT_PERCEPTUAL"),
    "AdobeRGB": lambda photo: converted(photo, adobe),
    "offset": lambda photo: moved(photo, 37, -53),
    "off the canvas": lambda photo: moved(photo, 5000, 5000),
    "larger than the canvas": small_canvas,
    "group": in_a_group,
    "text": text_layer,
    "link": linked,
    "mask: replace": with_mask,
    "mask: intersect": lambda photo: with_mask(photo, existing="intersect"),
    "mask: add": lambda photo: with_mask(photo, existing="add"),
    "mask: subtract": lambda photo: with_mask(photo, existing="subtract", shift=2.5),
    "mask is edited": mask_selected,
    "two layers": two_layers,
    "selection": with_selection,
    "locked": locked,
    "locked group": lambda photo: locked(photo, parent=True),
    "hidden": hidden,
}


def possible() -> list[str]:
    """The cases that this GIMP knows."""
    return [name for name in CASES if name != "link" or hasattr(Gimp, "LinkLayer")]


def call(name: str, image: Any, drawables: list[Any], **settings: Any) -> tuple[bool, str]:
    """Run a procedure as a script does: whether it succeeded, and what it said if not."""
    procedure = Gimp.get_pdb().lookup_procedure(name)
    config = procedure.create_config()
    config.set_property("run-mode", QUIET)
    config.set_property("image", image)
    config.set_core_object_array("drawables", drawables)
    for setting, value in settings.items():
        config.set_property(setting.replace("_", "-"), value)
    done = procedure.run(config).index(0) == Gimp.PDBStatusType.SUCCESS
    return done, "" if done else Gimp.get_pdb().get_last_error()


def every_layer(layers: list[Any]) -> Iterator[Any]:
    """Layers, and those in groups."""
    for layer in layers:
        yield layer
        if layer.is_group():
            yield from every_layer(layer.get_children())


def samples(drawable: Any, encoding: str | None) -> bytes:
    """All of a drawable's samples; None for its own encoding."""
    box = Gegl.Rectangle.new(0, 0, drawable.get_width(), drawable.get_height())
    return bytes(drawable.get_buffer().get(box, 1.0, encoding, NO_ABYSS))


def mask_of(layer: Any) -> bytes | None:
    """A mask's bytes."""
    mask = layer.get_mask()
    return samples(mask, MASK) if mask is not None else None


def everything(image: Any) -> dict[str, Any]:
    """All that must be after a run as it was before."""
    profile = image.get_color_profile()
    return {
        "size": [image.get_width(), image.get_height()],
        "precision": int(image.get_precision()),
        "profile": digest(bytes(profile.get_icc_profile())) if profile else None,
        "selection": digest(samples(image.get_selection(), None)),
        "selected": [layer.get_name() for layer in image.get_selected_layers()],
        "channels": [channel.get_name() for channel in image.get_channels()],
        "parasites": image.get_parasite_list(),
        "layers": [about(layer) for layer in every_layer(image.get_layers())],
    }


def about(layer: Any) -> dict[str, Any]:
    """A layer without its mask."""
    return {
        "name": layer.get_name(),
        "kind": type(layer).__name__,
        # A group has no pixels of its own: it shows what is in it, masks and all.
        "pixels": None if layer.is_group() else digest(samples(layer, None)),
        "offsets": list(layer.get_offsets())[1:],
        "opacity": layer.get_opacity(),
        "mode": int(layer.get_mode()),
        "visible": layer.get_visible(),
        "locks": [layer.get_lock_content(), layer.get_lock_position(), layer.get_lock_alpha()],
        "tag": int(layer.get_color_tag()),
        "alpha": layer.has_alpha(),
        "parasites": layer.get_parasite_list(),
        "text": layer.get_text() if isinstance(layer, Gimp.TextLayer) else None,
    }


def digest(content: bytes) -> str:
    """A short name for bytes."""
    return hashlib.sha256(content).hexdigest()


def run_case(name: str, photo: str, folder: str) -> dict[str, Any]:
    """Make a document, run the procedure, save, reopen; what there is to say of it.

    The pixels that the engine must have seen, the mask before and the mask after lie in files.
    """
    document = CASES[name](photo)
    stem = f"{folder}/{name.replace(' ', '-').replace(':', '')}"
    olds = [mask_of(layer) for layer in document.targets]
    before = everything(document.image)
    done, said = call(REMOVE, document.image, document.drawables, **document.settings)
    after = everything(document.image)
    saved = Gio.File.new_for_path(f"{stem}.xcf")
    assert Gimp.file_save(QUIET, document.image, saved, None)
    again = Gimp.file_load(QUIET, saved)
    reopened = {layer.get_name(): layer for layer in every_layer(again.get_layers())}
    layers = []
    for number, (layer, old) in enumerate(zip(document.targets, olds, strict=True)):
        channels = 4 if layer.has_alpha() else 3
        files = {
            "pixels": samples(layer, "R'G'B'A u8" if channels == 4 else "R'G'B' u8"),
            "old": old or b"",
            "mask": mask_of(layer) or b"",
            "reopened": mask_of(reopened[layer.get_name()]) or b"",
        }
        for kind, content in files.items():
            with open(f"{stem}-{number}.{kind}", "wb") as file:
                file.write(content)
        layers.append(
            {
                "stem": f"{stem}-{number}".rpartition("/")[2],
                "size": [layer.get_width(), layer.get_height(), channels],
                "edited": layer.get_edit_mask(),
            }
        )
    again.delete()
    document.image.delete()
    return {
        "done": done,
        "said": said,
        "unchanged": before == after,
        "before": before,
        "after": after,
        "layers": layers,
        "settings": document.settings,
    }
