"""Writes ONNX files of a few nodes, so that tests need no package that does."""

import struct
from pathlib import Path

FLOAT, FLOAT16 = 1, 10
Axes = tuple[int | str, ...]


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _span(field: int, content: bytes | str) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def value(name: str, axes: Axes, kind: int = FLOAT) -> bytes:
    """An input or output."""
    shape = b"".join(
        _span(1, _number(1, axis) if isinstance(axis, int) else _span(2, axis)) for axis in axes
    )
    return _span(1, name) + _span(2, _span(1, _number(1, kind) + _span(2, shape)))


def constant(name: str, numbers: list[int]) -> bytes:
    """A one-dimensional int64 tensor with a value."""
    raw = struct.pack(f"<{len(numbers)}q", *numbers)
    return _number(1, len(numbers)) + _number(2, 7) + _span(8, name) + _span(9, raw)


def ints(name: str, numbers: list[int]) -> bytes:
    """A node's attribute that is a list of whole numbers."""
    return _span(1, name) + b"".join(_number(8, number) for number in numbers) + _number(20, 7)


def integer(name: str, number: int) -> bytes:
    """A node's attribute that is a whole number."""
    return _span(1, name) + _number(3, number) + _number(20, 2)


def node(operator: str, inputs: str, outputs: str, *attributes: bytes) -> bytes:
    """A node; `inputs` and `outputs` are names between spaces."""
    return (
        b"".join(_span(1, name) for name in inputs.split())
        + b"".join(_span(2, name) for name in outputs.split())
        + _span(4, operator)
        + b"".join(_span(5, attribute) for attribute in attributes)
    )


def write_model(
    path: Path,
    nodes: list[bytes],
    inputs: list[bytes],
    outputs: list[bytes],
    constants: list[bytes] | None = None,
) -> Path:
    """Write a model of opset 13 to `path`, and return that."""
    graph = (
        b"".join(_span(1, item) for item in nodes)
        + _span(2, "tiny")
        + b"".join(_span(5, item) for item in constants or [])
        + b"".join(_span(11, item) for item in inputs)
        + b"".join(_span(12, item) for item in outputs)
    )
    path.write_bytes(_number(1, 8) + _span(7, graph) + _span(8, _number(2, 13)))
    return path


MEAN = node("ReduceMean", "src", "mean", ints("axes", [1]))
SOURCE = value("src", (1, 3, "h", "w"))


def mean_model(path: Path) -> Path:
    """The mean of the three channels, any size; output `mean`, besides `src` itself as `copy`."""
    copy = node("Identity", "src", "copy")
    outputs = [value("mean", (1, 1, "h", "w")), value("copy", (1, 3, "h", "w"))]
    return write_model(path, [MEAN, copy], [SOURCE], outputs)


def nan_model(path: Path) -> Path:
    """Zero divided by zero."""
    nodes = [MEAN, node("Sub", "mean mean", "zero"), node("Div", "zero zero", "nan")]
    return write_model(path, nodes, [SOURCE], [value("nan", (1, 1, "h", "w"))])


def half_model(path: Path) -> Path:
    """The mean, computed and taken in float16."""
    source = value("src", (1, 3, "h", "w"), FLOAT16)
    return write_model(path, [MEAN], [source], [value("mean", (1, 1, "h", "w"), FLOAT16)])


def recurrent_model(path: Path) -> Path:
    """mean(src) * ratio + state, with the state and the ratio as inputs (Robust Video Matting)."""
    nodes = [MEAN, node("Mul", "mean ratio", "small"), node("Add", "small state", "pha")]
    inputs = [SOURCE, value("state", ("b", "c", "y", "x")), value("ratio", (1,))]
    return write_model(path, nodes, inputs, [value("pha", (1, 1, "h", "w"))])


def fragile_model(path: Path) -> Path:
    """Loads, and fails when it runs on anything but 7 x 7 pixels."""
    nodes = [MEAN, node("Reshape", "mean seven", "out")]
    seven = constant("seven", [1, 1, 7, 7])
    return write_model(path, nodes, [SOURCE], [value("out", (1, 1, 7, 7))], [seven])
