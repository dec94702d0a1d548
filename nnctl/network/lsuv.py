"""The half of LSUV that needs data: every layer's output is brought to variance 1 on a batch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from typing import TypeAlias

import torch
from torch import Tensor, nn

from nnctl.graph.build import Graph
from nnctl.graph.starts import rules_of
from nnctl.kinds.initializers.lsuv import Lsuv
from nnctl.network.initialise import seeded
from nnctl.network.modules import Network
from nnctl.randomness import derive

Scaled: TypeAlias = Mapping[str, tuple[str, Lsuv]]
"""Name of the weight, and rule, by the layer's path."""


def lsuv_layers(graph: Graph, but: Collection[str] = ()) -> Scaled:
    """Return the layers that start by `lsuv`, but those whose weight is named in `but`."""
    found: dict[str, tuple[str, Lsuv]] = {}
    for leaf in graph.leaves:
        for slot, rule, _ in rules_of(leaf, graph.spec.model.init, None):
            name = f"{leaf.path}.{slot.tensor}"
            if slot.role == "weight" and isinstance(rule, Lsuv) and name not in but:
                found[leaf.path] = name, rule
    return found


@torch.no_grad()
def scale_by_data(net: Network, layers: Scaled, inputs: Mapping[str, Tensor], seed: int) -> None:
    """Divide the weights of `layers` (see `lsuv_layers`), in the order they run, by the deviation of their outputs.

    It is one pass, on the CPU as the network is, in which each layer is corrected before its output goes on. It is
    in training mode, so that norms take the batch's statistics; running averages and torch's global random state
    are left as they were.
    """
    buffers = {name: buffer.clone() for name, buffer in net.named_buffers()}
    training = net.training
    with ExitStack() as stack:
        stack.enter_context(seeded(derive(seed, "lsuv")))
        for path, (name, rule) in layers.items():
            hook = _corrected(net.get_parameter(name), rule)
            stack.callback(net.get_submodule(path).register_forward_hook(hook).remove)
        net.train().outputs({field: x.cpu() for field, x in inputs.items()})
    net.train(training)
    for name, buffer in net.named_buffers():
        buffer.copy_(buffers[name])


def _corrected(weight: Tensor, rule: Lsuv) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor]:
    """Return a hook that scales a layer's weight until its output has variance 1, and sends that output on."""

    def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        for _ in range(rule.tries):
            variance = output.var()
            if not variance > 0 or abs(variance - 1) < rule.tolerance:  # a layer of zeros stays one
                break
            weight.div_(variance.sqrt())
            output = module.forward(*inputs)
        return output

    return hook
