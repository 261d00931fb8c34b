"""What an ONNX file asks for and gives, found out without running it or loading its weights.

The engine must look into a stranger's file before onnxruntime opens it: a tensor can keep its data
in another file, which is then read wherever the path points, and an operator domain can pull in
foreign code. The `onnx` package could tell, but it is 34 MB installed with what it needs, has had
five path-escape advisories in its own loader, and loads the whole model to look at any of it; the
walk here is a few hundred lines of standard library, steps over the weights in a memory map, and
takes a fraction of a second for a gigabyte. It reads graphs, sub-graphs in attributes, functions
and training graphs. Message and field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from maskwright.errors import ModelError
from maskwright.models.protobuf import BadMessage, Buffer, Field, Wire, fields, text

FLOAT: Final = 1
FLOAT16: Final = 10
MAX_FILE_BYTES: Final = 2**31 - 1  # the wire format's own limit for one message

_DOMAINS: Final = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
# A compiled part of a graph for one accelerator, which may live in a file that the node names.
_REFUSED: Final = frozenset({("com.microsoft", "EPContext")})
_MAX_DEPTH: Final = 24
_MAX_FIELDS: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """An input or output: ONNX element type, and per axis a size, a symbol's name or None.

    `shape` None means that the file does not say even the rank.
    """

    name: str
    element_type: int
    shape: tuple[int | str | None, ...] | None


@dataclass(frozen=True, slots=True)
class Graph:
    """A model's outside: what goes in and comes out, and everything its nodes call."""

    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    opsets: dict[str, int]
    operators: frozenset[tuple[str, str]]
    external_data: bool
    nodes: int


def read_graph(path: Path) -> Graph:
    """Read the ONNX file at `path`; ModelError `bad-model-file` when it is not one."""
    try:
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as buffer,
        ):
            return parse_graph(buffer)
    except (OSError, ValueError) as error:
        # ValueError: an empty file cannot be mapped
        raise _bad_file() from error


def parse_graph(buffer: Buffer) -> Graph:
    """Read ONNX bytes; ModelError `bad-model-file` when they are not a model with a graph."""
    size = len(buffer)
    if not 0 < size <= MAX_FILE_BYTES:
        raise _bad_file()
    walk = _Walk(buffer)
    try:
        walk.model(0, size)
    except BadMessage as error:
        raise _bad_file() from error
    if not walk.outputs or not walk.nodes:
        raise _bad_file()
    inputs = tuple(info for info in walk.inputs if info.name not in walk.initializers)
    return Graph(
        inputs,
        tuple(walk.outputs),
        walk.opsets,
        frozenset(walk.operators),
        walk.external_data,
        walk.nodes,
    )


def refuse_unsafe(graph: Graph) -> None:
    """Raise unless the model is one self-contained file of well-known operators.

    ModelError `external-data` or `foreign-operators`.
    """
    if graph.external_data:
        raise ModelError(
            "external-data",
            "This model keeps data in other files, which is not allowed; save it as one file.",
        )
    foreign = {
        domain
        for domain, operator in graph.operators
        if domain not in _DOMAINS or (domain, operator) in _REFUSED
    }
    if foreign:
        raise ModelError(
            "foreign-operators",
            "This model needs operators that onnxruntime does not bring itself, which is not "
            "allowed; export it with standard ONNX operators.",
        )


def _bad_file() -> ModelError:
    return ModelError(
        "bad-model-file", "This is not a complete ONNX model; get the file again or choose another."
    )


def _is_zero(item: Field) -> bool:
    return item.wire is Wire.number and item.value == 0


