"""Non-linear conjugate gradients."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, TypeAlias

from torch import Tensor

from nnctl.optim.closure import Closure
from nnctl.optim.flat import FlatOptimizer
from nnctl.optim.line_search import Point, Wolfe

Formula: TypeAlias = Literal["polak_ribiere", "fletcher_reeves"]


def beta(formula: Formula, gradient: Tensor, before: Tensor) -> Tensor:
    """Return how much of the last direction is kept: g·(g − g₋)/g₋·g₋, at least 0, or g·g/g₋·g₋."""
    if formula == "fletcher_reeves":
        return (gradient @ gradient) / (before @ before)
    return ((gradient @ (gradient - before)) / (before @ before)).clamp(min=0)


class ConjugateGradient(FlatOptimizer):
    """Goes along d ← −g + βd; starts afresh with −g where that would go uphill."""

    def __init__(self, groups: list[dict[str, Any]], lr: float, formula: Formula, wolfe: Wolfe) -> None:
        super().__init__(groups, lr, wolfe)
        self.formula = formula

    def descend(self, closure: Closure, x: Tensor, start: Point) -> None:
        """Search along the new direction; the length that promises the last step's decrease is tried first."""
        g, memory = start.gradient, self.memory
        direction, first = -g, self.rate * min(1.0, 1 / float(g.abs().sum()))
        if memory:
            kept = direction + beta(self.formula, g, memory["gradient"]) * memory["direction"]
            if float(g @ kept) < 0:
                direction = kept
            first = self.rate * float(memory["decrease"]) / float(g @ direction)
        slope = float(g @ direction)
        end = self.search(closure, x, replace(start, slope=slope), direction, first)
        memory.clear()
        if end.t > 0:
            memory |= {"gradient": g, "direction": direction, "decrease": g.new_tensor(end.t * slope)}
