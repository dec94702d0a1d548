"""BFGS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnctl.component.base import Example
from nnctl.kinds.optimizers._line_search import LineSearched

if TYPE_CHECKING:
    import torch


class Bfgs(LineSearched):
    """The quasi-Newton method that keeps the whole inverse Hessian H: for networks of a few thousand numbers.

    θ ← θ − t·H∇, then H ← (I − ρsyᵀ)H(I − ρysᵀ) + ρssᵀ with s = θ′ − θ, y = ∇′ − ∇, ρ = 1/s·y; t by a strong Wolfe
    line search. H starts as (s·y/y·y)·I. For whole training sets: `batch_size: all`.
    """

    kind = "bfgs"
    paper = "Broyden, Fletcher, Goldfarb and Shanno, 1970; Nocedal and Wright, Numerical Optimization, chapter 6, 2006"
    examples = (Example("bfgs"), Example("bfgs: {weight_decay: 1e-3}"))

    def state_numbers(self, parameters: int) -> int:
        """Return the entries of H."""
        return parameters**2

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Return the optimiser."""
        from nnctl.optim.quasi_newton import BFGS

        return BFGS(groups, self.lr, self.wolfe())