@dataclass(slots=True)
class _Walk:
    """One pass over a model. A field that occurs twice counts twice, as the format merges them."""

    buffer: Buffer
    inputs: list[TensorInfo] = field(default_factory=list)
    outputs: list[TensorInfo] = field(default_factory=list)
    initializers: set[str] = field(default_factory=set)
    operators: set[tuple[str, str]] = field(default_factory=set)
    opsets: dict[str, int] = field(default_factory=dict)
    external_data: bool = False
    nodes: int = 0
    seen: int = 0

    def each(self, start: int, end: int) -> Iterator[Field]:
        for item in fields(self.buffer, start, end):
            self.seen += 1
            if self.seen > _MAX_FIELDS:
                raise BadMessage("more parts than any model has")
            yield item

    def model(self, start: int, end: int) -> None:
        for item in self.each(start, end):
            if item.number == 7:  # graph
                self.graph(item, 0, outermost=True)
            elif item.number == 8:  # opset_import
                self.opset(item)
            elif item.number == 20:  # training_info: initialization, algorithm
                for graph in self.message(item):
                    if graph.number in (1, 2):
                        self.graph(graph, 0)
            elif item.number == 25:  # functions
                self.function(item)

    def message(self, item: Field) -> Iterator[Field]:
        if item.wire is not Wire.span:
            raise BadMessage("a message that is not one")
        return self.each(item.start, item.end)

    def opset(self, item: Field) -> None:
        domain, version = "", 0
        for part in self.message(item):
            if part.number == 1:
                domain = text(self.buffer, part)
            elif part.number == 2:
                version = part.value
        self.opsets[domain] = version

    def function(self, item: Field) -> None:
        domain = name = ""
        for part in self.message(item):
            if part.number == 1:
                name = text(self.buffer, part)
            elif part.number == 7:
                self.node(part, 0)
            elif part.number == 10:
                domain = text(self.buffer, part)
            elif part.number == 11:  # attribute_proto: a default, which may hold a tensor
                self.attribute(part, 0)
        self.operators.add((domain, name))

    def graph(self, item: Field, depth: int, *, outermost: bool = False) -> None:
        if depth > _MAX_DEPTH:
            raise BadMessage("graphs nested deeper than any model has them")
        for part in self.message(item):
            if part.number == 1:
                self.node(part, depth)
            elif part.number == 5:
                name = self.tensor(part)
                if outermost:
                    self.initializers.add(name)
            elif part.number == 11 and outermost:
                self.inputs.append(self.value(part))
            elif part.number == 12 and outermost:
                self.outputs.append(self.value(part))
            elif part.number == 15:
                self.sparse_tensor(part)

    def node(self, item: Field, depth: int) -> None:
        self.nodes += 1
        operator, domains = "", []
        for part in self.message(item):
            if part.number == 4:
                operator = text(self.buffer, part)
            elif part.number == 5:
                self.attribute(part, depth)
            elif part.number == 7:
                domains.append(text(self.buffer, part))
        self.operators.update((domain, operator) for domain in domains or [""])

    def attribute(self, item: Field, depth: int) -> None:
        for part in self.message(item):
            if part.number in (5, 10):  # t, tensors
                self.tensor(part)
            elif part.number in (6, 11):  # g, graphs
                self.graph(part, depth + 1)
            elif part.number in (22, 23):  # sparse_tensor, sparse_tensors
                self.sparse_tensor(part)

    def sparse_tensor(self, item: Field) -> None:
        for part in self.message(item):
            if part.number in (1, 2):  # values, indices
                self.tensor(part)

    def tensor(self, item: Field) -> str:
        """Note where a tensor's data is, and return its name; the data itself is stepped over."""
        name = ""
        for part in self.message(item):
            if part.number == 8:
                name = text(self.buffer, part)
            elif part.number == 13 or (part.number == 14 and not _is_zero(part)):
                self.external_data = True  # external_data entries, or data_location EXTERNAL
        return name

    def value(self, item: Field) -> TensorInfo:
        name, element_type = "", 0
        shape: tuple[int | str | None, ...] | None = None
        for part in self.message(item):
            if part.number == 1:
                name = text(self.buffer, part)
            elif part.number == 2:  # type
                for kind in self.message(part):
                    if kind.number == 1:  # tensor_type
                        element_type, shape = self.tensor_type(kind)
        return TensorInfo(name, element_type, shape)

    def tensor_type(self, item: Field) -> tuple[int, tuple[int | str | None, ...] | None]:
        element_type = 0
        shape: tuple[int | str | None, ...] | None = None
        for part in self.message(item):
            if part.number == 1:
                element_type = part.value
            elif part.number == 2:  # shape
                axes = (axis for axis in self.message(part) if axis.number == 1)
                shape = tuple(self.axis(axis) for axis in axes)
        return element_type, shape

    def axis(self, item: Field) -> int | str | None:
        size: int | str | None = None
        for part in self.message(item):
            if part.number == 1 and part.value < 2**31:
                size = part.value
            elif part.number == 2:
                size = text(self.buffer, part)
        return size
