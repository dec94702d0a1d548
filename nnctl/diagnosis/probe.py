"""What passes each layer of a network: values on the way forward, their gradients on the way back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from nnctl.diagnosis.activity import Activity
from nnctl.diagnosis.norms import RootMeanSquare
from nnctl.graph.nodes import Leaf
from nnctl.kinds.layers.base import Activation


class Probe:
    """Watches one layer.

    Signals are taken where a pass records gradients; activity is counted in every pass.
    """

    def __init__(self, leaf: Leaf, module: nn.Module) -> None:
        layer = leaf.layer
        self.forward = RootMeanSquare()
        """Of the layer's output."""
        self.delta = RootMeanSquare()
        """Of the gradient that arrives at the layer's output."""
        self.activity = Activity(module, leaf.input.shape, layer.pointwise) if isinstance(layer, Activation) else None

    def __call__(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        """Take in one call of the layer: torch calls this after it."""
        if self.activity is not None:
            self.activity.add(inputs[0], output)
        if not torch.is_grad_enabled():
            return
        self.forward.add(output)
        if output.requires_grad:
            output.register_hook(self.delta.add)  # type: ignore[no-untyped-call]  # torch leaves it unannotated


@contextmanager
def watched(net: nn.Module, leaves: tuple[Leaf, ...]) -> Iterator[dict[str, Probe]]:
    """Watch every layer of `net` while the block runs; return the probes by layer path."""
    with ExitStack() as stack:
        probes = {}
        for leaf in leaves:
            module = net.get_submodule(leaf.path)
            probes[leaf.path] = Probe(leaf, module)
            stack.callback(module.register_forward_hook(probes[leaf.path]).remove)
        yield probes
