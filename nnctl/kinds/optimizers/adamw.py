"""Adam with decoupled weight decay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnctl.component.base import Example
from nnctl.component.types import Below1, NonNegative, Positive
from nnctl.kinds.optimizers._fused import fused
from nnctl.kinds.optimizers.base import Optimizer

if TYPE_CHECKING:
    import torch


class AdamW(Optimizer):
    """Adam whose weight decay shrinks the weights directly instead of entering the moments.

    θ ← θ − ε λ θ, then Adam's step from the bare gradient.
    """

    kind = "adamw"
    paper = "Loshchilov and Hutter, Decoupled weight decay regularization, 2019"
    examples = (Example("adamw"), Example("adamw: {lr: 3e-4, weight_decay: 0.05}"))

    lr: Positive = 1e-3
    """Learning rate ε before the schedule's factor."""
    weight_decay: NonNegative = 0.01
    """λ, the share of a weight taken off per step and unit of learning rate."""
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
        """Return torch's AdamW."""
        import torch

        betas = (self.beta1, self.beta2)
        return torch.optim.AdamW(groups, lr=self.lr, betas=betas, eps=self.eps, fused=fused(groups))
