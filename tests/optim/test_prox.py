"""Proximal operators against numeric minimisation of what they minimise."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from nnctl.optim.prox import group_lasso, l1, l2

PENALTIES: dict[str, tuple[Callable[[Tensor, float], Tensor], Callable[[Tensor], Tensor]]] = {
    "l1": (l1, lambda u: u.abs().sum()),
    "l2": (l2, lambda u: u.square().sum() / 2),
    "group_lasso": (group_lasso, lambda u: u.flatten(1).norm(dim=1).sum()),
    "all in turn": (
        lambda x, t: l2(group_lasso(l1(x, t), t), t),
        lambda u: u.abs().sum() + u.flatten(1).norm(dim=1).sum() + u.square().sum() / 2,
    ),
}


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("t", [0.0, 0.3, 1.5])
def test_nothing_near_or_far_is_lower(name: str, t: float) -> None:
    operator, penalty = PENALTIES[name]
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(4, 2, 3, generator=generator, dtype=torch.float64)
    best = operator(x, t)

    def value(u: Tensor) -> float:
        return float((u - x).square().sum() / 2 + t * penalty(u))

    least = value(best)
    for size in (1e-4, 1e-2, 0.3, 2.0):
        for _ in range(200):
            step = torch.randn(x.shape, generator=generator, dtype=torch.float64)
            # strongly convex: any other point lies higher by at least half the squared distance
            assert value(best + size * step) >= least + (size * step).square().sum() / 2 - 1e-12
    assert value(torch.zeros_like(x)) >= least


@pytest.mark.parametrize("t", [0.05, 0.7])
def test_each_number_of_l1_and_l2_against_a_grid(t: float) -> None:
    grid = torch.linspace(-3, 3, 600_001, dtype=torch.float64)
    for x in (-1.7, -0.7, -0.03, 0.0, 0.4, 2.1):
        for operator, penalty in ((l1, grid.abs()), (l2, grid.square() / 2)):
            best = grid[((grid - x).square() / 2 + t * penalty).argmin()]
            assert operator(torch.tensor([x], dtype=torch.float64), t).item() == pytest.approx(best.item(), abs=1.1e-5)


def test_zeros_are_exact() -> None:
    x = torch.tensor([[0.5, -0.5, 0.6], [0.1, 0.2, 0.2]])
    assert l1(x, 0.5).tolist() == [[0.0, 0.0, pytest.approx(0.1)], [0.0, 0.0, 0.0]]
    assert group_lasso(x, 0.3)[1].tolist() == [0.0, 0.0, 0.0]
    assert group_lasso(x, 0.3)[0].norm().item() == pytest.approx(x[0].norm().item() - 0.3)


def test_rows_of_zeros_and_numbers_alone() -> None:
    assert group_lasso(torch.zeros(2, 3), 0.0).tolist() == [[0.0] * 3] * 2
    numbers = torch.tensor([0.5, -2.0])
    assert torch.equal(group_lasso(numbers, 1.0), l1(numbers, 1.0))
    assert group_lasso(torch.tensor(-2.0), 1.0).item() == -1.0
