"""Stochastic ADMM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor

from nnctl.optim import prox
from nnctl.optim.look_ahead import LookingAhead
from nnctl.optim.splitting import Identity, Rows, dual, grid_differences


class StochasticADMM(LookingAhead):
    """min E f(x) + λ‖Ax‖₁ by steps in x, y = Ax and the multiplier; η_k = lr·k^−power.

    Gradients are taken at the iterate x_k; between two steps the parameters hold the average of all iterates.
    Tensors of one axis, and with a grid those whose units have another number of inputs, are not penalised.
    """

    def __init__(
        self,
        groups: list[dict[str, Any]],
        lr: float,
        *,
        l1: float,
        beta: float,
        power: float,
        grid: Sequence[int] | None,
    ) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0})
        self.l1, self.beta, self.power = l1, beta, power
        self._maps: dict[Tensor, Identity | Rows] = {}
        matrix = grid_differences(grid) if grid else None
        for group in self.param_groups:
            for p in group["params"]:
                if p.dim() >= 2 and matrix is None:
                    self._maps[p] = Identity()
                elif p.dim() >= 2 and grid is not None and matrix is not None and prod(p.shape[1:]) == prod(grid):
                    self._maps[p] = Rows(matrix, p)

    def advance(self, weight: Tensor, group: dict[str, Any]) -> None:
        """Put the iterate in the place of the average."""
        weight.copy_(self.state[weight]["iterate"])

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Take one step from the iterate, and take the new one into the average."""
        self.look_back()
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                k = state["step"] = state.get("step", torch.zeros(())) + 1
                x = state.get("iterate", p)
                gradient = group["weight_decay"] * x if p.grad is None else p.grad + group["weight_decay"] * x
                state["iterate"] = self._next(p, x, gradient, group["lr"] / float(k) ** self.power)
                p.lerp_(state["iterate"], 1 / float(k))

    def _next(self, p: Tensor, x: Tensor, gradient: Tensor, eta: float) -> Tensor:
        a, state = self._maps.get(p), self.state[p]
        if a is None:
            return x - eta * gradient
        y = state.get("split", a(x))
        multiplier = state.get("multiplier", torch.zeros_like(y))
        x = a.primal(gradient, x, y, multiplier, self.beta, eta)
        ax = a(x)
        y = prox.l1(ax - multiplier / self.beta, self.l1 / self.beta)
        state["split"], state["multiplier"] = y, dual(ax, y, multiplier, self.beta)
        return x
