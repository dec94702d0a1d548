"""What passes each layer of a network: values on the way forward, their gradients on the way back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from math import isfinite

import torch
from torch import Tensor, nn

from nnctl.diagnosis.activity import Activity
from nnctl.diagnosis.alike import Alike
from nnctl.diagnosis.norms import RootMeanSquare, wide
from nnctl.graph.nodes import Leaf
from nnctl.kinds.layers.base import Activation, Weighted


class Probe:
    """Watches one layer.

    Signals are taken where a pass records gradients, until `listening` is set to False; activity is counted in every
    pass.
    """

    def __init__(self, leaf: Leaf, module: nn.Module, underflow: bool) -> None:
        layer = leaf.layer
        self.listening = True
        self.input = RootMeanSquare() if isinstance(layer, Weighted) else None
        """Of what arrives at a layer with weights."""
        self.forward = RootMeanSquare()
        """Of the layer's output."""
        self.delta = RootMeanSquare()
        """Of the gradient that arrives at the layer's output."""
        self.alike = Alike()
        self.nonfinite = Share()
        self.underflow = Share() if underflow else None
        self.activity = Activity(module, leaf.input.shape, layer.pointwise) if isinstance(layer, Activation) else None

    def __call__(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        """Take in one call of the layer: torch calls this after it."""
        if self.activity is not None:
            self.activity.add(inputs[0], output)
        if not (torch.is_grad_enabled() and self.listening):
            return
        if self.input is not None and inputs[0].is_floating_point():
            self.input.add(inputs[0])
        values = wide(output)
        size = self.forward.add(values)
        self.alike.add(values)
        self.nonfinite.add(0 if isfinite(size) else int((~values.isfinite()).sum()), values.numel())
        if output.requires_grad:
            output.register_hook(self._back)  # type: ignore[no-untyped-call]  # torch leaves it unannotated

    def _back(self, delta: Tensor) -> None:
        self.delta.add(delta)
        if self.underflow is not None:
            size = delta.detach().abs()
            lost = (size > 0) & (size < torch.finfo(delta.dtype).tiny)
            self.underflow.add(int(lost.sum()), lost.numel())


class Share:
    """How many of the numbers in several tensors have a property."""

    def __init__(self) -> None:
        self._have = self._all = 0

    def add(self, have: int, among: int) -> None:
        """Take in `among` numbers, of which `have` have it."""
        self._have += have
        self._all += among

    @property
    def value(self) -> float:
        """The share, 0 of nothing."""
        return self._have / self._all if self._all else 0.0


@contextmanager
def watched(net: nn.Module, leaves: Iterable[Leaf], underflow: bool = True) -> Iterator[dict[str, Probe]]:
    """Watch the layers of `net` while the block runs; return the probes by layer path.

    Counting `underflow` is left out where it is not asked for.
    """
    with ExitStack() as stack:
        probes = {}
        for leaf in leaves:
            module = net.get_submodule(leaf.path)
            probes[leaf.path] = Probe(leaf, module, underflow)
            stack.callback(module.register_forward_hook(probes[leaf.path]).remove)
        yield probes
