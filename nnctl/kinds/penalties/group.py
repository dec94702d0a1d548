"""Group lasso."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.penalties.base import Prox, Term

if TYPE_CHECKING:
    from torch import Tensor


class Group(Term):
    """Draw whole units or filters to zero: λ Σ‖wᵢ‖₂ over the rows wᵢ of each weight.

    A row is what one unit or filter reads, all but the first axis. The gradient is λ wᵢ/‖wᵢ‖, 0 for a row of zeros;
    under `optimizer: apg` it is a proximal step, and rows become exactly zero.
    """

    kind = "group"
    paper = "Yuan and Lin, Model Selection and Estimation in Regression with Grouped Variables, 2006"
    examples = (Example("group: 1e-3"), Example("group: {strength: 1e-3, layers: [conv1, conv2]}"))

    def value(self, weight: Tensor) -> Tensor:
        """Return λ Σ‖wᵢ‖."""
        import torch

        total: Tensor = torch.linalg.vector_norm(weight.flatten(1), dim=1).sum()
        return self.strength * total

    def prox(self) -> Prox:
        """Return the threshold of every row's length."""
        from nnctl.optim import prox

        return lambda weight, step: prox.group_lasso(weight, step * self.strength)
