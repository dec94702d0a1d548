"""What penalties need of the network: layers that exist and have weights that learn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nnctl.errors import Problem
from nnctl.graph.checks import position_of
from nnctl.graph.nodes import Leaf
from nnctl.graph.paths import inside, unknown_paths
from nnctl.kinds.layers.base import Layer, Shape, Weighted
from nnctl.kinds.layers.position_embedding import PositionEmbedding

if TYPE_CHECKING:
    from nnctl.graph.build import Graph


def check_penalties(graph: Graph) -> Iterator[Problem]:
    """Yield a problem for each path that a penalty names in vain."""
    train = graph.spec.train
    for index, penalty in enumerate(train.penalties if train else ()):
        place = ("train", "penalties", index, penalty.kind, "layers")
        unknown = list(unknown_paths(graph, penalty.layers, *place))
        yield from unknown
        if unknown:
            continue
        for number, path in enumerate(penalty.layers):
            own = [leaf for leaf in graph.leaves if inside(leaf.path, [path])]
            if any(_has_weights(leaf) and leaf.path not in graph.frozen for leaf in own):
                continue
            frozen = any(_has_weights(leaf) for leaf in own)
            why = "is frozen" if frozen else "has no weights: biases, gains and shifts are not penalised"
            known = [leaf.path for leaf in graph.leaves if _has_weights(leaf) and leaf.path not in graph.frozen]
            hint = f"layers with weights that learn: {', '.join(known[:6])}{', …' if len(known) > 6 else ''}"
            position = position_of(graph.spec, *place, number)
            yield Problem("penalty", f"`{path}` {why}", position, f"train.penalties[{index}]", hint=hint)


def has_weights(layer: Layer, x: Shape) -> bool:
    """Return whether a layer has tensors that penalties apply to, given an input of shape `x`."""
    if isinstance(layer, Weighted):
        return any(len(slot.shape) >= 2 for slot in layer.slots(x))
    return isinstance(layer, PositionEmbedding)  # a table that no initialiser fills


def _has_weights(leaf: Leaf) -> bool:
    return has_weights(leaf.layer, leaf.input.shape)
