"""What goes over the wire, byte for byte: a change here breaks plug-ins that are out there."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maskwright_client import protocol
from maskwright_client.codec import WireError, dumps, from_json, loads, to_json
from maskwright_client.protocol import Fault, Hello, MatteEvent, MatteInfo, MatteRequest
from wire_examples import FULL, PLAIN

GOLDEN = Path(__file__).parent / "golden" / "wire"
EXAMPLES = FULL | PLAIN
# Parts of others only; they have no life of their own on the wire.
PARTS = {"Edges", "Fault", "MatteInfo", "ModelInfo", "Notice", "Region", "Spot"}
KINDS = {type(example) for example in EXAMPLES.values()}

FIELDS = {field.name for kind in KINDS for field in dataclasses.fields(kind)}  # type: ignore[arg-type]

any_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["done", "queued", "replace"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4) | st.sampled_from(sorted(FIELDS)), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_bytes_are_those_of_the_golden_file(name: str):
    golden = (GOLDEN / f"{name}.json").read_bytes()
    assert dumps(EXAMPLES[name]) + b"\n" == golden
    assert loads(type(EXAMPLES[name]), golden) == EXAMPLES[name]


def test_every_kind_has_a_golden_file_and_every_file_a_kind():
    records = {
        name
        for name, kind in vars(protocol).items()
        if dataclasses.is_dataclass(kind) and isinstance(kind, type)
    }
    assert {kind.__name__ for kind in KINDS} | PARTS == records
    assert {path.stem for path in GOLDEN.iterdir()} == EXAMPLES.keys()


def test_the_full_examples_leave_no_field_at_its_default():
    for example in FULL.values():
        for field in dataclasses.fields(example):  # type: ignore[arg-type]
            if field.default is not dataclasses.MISSING:
                name = f"{type(example).__name__}.{field.name}"
                assert getattr(example, field.name) != field.default, name


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_newer_side_may_say_more(name: str):
    def with_more(value: Any) -> Any:
        if isinstance(value, dict):
            inner = {key: with_more(item) for key, item in value.items()}
            return (
                inner
                if inner and all(isinstance(x, float) for x in inner.values())
                else (inner | {"not_known_yet": {"a": [1]}})
            )
        return [with_more(item) for item in value] if isinstance(value, list) else value

    more = with_more(to_json(EXAMPLES[name]))
    assert json.dumps(more).count("not_known_yet") >= 1
    assert from_json(type(EXAMPLES[name]), more) == EXAMPLES[name]


@pytest.mark.parametrize("name", PLAIN)
def test_an_older_side_may_say_less(name: str):
    example = PLAIN[name]
    less = to_json(example)
    for field in dataclasses.fields(example):  # type: ignore[arg-type]
        if (field.default, field.default_factory) != (dataclasses.MISSING,) * 2:
            del less[field.name]
    assert from_json(type(example), less) == example


def required_fields() -> Iterator[tuple[str, str]]:
    for name, example in FULL.items():
        for field in dataclasses.fields(example):  # type: ignore[arg-type]
            if (field.default, field.default_factory) == (dataclasses.MISSING,) * 2:
                yield name, field.name


@pytest.mark.parametrize(("name", "field"), list(required_fields()))
def test_a_field_without_a_default_must_be_there(name: str, field: str):
    less = to_json(FULL[name])
    del less[field]
    with pytest.raises(WireError, match=rf"{field} is missing"):
        from_json(type(FULL[name]), less)


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        (MatteRequest, {"width": "4000"}, "MatteRequest.width"),
        (MatteRequest, {"width": True}, "MatteRequest.width"),
        (MatteRequest, {"width": 4000.0}, "MatteRequest.width"),
        (MatteRequest, {"focus": 1}, "MatteRequest.focus"),
        (MatteEvent, {"state": "flying"}, "MatteEvent.state"),
        (MatteEvent, {"state": []}, "MatteEvent.state"),
        (MatteEvent, {"fraction": float("nan")}, "MatteEvent.fraction"),
        (MatteEvent, {"fraction": 10**400}, "MatteEvent.fraction"),
        (MatteEvent, {"error": {"code": 1}}, "MatteEvent.error.code"),
        (MatteEvent, {"info": []}, "MatteEvent.info"),
        (Hello, {"loaded_models": "u2netp"}, "Hello.loaded_models"),
        (Hello, {"loaded_models": [1]}, "Hello.loaded_models"),
    ],
)
def test_a_wrong_kind_is_named(kind: type, changes: dict[str, object], field: str):
    (example,) = (one for one in FULL.values() if type(one) is kind)
    with pytest.raises(WireError, match=f"^{field} "):
        from_json(kind, to_json(example) | changes)


def test_a_whole_number_will_do_for_a_fraction():
    event = from_json(MatteEvent, {"state": "queued", "fraction": 1})
    assert (event.fraction, type(event.fraction)) == (1.0, float)


def test_numbers_that_are_none_are_not_sent():
    with pytest.raises(ValueError, match="JSON"):
        dumps(MatteEvent(protocol.MatteState.queued, float("nan")))


def test_text_of_any_kind_is_sent_as_ascii():
    fault = Fault("code", "Gr\u00f6\u00dfe \u2260 \U0001f600")
    assert dumps(fault).isascii()
    assert loads(Fault, dumps(fault)) == fault


@given(st.sampled_from(sorted(KINDS, key=str)), any_json)
def test_any_json_is_a_record_or_a_wire_error(kind: type, found: object):
    try:
        record: object = from_json(kind, found)
    except WireError:
        return
    assert isinstance(record, kind)
    assert loads(kind, dumps(record)) == record


@given(st.sampled_from(sorted(EXAMPLES)), st.data())
def test_one_odd_value_anywhere_is_a_record_or_a_wire_error(name: str, data: st.DataObject):
    value: Any = to_json(EXAMPLES[name])
    kind, whole = type(EXAMPLES[name]), value
    while True:
        key = data.draw(st.sampled_from(sorted(value)))
        if not isinstance(value[key], dict) or not value[key] or data.draw(st.booleans()):
            break
        value = value[key]
    value[key] = data.draw(any_json)
    try:
        record: object = from_json(kind, whole)
    except WireError:
        return
    assert isinstance(record, kind)


@given(st.binary(max_size=64) | st.text(max_size=32).map(str.encode))
def test_a_few_odd_bytes_are_a_wire_error(text: bytes):
    with pytest.raises(WireError, match=r"MatteInfo|JSON"):
        loads(MatteInfo, text)


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b"9" * 10_000, b"\xff\xfe"])
def test_hostile_text_is_a_wire_error(text: bytes):
    with pytest.raises(WireError):
        loads(Hello, text)
