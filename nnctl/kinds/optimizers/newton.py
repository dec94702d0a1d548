"""Newton's method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnctl.component.base import Example
from nnctl.component.types import Count, NonNegative, Positive
from nnctl.kinds.optimizers._line_search import LineSearched

if TYPE_CHECKING:
    import torch


class Newton(LineSearched):
    """Damped Newton steps: one of them solves a quadratic.

    θ ← θ + t·d with (∇² + μI)d ≈ −∇ and t by a strong Wolfe line search that tries the whole step first. d is found by
    conjugate gradients from products of the Hessian with vectors, cut short where the Hessian curves downwards.
    For whole training sets: `batch_size: all`.
    """

    kind = "newton"
    paper = "Martens, Deep learning via Hessian-free optimization, 2010; Nocedal and Wright, algorithm 7.1, 2006"
    examples = (Example("newton"), Example("newton: {damping: 1e-3, cg_steps: 20}"))

    damping: NonNegative = 0.0
    """μ, added to the Hessian's diagonal."""
    cg_steps: Count = 50
    """Most products with the Hessian in a step."""
    tolerance: Positive = 1e-3
    """Share of the gradient's norm at which the residual ends the conjugate gradients."""

    def state_tensors(self) -> int:
        """Return 0: a step remembers nothing."""
        return 0

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Return the optimiser."""
        from nnctl.optim.newton import Newton as Twin

        return Twin(groups, self.lr, self.damping, self.cg_steps, self.tolerance, self.wolfe())
