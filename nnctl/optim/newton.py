"""Newton's method, damped, without forming the Hessian."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from nnctl.optim.closure import Closure
from nnctl.optim.curvature import truncated_newton
from nnctl.optim.flat import FlatOptimizer
from nnctl.optim.line_search import Point, Wolfe


class Newton(FlatOptimizer):
    """Goes along d with (∇²f + damping·I)d ≈ −g, found by conjugate gradients; the whole of d is tried first."""

    def __init__(
        self, groups: list[dict[str, Any]], lr: float, damping: float, cg_steps: int, tolerance: float, wolfe: Wolfe
    ) -> None:
        super().__init__(groups, lr, wolfe)
        self.damping, self.cg_steps, self.tolerance = damping, cg_steps, tolerance

    def descend(self, closure: Closure, x: Tensor, start: Point) -> None:
        """Search along Newton's direction."""
        product = self.product(closure, self.damping)
        direction = truncated_newton(product, start.gradient, self.cg_steps, self.tolerance)
        slope = float(start.gradient @ direction)
        self.search(closure, x, replace(start, slope=slope), direction, self.rate)
