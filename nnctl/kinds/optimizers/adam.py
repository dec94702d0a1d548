"""Adam."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnctl.component.base import Example
from nnctl.component.types import Below1, Positive
from nnctl.kinds.optimizers._fused import fused
from nnctl.kinds.optimizers.base import Optimizer

if TYPE_CHECKING:
    import torch


class Adam(Optimizer):
    """Steps scaled by running estimates of the gradient's first and second moment.

    g ← ∇ + λθ, s ← β₁s + (1 − β₁)g, r ← β₂r + (1 − β₂)g², ŝ = s/(1 − β₁ᵗ), r̂ = r/(1 − β₂ᵗ),
    θ ← θ − ε ŝ/(√r̂ + δ).
    """

    kind = "adam"
    paper = "Kingma and Ba, Adam: a method for stochastic optimization, 2015"
    examples = (Example("adam"), Example("adam: {lr: 3e-4, beta2: 0.99}"))

    lr: Positive = 1e-3
    """Learning rate ε before the schedule's factor."""
    beta1: Below1 = 0.9
    """Decay β₁ of the first moment."""
    beta2: Below1 = 0.999
    """Decay β₂ of the second moment."""
    eps: Positive = 1e-8
    """δ, added to the root of the second moment."""

    def state_tensors(self) -> int:
        """Return 2: both moments."""
        return 2

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Return torch's Adam."""
        import torch

        betas = (self.beta1, self.beta2)
        return torch.optim.Adam(groups, lr=self.lr, betas=betas, eps=self.eps, fused=fused(groups))
