"""A bound on the length of what a unit reads by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Positive
from nnctl.kinds.penalties.base import Constraint

if TYPE_CHECKING:
    from torch import Tensor


class MaxNorm(Constraint):
    """Keep every row of each weight, what one unit or filter reads, no longer than a bound: w ← w · min(1, c/‖w‖)."""

    kind = "max_norm"
    paper = "Srebro and Shraibman, 2005; Srivastava et al., Dropout, 2014"
    examples = (Example("max_norm: 3"), Example("max_norm: {bound: 2, every: 10, layers: [linear1]}"))

    bound: Positive
    """The largest norm c of a row."""

    def apply(self, weight: Tensor) -> None:
        """Shorten the rows that are too long."""
        import torch

        rows = weight.flatten(1)
        norms = torch.linalg.vector_norm(rows, dim=1).clamp(min=torch.finfo(rows.dtype).tiny)
        weight.mul_((self.bound / norms).clamp(max=1.0).view(-1, *[1] * (weight.dim() - 1)))
