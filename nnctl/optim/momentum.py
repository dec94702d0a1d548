"""Momentum whose velocity is in units of the weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nnctl.optim.grouped import Grouped
from nnctl.optim.look_ahead import LookingAhead

VELOCITY = "velocity"


class Momentum(Grouped):
    """v ← αv − εg, θ ← θ + v. A change of the rate acts on coming gradients alone, not on the velocity reached."""

    def __init__(self, groups: list[dict[str, Any]], lr: float, momentum: float) -> None:
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": 0.0})

    def move(self, group: dict[str, Any], weights: list[Tensor], gradients: list[Tensor]) -> None:
        """Change some weights of a group."""
        velocities = self.kept(weights, VELOCITY)
        torch._foreach_mul_(velocities, group["momentum"])
        torch._foreach_add_(velocities, gradients, alpha=-group["lr"])
        torch._foreach_add_(weights, velocities)


class AlongVelocity(LookingAhead):
    """Takes the gradient at θ + αv, where the velocity alone would lead."""

    def advance(self, weight: Tensor, group: dict[str, Any]) -> None:
        """Add αv."""
        weight.add_(self.state[weight][VELOCITY], alpha=group["momentum"])


class Nesterov(AlongVelocity, Momentum):
    """Momentum with g taken at θ + αv."""
