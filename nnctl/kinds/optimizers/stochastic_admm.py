"""Stochastic ADMM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field

from nnctl.component.base import Example
from nnctl.component.types import Count, Expected, NonNegative, Positive, Share, as_tuple
from nnctl.kinds.optimizers.base import Optimizer

if TYPE_CHECKING:
    import torch


class StochasticAdmm(Optimizer):
    """Sparse weights, or weights that are alike between neighbours, from gradients of mini-batches.

    min E f(x) + λ‖Ax‖₁ with Ax = y: x ← argmin ∇·x′ + (β/2)‖Ax′ − y − u/β‖² + ‖x′ − x‖²/2η, y ← soft(Ax − u/β, λ/β),
    u ← u − β(Ax − y), η = lr·k^−power in step k. A = I, or with `grid` the differences of neighbours. What is evaluated
    and saved is the average of all x so far: its value approaches the least one as 1/√k, with `power: 1` and a
    strongly convex loss as (log k)/k. Biases are not penalised.
    """

    kind = "stochastic_admm"
    paper = "Ouyang, He, Tran and Gray, Stochastic alternating direction method of multipliers, 2013"
    examples = (Example("stochastic_admm: {lr: 0.5, l1: 1e-3}"), Example("stochastic_admm: {lr: 1, grid: [8, 8]}"))

    lr: Positive = 0.1
    """η of the first step, before the schedule's factor."""
    l1: NonNegative = 1e-3
    """λ of λ‖Ax‖₁."""
    beta: Positive = 1.0
    """β: how firmly y is held to Ax."""
    power: Share = 0.5
    """How fast η falls: 1/2 for convex losses, 1 for strongly convex ones, 0 to leave it to the schedule."""
    grid: Annotated[
        Annotated[tuple[Count, ...], Field(min_length=1)] | None,
        BeforeValidator(as_tuple),
        Expected("a list of extents, such as [8, 8]"),
    ] = None
    """Extents of the grid on which a unit's weights lie: Ax are the differences of neighbours (total variation). Only
    weights with as many inputs are penalised."""

    def state_tensors(self) -> int:
        """Return the iterate, and y and u: one for each, with a grid as many as it has axes."""
        return 1 + 2 * len(self.grid or (1,))

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Return the optimiser."""
        from nnctl.optim.stochastic_admm import StochasticADMM

        return StochasticADMM(groups, self.lr, l1=self.l1, beta=self.beta, power=self.power, grid=self.grid)
