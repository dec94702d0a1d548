"""RMSProp."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnctl.component.base import Example
from nnctl.component.types import Below1, Positive
from nnctl.kinds.optimizers.base import Optimizer

if TYPE_CHECKING:
    import torch


class RmsProp(Optimizer):
    """Steps divided by a running root mean square of the gradient.

    g ← ∇ + λθ, r ← ρr + (1 − ρ)g², v ← μv + g/(√r + δ), θ ← θ − ε v. As in torch, δ is outside the root.
    """

    kind = "rmsprop"
    paper = "Tieleman and Hinton, Lecture 6.5 of Neural networks for machine learning, 2012"
    examples = (Example("rmsprop"), Example("rmsprop: {lr: 1e-3, rho: 0.9, momentum: 0.9}"))

    lr: Positive = 1e-2
    """Learning rate ε before the schedule's factor."""
    rho: Below1 = 0.99
    """Decay ρ of the mean square; torch calls it alpha."""
    eps: Positive = 1e-8
    """δ, added to the root mean square."""
    momentum: Below1 = 0.0
    """Share μ of the velocity that is kept from step to step."""

    def state_tensors(self) -> int:
        """Return 1, or 2 with momentum."""
        return 1 + int(self.momentum > 0)

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Return torch's RMSprop."""
        from torch.optim import RMSprop

        return RMSprop(groups, lr=self.lr, alpha=self.rho, eps=self.eps, momentum=self.momentum, foreach=True)
