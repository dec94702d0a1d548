"""Accelerated proximal gradient on a lasso: its bound along the whole run, and exact zeros."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nnctl.optim.apg import AcceleratedProximalGradient
from nnctl.optim.prox import l1
from tests.optim.boxes import Array
from tests.optim.helpers import step

STEPS = 400


@dataclass(frozen=True)
class Lasso:
    """F(x) = ‖Ax − b‖²/2 + λ‖x‖₁, badly conditioned, with its solution by coordinate descent."""

    a: Array
    b: Array
    strength: float

    @property
    def curvature(self) -> float:
        return float(np.linalg.norm(self.a, 2) ** 2)

    def gradient(self, x: Array) -> Array:
        gradient: Array = self.a.T @ (self.a @ x - self.b)
        return gradient

    def __call__(self, x: Array) -> float:
        return float(((self.a @ x - self.b) ** 2).sum() / 2 + self.strength * np.abs(x).sum())

    @cached_property
    def solution(self) -> Array:
        x, squares = np.zeros(self.a.shape[1]), (self.a**2).sum(axis=0)
        before = None
        while before is None or np.abs(x - before).max() > 1e-14:
            before = x.copy()
            for j in range(len(x)):
                towards = squares[j] * x[j] - self.a[:, j] @ (self.a @ x - self.b)
                x[j] = np.sign(towards) * max(abs(towards) - self.strength, 0) / squares[j]
        return x


@pytest.fixture(scope="module")
def lasso() -> Lasso:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(15, 12)) * np.geomspace(1, 0.1, 12)
    sparse = np.where(np.arange(12) % 3 == 0, 2.0, 0.0)
    return Lasso(a, a @ sparse + 0.1 * rng.normal(size=15), 0.3)


def soft(x: Tensor, step_size: float, strength: float) -> Tensor:
    return l1(x, strength * step_size)


def optimizer_of(lasso: Lasso, weight: nn.Parameter) -> AcceleratedProximalGradient:
    group = {"params": [weight], "prox": [partial(soft, strength=lasso.strength)]}
    return AcceleratedProximalGradient([group], lr=1 / lasso.curvature)


def test_the_bound_holds_along_the_whole_run(lasso: Lasso) -> None:
    best = lasso.solution
    start = np.full(12, 3.0)
    weight = nn.Parameter(torch.from_numpy(start.copy()))
    optimizer = optimizer_of(lasso, weight)
    distance = ((start - best) ** 2).sum()
    x, plain = start.copy(), []
    for k in range(1, STEPS + 1):
        step(optimizer, weight, lasso.gradient)
        gap = lasso(weight.detach().numpy()) - lasso(best)
        assert -1e-9 < gap <= 2 * lasso.curvature * distance / (k + 1) ** 2
        x = l1(torch.from_numpy(x - lasso.gradient(x) / lasso.curvature), lasso.strength / lasso.curvature).numpy()
        plain.append(lasso(x) - lasso(best))
    assert gap < 0.1 * plain[-1], "what acceleration is for"


def test_the_solution_has_exact_zeros(lasso: Lasso) -> None:
    best = lasso.solution
    weight = nn.Parameter(torch.from_numpy(np.full(12, 3.0)))
    optimizer = optimizer_of(lasso, weight)
    for _ in range(2000):
        step(optimizer, weight, lasso.gradient)
    found = weight.detach().numpy()
    np.testing.assert_allclose(found, best, atol=1e-7)
    assert 0 < (best == 0).sum() < len(best)
    assert ((found == 0) == (best == 0)).all()
