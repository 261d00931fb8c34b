"""What a run with clean edge colours makes in documents of every kind, for a look from outside."""

from typing import Any

from host_inside.krita_cases import (
    CASES,
    Krita,
    QtCore,
    about,
    every_node,
    everything,
    mask_at,
    mask_list,
    remove,
    shapes_are_drawn,
    shown_of,
)

SRGB = "sRGB-elle-V2-srgbtrc.icc"


def stored_at(node: Any, place: list[int]) -> bytes:
    """A layer's own samples; of one that stores none, what it shows. Shaped ones are 8-bit sRGB."""
    shaped = any(mask.type() in ("filtermask", "transformmask") for mask in node.childNodes())
    if not shaped and node.type() == "paintlayer":
        return bytes(node.pixelData(*place))
    if not shaped:
        return bytes(node.projectionPixelData(*place))
    rgba = bytearray(shown_of(node)[1])
    rgba[::4], rgba[2::4] = rgba[2::4], rgba[::4]
    return bytes(rgba)


def sent_kind(kind: list[str]) -> list[str]:
    """The kind of the samples that the engine must get; Krita's own linear profiles are g10."""
    model, depth, profile = kind
    plain = model == "RGBA" and depth in ("U8", "U16") and "g10" not in profile
    return kind if plain else ["RGBA", "U16", SRGB]


def converted(samples: bytes, kind: list[str], wanted: list[str], size: list[int]) -> bytes:
    """Samples in another kind, as Krita converts all of a layer."""
    if kind == wanted:
        return samples
    document = Krita.instance().createDocument(*size, "", *kind, 72.0)
    document.setBatchmode(True)
    layer = document.topLevelNodes()[0]
    layer.setPixelData(samples, 0, 0, *size)
    assert layer.setColorSpace(*wanted)
    document.waitForDone()
    found = bytes(layer.pixelData(0, 0, *size))
    document.close()
    return found


def run_clean_case(name: str, photo: str, folder: str) -> dict[str, Any]:
    """Make a document, run it, save, reopen; what there is to say, and samples in files."""
    case = CASES[name](photo)
    case.settings = {**case.settings, "clean_colours": True}
    document, targets = case.document, case.targets
    stem = f"{folder}/clean-{name.replace(' ', '-').replace(':', '').replace(',', '')}"
    before = everything(document)
    shown = [shown_of(layer) for layer in targets]
    own = [stored_at(layer, place) for layer, (place, _) in zip(targets, shown, strict=True)]
    olds = [mask_at(layer, place) for layer, (place, _) in zip(targets, shown, strict=True)]
    masks = [mask_list(layer) for layer in targets]
    seen = [layer.visible() for layer in targets]
    outcome = remove(case)
    assert document.saveAs(f"{stem}.kra")
    QtCore.QCoreApplication.processEvents()
    again = Krita.instance().openDocument(f"{stem}.kra")
    shapes_are_drawn(again)
    layers = []
    for number, layer in enumerate(targets):
        place, samples = shown[number]
        twin = again.nodeByUniqueID(layer.uniqueId())
        siblings = twin.parentNode().childNodes()
        clean = siblings[[one.uniqueId() for one in siblings].index(twin.uniqueId()) + 1]
        kind = about(twin)["colours"]
        new = bytes(clean.pixelData(*place))
        files = {
            "pixels": samples,
            "old": olds[number][-1] if olds[number] else b"",
            "own": own[number],
            "new": new,
            "mask": mask_at(clean, place)[-1],
            "sent": converted(own[number], kind, sent_kind(kind), place[2:]),
        }
        for ending, content in files.items():
            with open(f"{stem}-{number}.{ending}", "wb") as file:
                file.write(content)
        layers.append(
            {
                "stem": f"{stem}-{number}".rpartition("/")[2],
                "place": place,
                "kind": kind,
                "sent kind": sent_kind(kind),
                "facts": {
                    "named": clean.name() == f"{layer.name()}, clean edges",
                    "of its kind": about(clean)["colours"] == kind,
                    "mixed as it was": [clean.opacity(), clean.blendingMode(), clean.inheritAlpha()]
                    == [layer.opacity(), layer.blendingMode(), layer.inheritAlpha()],
                    "one mask": len(clean.childNodes()) == 1,
                    "hidden": not layer.visible() and not twin.visible(),
                    "masks stay": masks[number] == mask_list(layer) == mask_list(twin),
                },
            }
        )
        clean.remove()
    for layer, visible in zip(targets, seen, strict=True):
        again.nodeByUniqueID(layer.uniqueId()).setVisible(visible)
    shapes_are_drawn(again)
    result = {
        "unchanged": before == everything(again),
        "new nodes": len(list(every_node(document.topLevelNodes()))) - len(before["nodes"]),
        "layers": layers,
        "settings": {k: v for k, v in case.settings.items() if k != "clean_colours"},
        "notes": list(outcome.notes),
        "before": before,
        "after": everything(again),
    }
    for one in (again, document):
        QtCore.QCoreApplication.processEvents()
        one.close()
    QtCore.QCoreApplication.processEvents()
    return result
