"""`--spectrum`: the singular values of every layer, and of the network."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from nnctl.diagnosis.norms import wide
from nnctl.diagnosis.result import InspectResult
from nnctl.diagnosis.spectrum import Spectrum, as_matrix, band, jacobian, summary
from nnctl.graph.build import Graph
from nnctl.graph.nodes import Leaf
from nnctl.graph.starts import rules_of
from nnctl.randomness import derive

DRAWS = 8
"""Fresh draws of a weight that its own singular values are compared with."""
SAMPLES = 8
"""Inputs at which the network's Jacobian is taken."""
LARGEST_OUTPUT = 1024
"""Numbers of the output up to which it is: each costs one backward pass."""


def with_spectra(result: InspectResult, graph: Graph, net: nn.Module, inputs: dict[str, Tensor]) -> InspectResult:
    """Return the result with singular values."""
    layers, norms = [], []
    for leaf, layer in zip(graph.leaves, result.layers, strict=True):
        weight = dict(net.get_submodule(leaf.path).named_parameters()).get("weight")
        matrix = None if weight is None else as_matrix(weight)
        if weight is None or matrix is None:
            layers.append(layer)
            continue
        own = summary(matrix)
        norms.append(own.largest)
        draws = _draws(graph, leaf, weight)
        shape = (matrix.shape[0], matrix.shape[1])
        layers.append(replace(layer, spectrum=Spectrum(shape, own, band(draws) if draws else None)))
    x = inputs.get("input")
    single = len(inputs) == 1 and x is not None and x.is_floating_point()
    whole = None
    if single and x is not None and graph.output.shape.size <= LARGEST_OUTPUT and norms:
        whole = jacobian(net, x[:SAMPLES], norms)
    return replace(result, layers=tuple(layers), jacobian=whole)


def _draws(graph: Graph, leaf: Leaf, weight: Tensor) -> list[Tensor]:
    """Return fresh weights as the layer's own initialiser draws them; none where it leaves that to the module."""
    activation = graph.activations.get(leaf.path)
    for slot, rule, place in rules_of(leaf, graph.spec.model.init, activation):
        if slot.tensor == "weight":
            draws = []
            for number in range(DRAWS):
                draw = torch.empty(weight.shape)
                generator = torch.Generator().manual_seed(derive(graph.spec.seed, "spectrum", leaf.path, number))
                for block in draw.chunk(slot.parts):
                    rule.fill(block, place, generator)
                draws.append(wide(draw).flatten(1))
            return draws
    return []
