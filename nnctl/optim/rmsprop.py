"""RMSProp with δ inside the root, and with Nesterov's momentum: what torch's has not."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nnctl.optim.grouped import Grouped
from nnctl.optim.momentum import VELOCITY, AlongVelocity


class RmsProp(Grouped):
    """r ← ρr + (1 − ρ)g², v ← αv − ε/√(δ + r) g, θ ← θ + v."""

    def __init__(self, groups: list[dict[str, Any]], lr: float, rho: float, eps: float, momentum: float) -> None:
        super().__init__(groups, {"lr": lr, "rho": rho, "eps": eps, "momentum": momentum, "weight_decay": 0.0})

    def move(self, group: dict[str, Any], weights: list[Tensor], gradients: list[Tensor]) -> None:
        """Change some weights of a group."""
        squares = self.kept(weights, "mean_square")
        torch._foreach_mul_(squares, group["rho"])
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - group["rho"])
        roots = torch._foreach_add(squares, group["eps"])
        torch._foreach_sqrt_(roots)
        if group["momentum"] == 0:
            torch._foreach_addcdiv_(weights, gradients, roots, -group["lr"])
            return
        velocities = self.kept(weights, VELOCITY)
        torch._foreach_mul_(velocities, group["momentum"])
        torch._foreach_addcdiv_(velocities, gradients, roots, -group["lr"])
        torch._foreach_add_(weights, velocities)


class NesterovRmsProp(AlongVelocity, RmsProp):
    """The same with g taken at θ + αv."""
