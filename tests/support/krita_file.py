"""Masks in a .kra file, read without Krita: a ZIP with a list of layers and LZF-packed tiles."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

_TAG = "{http://www.calligra.org/DTD/krita}"


@dataclass(frozen=True)
class SavedMask:
    """A transparency mask as it was saved, with the name of the layer that it is on.

    tiles: by the place of their first pixel, seen from `left` and `top` of the document.
    """

    layer: str
    name: str
    left: int
    top: int
    default: int
    tiles: dict[tuple[int, int], NDArray[np.uint8]]

    def at(self, left: int, top: int, width: int, height: int) -> bytes:
        """The mask's bytes in a rectangle of the document."""
        shown = np.full((height, width), self.default, np.uint8)
        for (x, y), tile in self.tiles.items():
            column, row = x + self.left - left, y + self.top - top
            into = shown[max(row, 0) : row + tile.shape[0], max(column, 0) : column + tile.shape[1]]
            if min(into.shape) and row > -tile.shape[0] and column > -tile.shape[1]:
                part = tile[max(-row, 0) :, max(-column, 0) :]
                into[:] = part[: into.shape[0], : into.shape[1]]
        return shown.tobytes()


def saved_masks(path: Path) -> list[SavedMask]:
    """Every transparency mask of a file."""
    with zipfile.ZipFile(path) as archive:
        document = ElementTree.fromstring(archive.read("maindoc.xml"))  # noqa: S314  # our own file
        (folder,) = {name.split("/")[0] for name in archive.namelist() if "/layers/" in name}
        found = []
        for layer in document.iter(f"{_TAG}layer"):
            for children in (*layer.findall(f"{_TAG}masks"), *layer.findall(f"{_TAG}layers")):
                for mask in children.findall(f"{_TAG}mask"):
                    if mask.get("nodetype") == "transparencymask":
                        stem = f"{folder}/layers/{mask.get('filename')}.pixelselection"
                        found.append(_saved_mask(str(layer.get("name")), mask, archive, stem))
    return found


def _saved_mask(
    layer: str, mask: ElementTree.Element, archive: zipfile.ZipFile, stem: str
) -> SavedMask:
    return SavedMask(
        layer,
        str(mask.get("name")),
        int(mask.get("x", "0")),
        int(mask.get("y", "0")),
        archive.read(f"{stem}.defaultpixel")[0],
        dict(_tiles(archive.read(stem))),
    )


def _tiles(data: bytes) -> Iterator[tuple[tuple[int, int], NDArray[np.uint8]]]:
    """A device's tiles, one byte for each pixel."""
    head = {}
    for _ in range(5):
        line, _, data = data.partition(b"\n")
        name, _, value = line.partition(b" ")
        head[name.decode()] = int(value)
    assert (head["VERSION"], head["PIXELSIZE"]) == (2, 1)
    shape = (head["TILEHEIGHT"], head["TILEWIDTH"])
    for _ in range(head["DATA"]):
        line, _, data = data.partition(b"\n")
        x, y, _kind, length = line.split(b",")
        packed, data = data[: int(length)], data[int(length) :]
        tile = _unpacked(packed[1:]) if packed[0] else packed[1:]
        yield (int(x), int(y)), np.frombuffer(tile, np.uint8).reshape(shape)


def _unpacked(packed: bytes) -> bytes:
    """LZF: runs of literal bytes, and copies of what came before."""
    out, at = bytearray(), 0
    while at < len(packed):
        control = packed[at]
        at += 1
        if control < 32:
            out += packed[at : at + control + 1]
            at += control + 1
            continue
        length = control >> 5
        if length == 7:
            length += packed[at]
            at += 1
        start = len(out) - ((control & 31) << 8) - packed[at] - 1
        at += 1
        for offset in range(length + 2):
            out.append(out[start + offset])
    return bytes(out)
