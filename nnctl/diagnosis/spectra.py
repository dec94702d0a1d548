"""`--spectrum`: the singular values of every layer, and of the network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from nnctl.diagnosis.norms import wide
from nnctl.diagnosis.result import InspectResult
from nnctl.diagnosis.spectrum import FEW, MANY, Band, Spectrum, as_matrix, band, jacobian, summary
from nnctl.graph.build import Graph
from nnctl.graph.nodes import Leaf
from nnctl.graph.starts import rules_of
from nnctl.kinds.initializers.base import Initializer, Place
from nnctl.randomness import derive

_SMALL = 300_000
"""Rows times columns times the fewer of both, up to which the singular values of MANY draws take a fraction of a
second."""
SAMPLES = 8
"""Inputs at which the network's Jacobian is taken."""
LARGEST_OUTPUT = 1024
"""Numbers of the output up to which it is: each costs one backward pass."""


def with_spectra(result: InspectResult, graph: Graph, net: nn.Module, inputs: dict[str, Tensor]) -> InspectResult:
    """Return the result with singular values."""
    layers, norms = [], []
    bands: dict[str, Band] = {}
    for leaf, layer in zip(graph.leaves, result.layers, strict=True):
        weight = dict(net.get_submodule(leaf.path).named_parameters()).get("weight")
        matrix = None if weight is None else as_matrix(weight)
        if weight is None or matrix is None:
            layers.append(layer)
            continue
        own = summary(matrix)
        norms.append(own.largest)
        shape = (matrix.shape[0], matrix.shape[1])
        layers.append(replace(layer, spectrum=Spectrum(shape, own, _start(graph, leaf, weight, bands))))
    x = inputs.get("input")
    single = len(inputs) == 1 and x is not None and x.is_floating_point()
    whole = None
    if single and x is not None and graph.output.shape.size <= LARGEST_OUTPUT and norms:
        whole = jacobian(net, x[:SAMPLES], norms)
    return replace(result, layers=tuple(layers), jacobian=whole)


def _start(graph: Graph, leaf: Leaf, weight: Tensor, known: dict[str, Band]) -> Band | None:
    """Return where fresh weights of the layer's own initialiser lie; None where it leaves that to the module.

    Layers that are drawn alike share one band, kept in `known`.
    """
    activation = graph.activations.get(leaf.path)
    for slot, rule, place in rules_of(leaf, graph.spec.model.init, activation):
        if slot.tensor == "weight":
            alike = f"{tuple(weight.shape)} {slot.parts} {rule!r} {place!r}"
            if alike not in known:
                known[alike] = band(list(_draws(graph.spec.seed, rule, place, weight.shape, slot.parts)))
            return known[alike]
    return None


def _draws(seed: int, rule: Initializer, place: Place, shape: torch.Size, parts: int) -> Iterator[Tensor]:
    rows, columns = shape[0], shape[1:].numel()
    for number in range(MANY if rows * columns * min(rows, columns) <= _SMALL else FEW):
        draw = torch.empty(shape)
        generator = torch.Generator().manual_seed(derive(seed, "spectrum", number))
        for block in draw.chunk(parts):
            rule.fill(block, place, generator)
        yield wide(draw).flatten(1)
