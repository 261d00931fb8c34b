"""The ONNX reader: what it finds in good files, and that hostile bytes are never accepted."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maskwright.errors import ModelError
from maskwright.models import graph as graph_module
from maskwright.models.catalogue import load_catalogue
from maskwright.models.contract import Contract, SizeRule
from maskwright.models.graph import Graph, TensorInfo, parse_graph, read_graph, refuse_unsafe
from maskwright.models.own import fitting_contract

BUILTIN = Path(graph_module.__file__).with_name("builtin") / "u2netp.onnx"
U2NETP = load_catalogue().get("u2netp").contract
RVM = load_catalogue().get("rvm-mobilenetv3").contract


# A writer for just enough of the wire format.
def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def span(field: int, content: bytes | str) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(data)) + data


def value_info(name: str, shape: tuple[int | str | None, ...] | None, kind: int = 1) -> bytes:
    tensor = number(1, kind)
    if shape is not None:
        axes = (
            number(1, axis) if isinstance(axis, int) else b"" if axis is None else span(2, axis)
            for axis in shape
        )
        tensor += span(2, b"".join(span(1, axis) for axis in axes))
    return span(1, name) + span(2, span(1, tensor))


def tensor(name: str, extra: bytes = b"") -> bytes:
    return number(1, 2) + number(2, 1) + span(8, name) + span(9, b"\0" * 8) + extra


def node(operator: str, domain: str | None = None, attribute: bytes | None = None) -> bytes:
    out = span(1, "x") + span(2, "y") + span(4, operator)
    if attribute is not None:
        out += span(5, span(1, "a") + attribute)
    return out if domain is None else out + span(7, domain)


IMAGE = value_info("image", (1, 3, "h", "w"))
MATTE = value_info("matte", (1, 1, None, None))


def graph(*nodes: bytes, inputs: tuple[bytes, ...] = (IMAGE,), extra: bytes = b"") -> bytes:
    return (
        b"".join(span(1, item) for item in nodes or (node("Relu"),))
        + b"".join(span(11, item) for item in inputs)
        + span(12, MATTE)
        + extra
    )


def model(content: bytes, extra: bytes = b"") -> bytes:
    return number(1, 8) + span(7, content) + span(8, number(2, 17)) + extra


def code(data: bytes) -> str:
    """The code of the refusal, or `fine`."""
    try:
        refuse_unsafe(parse_graph(data))
    except ModelError as error:
        return error.code
    return "fine"


def test_the_built_in_model() -> None:
    found = read_graph(BUILTIN)
    refuse_unsafe(found)
    assert found.inputs == (TensorInfo("input.1", 1, (1, 3, 320, 320)),)
    assert found.outputs[0] == TensorInfo("1959", 1, (1, 1, 320, 320))
    assert len(found.outputs) == 7
    assert found.opsets == {"": 11}
    assert ("", "Conv") in found.operators
    assert found.nodes == 1055
    fitted = fitting_contract(found, replace(U2NETP, input_name="", output_name=""))
    assert fitted == U2NETP


def test_names_types_shapes_and_opsets() -> None:
    data = model(graph(node("Relu"), node("Gelu", "com.microsoft")), span(8, number(2, 1)))
    found = parse_graph(data)
    assert found.inputs == (TensorInfo("image", 1, (1, 3, "h", "w")),)
    assert found.outputs == (TensorInfo("matte", 1, (1, 1, None, None)),)
    assert found.operators == {("", "Relu"), ("com.microsoft", "Gelu")}
    assert found.nodes == 2


def test_old_files_list_their_weights_among_the_inputs() -> None:
    weights = span(5, tensor("w"))
    found = parse_graph(model(graph(inputs=(IMAGE, value_info("w", (2,))), extra=weights)))
    assert [item.name for item in found.inputs] == ["image"]


EXTERNAL = number(14, 1)
LOCATION = span(13, span(1, "location") + span(2, "../secret"))


@pytest.mark.parametrize("where", [EXTERNAL, LOCATION, EXTERNAL + LOCATION + number(14, 0)])
@pytest.mark.parametrize(
    "build",
    [
        lambda t: model(graph(extra=span(5, t))),
        lambda t: model(graph(extra=span(15, span(1, t)))),
        lambda t: model(graph(extra=span(15, span(2, t)))),
        lambda t: model(graph(node("Constant", attribute=span(5, t)))),
        lambda t: model(graph(node("Odd", attribute=span(10, t)))),
        lambda t: model(graph(node("Constant", attribute=span(22, span(1, t))))),
        lambda t: model(graph(node("Odd", attribute=span(23, span(2, t))))),
        lambda t: model(graph(node("If", attribute=span(6, graph(extra=span(5, t)))))),
        lambda t: model(graph(node("Odd", attribute=span(11, graph(extra=span(5, t)))))),
        lambda t: model(graph(), span(7, span(5, t))),
        lambda t: model(graph(), span(20, span(1, graph(extra=span(5, t))))),
        lambda t: model(
            graph(), span(25, span(1, "f") + span(7, node("Constant", attribute=span(5, t))))
        ),
        lambda t: model(graph(), span(25, span(1, "f") + span(11, span(5, t)))),
    ],
    ids=[
        "initializer",
        "sparse values",
        "sparse indices",
        "constant",
        "tensors",
        "sparse constant",
        "sparse tensors",
        "subgraph",
        "subgraphs",
        "second graph field",
        "training",
        "function",
        "function default",
    ],
)
def test_external_data_is_refused_wherever_it_hides(
    build: Callable[[bytes], bytes], where: bytes
) -> None:
    assert code(build(tensor("w"))) == "fine"
    assert code(build(tensor("w", number(14, 0)))) == "fine"
    assert code(build(tensor("w", where))) == "external-data"


@pytest.mark.parametrize(
    "data",
    [
        model(graph(node("Run", "evil"))),
        model(graph(node("Run", "ai.onnx.training"))),
        model(graph(node("Run", "ai.onnx\0"))),
        model(graph(node("If", attribute=span(6, graph(node("Run", "evil")))))),
        model(graph(), span(25, span(1, "f") + span(10, "evil") + span(7, node("Relu")))),
        model(graph(), span(25, span(1, "f") + span(7, node("Run", "evil")))),
        model(graph(node("Relu", "evil") + span(7, ""))),
        model(graph(node("EPContext", "com.microsoft"))),
    ],
)
def test_foreign_operators_are_refused(data: bytes) -> None:
    assert code(data) == "foreign-operators"


def test_a_foreign_domain_that_nothing_uses_is_harmless() -> None:
    assert code(model(graph(), span(8, span(1, "pkg.exporter") + number(2, 1)))) == "fine"


def nested(depth: int) -> bytes:
    inner = graph()
    for _ in range(depth):
        inner = graph(node("If", attribute=span(6, inner)))
    return model(inner)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"not a model at all",
        model(graph())[:-1],
        model(graph())[:20],
        number(1, 8),  # no graph
        model(span(1, node("Relu"))),  # no output
        model(span(12, MATTE)),  # no node
        varint(7 << 3 | 2) + varint(2**31) + b"tiny",  # 2 GB announced in a small file
        varint(7 << 3 | 2) + b"\xff" * 10,  # a length that does not end
        varint(7 << 3 | 2) + b"\xff" * 9 + b"\x7f",  # a length beyond 64 bits
        model(graph()) + b"\xba\xbe\xbe\xbe\x7f\x00",  # a tag beyond 32 bits
        model(graph()) + b"\x8a\x80\x80\x80\x80\x00",  # a tag in more bytes than it may have
        model(graph()) + varint(50 << 3 | 3) + varint(50 << 3 | 4),  # a group
        model(graph()) + varint(50 << 3 | 6),  # a wire type that does not exist
        model(graph()) + b"\x02\x00",  # field 0
        model(graph()) + number(7, 1),  # a graph that is a number
        model(graph(span(4, "Relu") + number(7, 1))),  # a domain that is a number
        model(graph(span(4, b"\xff\xfe"))),  # a name that is not a text
        model(graph(span(4, "x" * 5000))),  # a name that is a novel
        nested(200),
    ],
    ids=lambda data: f"{len(data)} bytes",
)
def test_hostile_bytes_are_refused(data: bytes) -> None:
    assert code(data) == "bad-model-file"


def test_ordinary_nesting_is_fine() -> None:
    assert code(nested(8)) == "fine"


def test_a_flood_of_parts_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_module, "_MAX_FIELDS", 1000)
    assert code(model(graph(*[node("Relu")] * 2000))) == "bad-model-file"


def test_weights_are_stepped_over(tmp_path: Path) -> None:
    path = tmp_path / "big.onnx"
    size = 1 << 30
    head = number(1, 8) + span(8, number(2, 17))
    inner = graph()
    weights_head = number(2, 1) + span(8, "w") + varint(9 << 3 | 2) + varint(size)
    weights = varint(5 << 3 | 2) + varint(len(weights_head) + size) + weights_head
    before = head + varint(7 << 3 | 2) + varint(len(inner) + len(weights) + size) + inner + weights
    with path.open("wb") as file:
        file.write(before)
        file.truncate(len(before) + size)  # a sparse file: no disk is used
    start = time.perf_counter()
    found = read_graph(path)
    assert found.nodes == 1
    assert time.perf_counter() - start < 0.5


def test_files_that_are_not_there_or_empty(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").touch()
    for name in ("missing.onnx", "empty.onnx", "."):
        with pytest.raises(ModelError) as caught:
            read_graph(tmp_path / name)
        assert caught.value.code == "bad-model-file"


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_graph_or_a_refusal(data: bytes) -> None:
    assert code(data) in {"fine", "bad-model-file", "external-data", "foreign-operators"}


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.data())
def test_a_damaged_model_gives_a_graph_or_a_refusal(data: st.DataObject) -> None:
    good = model(
        graph(
            node("If", attribute=span(6, graph(node("Constant", attribute=span(5, tensor("c")))))),
            extra=span(5, tensor("w")),
        )
    )
    where = data.draw(st.integers(0, len(good) - 1))
    damaged = good[:where] + data.draw(st.binary(max_size=3)) + good[where + 1 :]
    assert code(damaged) in {"fine", "bad-model-file", "external-data", "foreign-operators"}


def contract_code(found: Graph, like: Contract) -> str:
    try:
        fitting_contract(found, like)
    except ModelError as error:
        return error.code
    return "fine"


def one(shape: tuple[int | str | None, ...] | None, kind: int = 1) -> Graph:
    image = TensorInfo("image", kind, shape)
    matte = TensorInfo("matte", 1, (1, 1, 320, 320))
    return Graph((image,), (matte,), {}, frozenset(), False, 1)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (one((1, 3, 320, 320)), "fine"),
        (one(("n", 3, "h", "w")), "fine"),
        (one((None, None, None, None)), "fine"),
        (one((1, 3, 512, 512)), "wrong-contract"),
        (one((1, 1, 320, 320)), "wrong-contract"),
        (one((4, 3, 320, 320)), "wrong-contract"),
        (one((1, 320, 320)), "wrong-contract"),
        (one((1, 320, 320, 3)), "wrong-contract"),
        (one(None), "wrong-contract"),
        (one((1, 3, 320, 320), kind=10), "wrong-contract"),
        (one((1, 3, 320, 320), kind=2), "wrong-contract"),
    ],
)
def test_what_fits_a_contract_of_fixed_size(found: Graph, verdict: str) -> None:
    assert contract_code(found, U2NETP) == verdict


def test_a_fixed_file_does_not_follow_the_photo() -> None:
    follows = replace(U2NETP, size_rule=SizeRule.short_side)
    assert contract_code(one((1, 3, 320, 320)), follows) == "wrong-contract"
    assert contract_code(one((1, 3, "h", "w")), follows) == "fine"


def test_the_output_is_the_wanted_one_or_the_first() -> None:
    base = one((1, 3, 320, 320))
    side = TensorInfo("1959", 10, (1, 320, 320))
    both = replace(base, outputs=(base.outputs[0], side))
    assert fitting_contract(both, U2NETP).output_name == "1959"
    assert fitting_contract(base, U2NETP).output_name == "matte"
    assert fitting_contract(base, U2NETP).input_name == "image"
    for wrong in (TensorInfo("o", 7, (1, 1, 4, 4)), TensorInfo("o", 1, (5,))):
        assert contract_code(replace(base, outputs=(wrong,)), U2NETP) == "wrong-contract"


def test_state_inputs_must_all_be_there() -> None:
    image = TensorInfo("src", 1, ("b", 3, "h", "w"))
    state = tuple(TensorInfo(name, 1, None) for name in RVM.state_inputs)
    ratio = TensorInfo("downsample_ratio", 1, (1,))
    base = replace(one(None), inputs=(image, *state, ratio))
    assert contract_code(base, RVM) == "fine"
    assert contract_code(replace(base, inputs=(image, *state)), RVM) == "wrong-contract"
    assert contract_code(base, U2NETP) == "wrong-contract"
