"""Accelerated proximal gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnctl.component.base import Example
from nnctl.kinds.optimizers.base import Optimizer

if TYPE_CHECKING:
    import torch


class AcceleratedProximalGradient(Optimizer):
    """Gradient steps from a point ahead, each followed by the penalties' proximal operators.

    x_k = prox(y_k − ε g(y_k)), t_{k+1} = (1 + √(1 + 4t_k²))/2, y_{k+1} = x_k + (t_k − 1)/t_{k+1} (x_k − x_{k−1}), from
    t₁ = 1 and y₁ = x₀; g ← ∇ + λy. Evaluated and saved is x, whose penalised weights are exactly zero where L1 wants
    them so. With a convex loss, whole batches and ε ≤ 1/L: F(x_k) − F* ≤ 2L‖x₀ − x*‖²/(k + 1)², where L bounds the
    loss's curvature.
    """

    kind = "apg"
    proximal = True
    paper = "Beck and Teboulle, A fast iterative shrinkage-thresholding algorithm for linear inverse problems, 2009"
    examples = (Example("apg: 0.1"), Example("apg: {lr: 0.05, weight_decay: 1e-3}"))

    def state_tensors(self) -> int:
        """Return 2: x_{k−1}, and the way back from the point ahead."""
        return 2

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Return the optimiser; a group's operators are under its key `prox`."""
        from nnctl.optim import apg

        return apg.AcceleratedProximalGradient(groups, lr=self.lr)
