"""Stochastic gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import model_validator

from nnctl.component.base import Example
from nnctl.component.types import Below1, Flag
from nnctl.kinds.optimizers._fused import fused
from nnctl.kinds.optimizers.base import Optimizer

if TYPE_CHECKING:
    import torch


class Sgd(Optimizer):
    """Gradient descent on batches, with momentum if asked for.

    g ← ∇ + λθ, v ← μv + g, θ ← θ − ε v; with Nesterov's momentum θ ← θ − ε (g + μv).
    """

    kind = "sgd"
    paper = "Robbins and Monro, 1951; momentum in this form: Sutskever et al., 2013"
    examples = (Example("sgd: 0.1"), Example("sgd: {lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 5e-4}"))

    momentum: Below1 = 0.0
    """Share μ of the velocity that is kept from step to step."""
    nesterov: Flag = False
    """Whether the step looks ahead along the velocity."""

    @model_validator(mode="after")
    def _check_nesterov(self) -> Sgd:
        if self.nesterov and self.momentum == 0:
            raise ValueError("`nesterov: true` needs a `momentum` above 0")
        return self

    def state_tensors(self) -> int:
        """Return 1 with momentum, else 0."""
        return int(self.momentum > 0)

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Return torch's SGD."""
        from torch.optim import SGD

        return SGD(groups, lr=self.lr, momentum=self.momentum, nesterov=self.nesterov, fused=fused(groups))
