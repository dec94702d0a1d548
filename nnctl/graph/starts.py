"""How weights start: which initialiser fills which tensor, and whether it can."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from nnctl.errors import Problem, SpecError
from nnctl.graph.nodes import Leaf
from nnctl.kinds.initializers.base import Init, Initializer, Place
from nnctl.kinds.layers.base import Activation, Slot, Weighted

if TYPE_CHECKING:
    from nnctl.graph.build import Graph


def rules_of(leaf: Leaf, default: Init, activation: Activation | None) -> Iterator[tuple[Slot, Initializer, Place]]:
    """Yield each tensor of a layer that an initialiser fills, with that and its place; `activation` follows the layer.

    A tensor of several maps is filled map by map.
    """
    if not isinstance(leaf.layer, Weighted):
        return
    own = leaf.layer.own_init()
    rules = {"weight": own.weight or default.weight, "bias": own.bias or default.bias}
    for slot in leaf.layer.slots(leaf.input.shape):
        rule = rules[slot.role]
        if rule is not None and not rule.by_module:
            yield slot, rule, Place(slot.fans, slot.activation if slot.inner else activation)


def check_starts(graph: Graph) -> Iterator[Problem]:
    """Yield a problem for each tensor that its initialiser cannot fill."""
    for leaf in graph.leaves:
        filled = list(rules_of(leaf, graph.spec.model.init, graph.activations.get(leaf.path)))
        for slot, rule, place in filled:
            try:
                rule.check((slot.shape[0] // slot.parts, *slot.shape[1:]), place)
            except SpecError as error:
                yield from (replace(problem, position=leaf.position, where=leaf.path) for problem in error.problems)
        weights = [rule for slot, rule, _ in filled if slot.role == "weight"]
        if len(weights) > 1 and weights[0].by_data:
            message = f"`{weights[0].kind}` scales the one weight of a layer; `{leaf.layer.kind}` has {len(weights)}"
            yield Problem("init", message, leaf.position, leaf.path, hint="give it another `init`, such as `xavier`")
