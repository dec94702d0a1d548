"""An average of a network's weights over the steps of training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """A second set of weights: a ← d·a + (1 − d)·w after every step, starting at the first weights.

    With `uniform` d is k/(k + 1) at the k-th step taken in, so that all count the same. Up to step `start` the average
    is the present weights. Running statistics of norms are averaged too; whole numbers are always the network's own.
    """

    def __init__(self, net: nn.Module, decay: float, uniform: bool = False, start: int = 0) -> None:
        self.decay, self.uniform, self.start = decay, uniform, start
        self._live = {name: t for name, t in net.state_dict(keep_vars=True).items() if t.is_floating_point()}
        self.tensors = {name: t.detach().clone() for name, t in self._live.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the network's weights after step number `step`, counted from 0."""
        live = [t.detach() for t in self._live.values()]
        taken = step - self.start  # before this one
        own = 1.0 if taken < 0 else 1 / (taken + 1) if self.uniform else 1 - self.decay
        torch._foreach_lerp_(list(self.tensors.values()), live, own)

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on from a saved average."""
        for name, tensor in self.tensors.items():
            tensor.copy_(tensors[name])

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the network have the averaged weights while the block runs."""
        with torch.no_grad():
            own = {name: t.detach().clone() for name, t in self._live.items()}
            for name, t in self._live.items():
                t.copy_(self.tensors[name])
        try:
            yield
        finally:
            with torch.no_grad():
                for name, t in self._live.items():
                    t.copy_(own[name])
