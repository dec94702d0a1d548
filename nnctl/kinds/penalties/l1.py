"""The sum of the weights' sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.penalties.base import Prox, Term

if TYPE_CHECKING:
    from torch import Tensor


class L1(Term):
    """Draw every weight to zero by the same force: λ Σ|w|, whose gradient is λ sign w.

    By gradients weights come near zero and swing about it; under `optimizer: apg` the penalty is a proximal step, and
    weights that the data do not ask for become exactly zero (the lasso).
    """

    kind = "l1"
    paper = "Tibshirani, Regression Shrinkage and Selection via the Lasso, 1996"
    examples = (Example("l1: 1e-4"), Example("l1: {strength: 1e-4, layers: [linear1]}"))

    def value(self, weight: Tensor) -> Tensor:
        """Return λ Σ|w|."""
        return self.strength * weight.abs().sum()

    def prox(self) -> Prox:
        """Return the soft threshold."""
        from nnctl.optim import prox

        return lambda weight, step: prox.l1(weight, step * self.strength)
