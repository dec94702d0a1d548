"""Optimisers whose step is a few operations on whole lists of weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from nnctl.optim.look_ahead import LookingAhead


class Grouped(torch.optim.Optimizer, ABC):
    """On an accelerator each operation is one kernel for all weights of a group; on the CPU one weight follows another,
    each while it is in the cache.
    """

    @abstractmethod
    def move(self, group: dict[str, Any], weights: list[Tensor], gradients: list[Tensor]) -> None:
        """Change some weights of a group, given ∇ + λθ."""

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # the gradients are there already
        """Change every weight that has a gradient, from where it was before `look_ahead`."""
        for group in self.param_groups:
            for weights in _lists(group):
                gradients = gradients_of(weights, group["weight_decay"])  # λθ is that of the point ahead
                if isinstance(self, LookingAhead):
                    self.go_back(weights)
                self.move(group, weights, gradients)
        if isinstance(self, LookingAhead):
            self.look_back()  # weights that have no gradient this time

    def kept(self, weights: list[Tensor], key: str) -> list[Tensor]:
        """Return what is kept for each weight under a name: zeros at first."""
        for weight in weights:
            if key not in self.state[weight]:
                self.state[weight][key] = torch.zeros_like(weight)
        return [self.state[weight][key] for weight in weights]


def gradients_of(weights: list[Tensor], decay: float) -> list[Tensor]:
    """Return ∇ + λθ for each weight at its present value."""
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    return list(torch._foreach_add(gradients, weights, alpha=decay)) if decay else gradients


def _lists(group: dict[str, Any]) -> Iterator[list[Tensor]]:
    weights = [weight for weight in group["params"] if weight.grad is not None]
    if weights and weights[0].device.type == "cpu":
        yield from ([weight] for weight in weights)
    elif weights:
        yield weights
