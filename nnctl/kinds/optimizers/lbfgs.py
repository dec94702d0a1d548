"""L-BFGS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnctl.component.base import Example
from nnctl.component.types import Count
from nnctl.kinds.optimizers._line_search import LineSearched

if TYPE_CHECKING:
    import torch


class Lbfgs(LineSearched):
    """A quasi-Newton method that remembers the last few steps.

    θ ← θ − t·H∇, H the inverse Hessian that BFGS makes of γI and the newest `history` pairs s = θ′ − θ, y = ∇′ − ∇,
    γ = s·y/y·y of the newest; t by a strong Wolfe line search. For whole training sets: `batch_size: all`.
    """

    kind = "lbfgs"
    paper = "Liu and Nocedal, On the limited memory BFGS method for large scale optimization, 1989"
    examples = (Example("lbfgs"), Example("lbfgs: {history: 20}"))

    history: Count = 10
    """Pairs that are remembered."""

    def state_tensors(self) -> int:
        """Return two for each pair."""
        return 2 * self.history

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Return the optimiser."""
        from nnctl.optim.quasi_newton import LBFGS

        return LBFGS(groups, self.lr, self.history, self.wolfe())
