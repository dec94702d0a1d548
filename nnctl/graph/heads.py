"""Side outputs whose accuracy can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnctl.kinds.datasets.base import Facts

if TYPE_CHECKING:
    from nnctl.graph.build import Graph


@dataclass(frozen=True, slots=True)
class Answer:
    """What a head is measured against."""

    target: str | None
    """`data.FIELD`; None for the data's own target."""
    classes: int


def measured_heads(graph: Graph, facts: Facts | None) -> dict[str, Answer]:
    """Return the heads that run in evaluation and have a number for each class of what they are compared with."""
    losses = graph.spec.train.loss if graph.spec.train else ()
    found = {}
    for name, head in graph.heads.items():
        target = next((loss.target for loss in losses if loss.at == name and loss.uses_target), None)
        classes = _classes(graph, facts, target)
        if head.eval and classes is not None and head.output.shape.dims == (classes,):
            found[name] = Answer(None if target == "data.target" else target, classes)
    return found


def _classes(graph: Graph, facts: Facts | None, target: str | None) -> int | None:
    if target in (None, "data.target"):
        return facts.classes if facts is not None and facts.task == "classification" else None
    shape = graph.inputs.get(str(target).removeprefix("data."))
    return shape.vocabulary if shape is not None and not shape.dims else None
