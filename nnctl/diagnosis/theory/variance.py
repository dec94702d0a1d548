"""The variances of a network's weights: their initialisers', or once they are trained, their own."""

from __future__ import annotations

from math import prod
from typing import Literal, TypeAlias

from torch import nn

from nnctl.diagnosis.norms import wide
from nnctl.diagnosis.theory.rules import Variance
from nnctl.graph.build import Graph
from nnctl.graph.nodes import Leaf
from nnctl.graph.starts import rules_of

Source: TypeAlias = Literal["initialiser", "weights"]

_MAPS = frozenset({"linear", "conv"})
_ORTHOGONAL = frozenset({"orthogonal", "delta_orthogonal"})


def variance_of(graph: Graph, leaf: Leaf, module: nn.Module, source: Source) -> Variance | None:
    """Return σ_w² and σ_b² of a linear layer or convolution; None for the others.

    From the initialiser where it knows its own variance. What it does not know is measured, as biases always are.
    """
    if leaf.layer.kind not in _MAPS:
        return None
    weight, bias = module.get_parameter("weight"), dict(module.named_parameters()).get("bias")
    offset, mean = (float(wide(bias).square().mean()), float(wide(bias).mean())) if bias is not None else (0.0, 0.0)
    fan_in = prod(weight.shape[1:])
    square, random = float(wide(weight).square().mean()), True
    if source == "initialiser":
        activation = graph.activations.get(leaf.path)
        for slot, rule, place in rules_of(leaf, graph.spec.model.init, activation):
            if slot.role == "weight":
                known = rule.mean_square(tuple(weight.shape), place)
                square = square if known is None else known
                random = rule.kind not in _ORTHOGONAL
    return Variance(fan_in * square, offset, random, mean)
