"""A user's own ONNX file: does it fit the contract of a model that is known, and how it is noted.

The note is a JSON file beside the model that says which contract it follows and by which names, so
that a later catalogue cannot change what an own model means.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final, NoReturn

from maskwright.errors import ModelError
from maskwright.models.catalogue import ModelSpec
from maskwright.models.contract import Contract, OutputKind, Resize, SizeRule
from maskwright.models.graph import FLOAT, FLOAT16, Graph, TensorInfo
from maskwright.models.seal import replace_text

ID_DIGITS: Final = 12


def own_id(sha256: str) -> str:
    """The id of an own model: `own-` and the first 12 digits of its file's hash."""
    return f"own-{sha256[:ID_DIGITS]}"


def fitting_contract(graph: Graph, like: Contract) -> Contract:
    """`like` with the file's own names in it; ModelError `wrong-contract` when it cannot fit."""
    image = _image_input(graph, like)
    if image.element_type != FLOAT:
        _refuse("its image input is not float32")
    _check_image_shape(image, like)
    named = (output for output in graph.outputs if output.name == like.output_name)
    output = next(named, graph.outputs[0])
    if output.element_type not in (FLOAT, FLOAT16):
        _refuse("its output is not floating point")
    if output.shape is not None and not 2 <= len(output.shape) <= 4:
        _refuse("its output is not a picture")
    return replace(like, input_name=image.name, output_name=output.name)


def _image_input(graph: Graph, like: Contract) -> TensorInfo:
    inputs = {item.name: item for item in graph.inputs}
    extra = [*like.state_inputs, *([like.ratio_input] if like.ratio_input else [])]
    for name in extra:
        if inputs.pop(name, None) is None:
            _refuse(f"it has no input {name}")
    if len(inputs) != 1:
        _refuse("it does not take exactly one picture")
    return next(iter(inputs.values()))


def _check_image_shape(image: TensorInfo, like: Contract) -> None:
    if image.shape is None or len(image.shape) != 4:
        _refuse("its image input does not have four axes (picture, channel, row, column)")
    batch, channels, *sides = image.shape
    if isinstance(batch, int) and batch != 1:
        _refuse("it takes several pictures at once")
    if isinstance(channels, int) and channels != 3:
        _refuse("it does not take three colour channels")
    for side in sides:
        if not isinstance(side, int):
            continue
        if like.size_rule in (SizeRule.short_side, SizeRule.long_side):
            _refuse("its input size is fixed, and this kind of model adapts to the photo")
        if side != like.size:
            _refuse(f"its input is {side} pixels wide or high, not {like.size}")


def _refuse(why: str) -> NoReturn:
    raise ModelError(
        "wrong-contract",
        f"This file cannot be used like that model: {why}; choose another model with --like.",
    )


def own_spec(name: str, size: int, sha256: str, contract: Contract) -> ModelSpec:
    """The entry of an own model; its licence is the user's business and counts as unknown."""
    return ModelSpec(
        id=own_id(sha256),
        title=f"Own model: {name}",
        use="Your own file",
        licence="unknown",
        licence_url="",
        commercial=False,
        bytes=size,
        sha256=sha256,
        urls=(),
        gated=False,
        builtin=False,
        recommended=False,
        verified=False,
        seconds=None,
        memory_mb=None,
        min_onnxruntime=None,
        contract=contract,
        note="You added this file yourself; its licence is for you to check.",
    )


def write_note(path: Path, name: str, spec: ModelSpec) -> None:
    """Write an own model's note."""
    contract = asdict(spec.contract)
    for key in ("size_rule", "resize", "output_kind"):
        contract[key] = contract[key].value
    note = {"name": name, "bytes": spec.bytes, "sha256": spec.sha256, "contract": contract}
    replace_text(path, json.dumps(note, indent=2) + "\n")


def read_note(path: Path) -> ModelSpec | None:
    """The own model that a note describes, or None when there is no note or it is damaged."""
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        return own_spec(
            str(note["name"]),
            int(note["bytes"]),
            str(note["sha256"]),
            _contract(note["contract"]),
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _contract(found: dict[str, Any]) -> Contract:
    mean, std, levels = found["mean"], found["std"], found["levels"]
    ratio = found["ratio_input"]
    return Contract(
        size_rule=SizeRule(found["size_rule"]),
        size=int(found["size"]),
        multiple=int(found["multiple"]),
        resize=Resize(found["resize"]),
        mean=(float(mean[0]), float(mean[1]), float(mean[2])),
        std=(float(std[0]), float(std[1]), float(std[2])),
        input_name=str(found["input_name"]),
        output_name=str(found["output_name"]),
        output_kind=OutputKind(found["output_kind"]),
        levels=(float(levels[0]), float(levels[1])),
        state_inputs=tuple(str(name) for name in found["state_inputs"]),
        ratio_input=None if ratio is None else str(ratio),
        ratio_side=int(found["ratio_side"]),
    )
