"""What enters the network: the data set's fields, or `model.input`."""

from __future__ import annotations

from collections.abc import Mapping as Mapping_
from dataclasses import replace
from pathlib import Path

from nnctl.document.node import Mapping, Node, Scalar, Sequence, describe_value, has_unknown, locate, plain
from nnctl.errors import NnctlError, Problem
from nnctl.graph.nodes import NOTHING, Signal
from nnctl.kinds.augmentations.base import Mixing, output_of
from nnctl.kinds.datasets.base import Facts
from nnctl.kinds.layers.shape import Shape, ShapeError
from nnctl.spec.roots import data_root
from nnctl.spec.sections import Data, Model, Spec, Stream

_SINGLE = frozenset({"tokens", "features", "vocabulary"})
_FORMS = ({"tokens", "features"}, {"tokens", "vocabulary"}, {"vocabulary"})
_MAX_AXES = 4


def facts_of(spec: Spec, problems: list[Problem], look: bool = True) -> Facts | None:
    """Return what the data set says of itself without being read, after the transforms; None where its files are not
    as they should be, or a transform cannot be applied. Without `look` files are not looked at."""
    assert spec.data is not None
    return _facts(spec, spec.data, ("data",), problems, look)


def stream_facts(spec: Spec, name: str, problems: list[Problem]) -> Facts | None:
    """Return the same of one of the further sets."""
    assert spec.data is not None
    return _facts(spec, spec.data.streams[name], ("data", "streams", name), problems)


def main_field(inputs: Mapping_[str, Shape]) -> str | None:
    """Return the one field of numbers or images, which transforms and augmentations change; others hold codes."""
    return next((name for name, shape in inputs.items() if shape.vocabulary is None), None)


def _facts(
    spec: Spec, data: Data | Stream, path: tuple[str, ...], problems: list[Problem], look: bool = True
) -> Facts | None:
    assert spec.data is not None
    position, where = locate(spec.document, path), ".".join(path)
    try:
        root = Path(data_root(spec.data))
        facts = data.dataset.facts(root) if look else data.dataset.facts_unseen(root)
    except NnctlError as error:
        for problem in error.problems:
            place = problem.position if problem.position.file else position
            problems.append(
                Problem(problem.code, problem.message, place, f"{where}.dataset", problem.details, problem.hint)
            )
        return None
    if facts.inputs and (unfit := _unfit(spec, data, path, facts.inputs)):
        problems += unfit
        return None
    name = main_field(facts.inputs)
    if name is None:
        return facts
    shape = facts.inputs[name]
    for index, transform in enumerate(data.transform):
        try:
            shape = output_of([transform], shape)
        except ShapeError as error:
            place = locate(spec.document, (*path, "transform", index))
            details = (error.detail,) if error.detail else ()
            problems.append(Problem("shape", error.message, place, f"{where}.transform[{index}]", details, error.hint))
            return None
    return replace(facts, inputs={**facts.inputs, name: shape})


def _unfit(spec: Spec, data: Data | Stream, path: tuple[str, ...], inputs: dict[str, Shape]) -> list[Problem]:
    """Return a problem for each change that this data set cannot have, or not where it is written."""
    found = []
    for key, changes in (("transform", data.transform), ("augment", data.augment)):
        for index, change in enumerate(changes):
            details: tuple[str, ...] = ()
            if key == "transform" and change.random:
                message, hint = f"`{change.kind}` is random, and transforms are not", "write it under `augment`"
            elif isinstance(data, Stream) and isinstance(change, Mixing):
                message, hint = f"`{change.kind}` blends targets, and those of a stream are not used", "remove it"
            elif main_field(inputs) is None:
                message, hint = f"`{change.kind}` is for numbers", "remove it"
                details = ("samples are codes, such as letters",)
            else:
                continue
            position = locate(spec.document, (*path, key, index))
            found.append(Problem("shape", message, position, f"{'.'.join(path)}.{key}[{index}]", details, hint))
    return found


def declared_inputs(model: Model, problems: list[Problem]) -> dict[str, Shape] | None:
    """Return the fields that `model.input` declares, or None where it is absent or cannot be read."""
    node = model.input
    if node is None:
        return None
    if isinstance(node, Mapping) and node.entries and not set(node.entries) <= _SINGLE:
        fields = {name: _shape(entry.node, f"model.input.{name}", problems) for name, entry in node.entries.items()}
        if any(shape is None for shape in fields.values()):
            return None
        return {name: shape for name, shape in fields.items() if shape is not None}
    shape = _shape(node, "model.input", problems)
    return None if shape is None else {"input": shape}


def _shape(node: Node, where: str, problems: list[Problem]) -> Shape | None:
    if isinstance(node, Sequence):
        extents = [item.value if isinstance(item, Scalar) else None for item in node.items]
        if extents and len(extents) <= _MAX_AXES and all(type(e) is int and 1 <= e < 2**31 for e in extents):
            return Shape(tuple(e for e in extents if type(e) is int))
    elif isinstance(node, Mapping) and set(node.entries) in _FORMS:
        sizes = {k: e.node.value for k, e in node.entries.items() if isinstance(e.node, Scalar)}
        if len(sizes) == len(node.entries) and all(type(v) is int and 1 <= v < 2**31 for v in sizes.values()):
            dims = tuple(int(sizes[key]) for key in ("tokens", "features") if key in sizes)  # type: ignore[arg-type]
            vocabulary = sizes.get("vocabulary")
            return Shape(dims, tokens="features" in sizes, vocabulary=vocabulary if type(vocabulary) is int else None)
    if not has_unknown(node):
        shapes = "[3, 32, 32], {tokens: 8, features: 16} or {tokens: 8, vocabulary: 128}"
        hint = f"write the shape of one sample, such as {shapes}"
        found = describe_value(plain(node))
        problems.append(Problem("type", f"`input` is {found}, not a shape", node.position, where, hint=hint))
    return None


def entering(inputs: dict[str, Shape]) -> Signal:
    """Return the signal that the first layer sees."""
    shape = inputs.get("input")
    if shape is None:
        return NOTHING
    axes = len(shape.space)
    return Signal(shape, (1,) * axes, (1,) * axes)
