"""What enters the network: the data set's fields, or `model.input`."""

from __future__ import annotations

from pathlib import Path

from nnctl.document.node import Mapping, Node, Scalar, Sequence, describe_value, has_unknown, plain
from nnctl.errors import NnctlError, Position, Problem
from nnctl.graph.nodes import NOTHING, Signal
from nnctl.kinds.datasets.base import Facts
from nnctl.kinds.layers.shape import Shape
from nnctl.spec.roots import data_root
from nnctl.spec.sections import Data, Model

_SINGLE = frozenset({"tokens", "features", "vocabulary"})
_FORMS = ({"tokens", "features"}, {"tokens", "vocabulary"}, {"vocabulary"})
_MAX_AXES = 4


def facts_of(data: Data, position: Position, problems: list[Problem]) -> Facts | None:
    """Return what the data set says of itself without being read; None where its files are not as they should be."""
    try:
        return data.dataset.facts(Path(data_root(data)))
    except NnctlError as error:
        for problem in error.problems:
            place = problem.position if problem.position.file else position
            problems.append(
                Problem(problem.code, problem.message, place, "data.dataset", problem.details, problem.hint)
            )
        return None


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
