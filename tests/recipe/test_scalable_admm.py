"""Training without gradients: every sub-step against a search, and the whole on a spec."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from nnctl.optim.admm_steps import (
    ClippedLine,
    Hidden,
    Hinge,
    Output,
    SquaredError,
    activations,
    fit,
    inverse_gram,
    relu_values,
)
from nnctl.optim.scalable_admm import Dense, ScalableADMM
from nnctl.optim.tensors import optimizer_tensors, restore_optimizer
from tests.components import parse

F64 = torch.float64
GRID = torch.linspace(-8, 8, 4001, dtype=F64)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def hard(z: Tensor) -> Tensor:
    return (z / 6 + 0.5).clamp(0, 1)


def square(z: Tensor, y: Tensor) -> Tensor:
    return 0.7 * (z - y) ** 2


def hinge(z: Tensor, y: Tensor) -> Tensor:
    return 1.3 * torch.where(y == 1, relu(1 - z), relu(z))


@pytest.mark.parametrize(("h", "step"), [(relu, relu_values), (hard, ClippedLine(1 / 6, 0.5))])
@pytest.mark.parametrize(("beta", "gamma"), [(1.0, 10.0), (1.0, 1.0), (0.3, 20.0)])
def test_hidden_values_are_least_on_a_grid(
    h: Callable[[Tensor], Tensor], step: Hidden, beta: float, gamma: float
) -> None:
    a, m = 2 * normal(200), 3 * normal(200, seed=1)

    def objective(z: Tensor) -> Tensor:
        return gamma * (a - h(z)) ** 2 + beta * (z - m) ** 2

    best = objective(GRID.view(-1, 1)).min(0)[0]
    assert (objective(step(a, m, beta, gamma)) <= best + 1e-12).all()


@pytest.mark.parametrize(("loss", "step"), [(square, SquaredError(0.7)), (hinge, Hinge(1.3))])
@pytest.mark.parametrize("beta", [0.2, 1.0, 5.0])
def test_last_values_are_least_on_a_grid(loss: Callable[[Tensor, Tensor], Tensor], step: Output, beta: float) -> None:
    m, multiplier = 2 * normal(200), normal(200, seed=1)
    y = (normal(200, seed=2) > 0).to(F64)

    def objective(z: Tensor) -> Tensor:
        return loss(z, y) + multiplier * z + beta * (z - m) ** 2

    best = objective(GRID.view(-1, 1)).min(0)[0]
    assert (objective(step(m, y, multiplier, beta)) <= best + 1e-12).all()


def test_weights_are_those_of_least_squares() -> None:
    a, z = normal(50, 6), normal(50, 3, seed=1)
    w = fit(inverse_gram(a, torch.zeros(6)), a, z)
    np.testing.assert_allclose(w.T, np.linalg.lstsq(a.numpy(), z.numpy(), rcond=None)[0], rtol=1e-9)
    ridge = torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 0.0])
    bent = fit(inverse_gram(a, ridge), a, z).requires_grad_()
    (gradient,) = torch.autograd.grad(((z - a @ bent.T) ** 2).sum() + (ridge * bent**2).sum(), bent)
    assert gradient.abs().max() < 1e-10


def test_weights_of_inputs_that_depend_on_each_other_are_the_shortest() -> None:
    a = normal(50, 3).repeat(1, 2)
    w = fit(inverse_gram(a, torch.zeros(6)), a, z := normal(50, 3, seed=1))
    np.testing.assert_allclose(w.T, np.linalg.pinv(a.numpy()) @ z.numpy(), rtol=1e-7, atol=1e-9)


def test_activations_are_least() -> None:
    w, rest, h = normal(3, 5), normal(20, 3, seed=1), normal(20, 5, seed=2)
    a = activations(w, rest, h, 0.7, 4.0).requires_grad_()
    (gradient,) = torch.autograd.grad(4.0 * ((a - h) ** 2).sum() + 0.7 * ((rest - a @ w.T) ** 2).sum(), a)
    assert gradient.abs().max() < 1e-10


def lagrangian(solver: ScalableADMM) -> float:
    """Return what the sub-steps minimise, written out."""
    a, total = solver.inputs, torch.zeros((), dtype=F64)
    for layer in solver.layers:
        kept, w, b = solver.state[layer.linear.weight], layer.linear.weight, layer.linear.bias
        total = total + solver.beta * ((kept["z"] - (a @ w.T + b)) ** 2).sum() + 0.5 * DECAY * len(a) * (w**2).sum()
        if layer.h is None:
            loss = square if isinstance(solver.output, SquaredError) else hinge
            total = total + loss(kept["z"], solver.target).sum() + (kept["multiplier"] * kept["z"]).sum()
        else:
            total = total + solver.gamma * ((kept["a"] - layer.h(kept["z"])) ** 2).sum()
            a = kept["a"]
    return total.item()


DECAY = 1e-2


def solver_of(
    h: nn.Module, step: Hidden, output: Output, dtype: torch.dtype = F64, start: nn.Module | None = None
) -> tuple[nn.Sequential, ScalableADMM]:
    linear = [nn.Linear(6, 5), nn.Linear(5, 4), nn.Linear(4, 3)]
    net = nn.Sequential(linear[0], h, linear[1], h, linear[2]).to(dtype)
    with torch.no_grad():
        for seed, p in enumerate(net.parameters()):
            p.copy_(normal(*p.shape, seed=seed))
    if start is not None:
        net.load_state_dict(start.state_dict())
    target = torch.nn.functional.one_hot(torch.arange(40) % 3).to(dtype)
    layers = [Dense(linear[0], h, step), Dense(linear[1], h, step), Dense(linear[2])]
    inputs = normal(40, 6).to(dtype)
    rule = {"lr": 1.0, "beta": 0.5, "gamma": 2.0}
    return net, ScalableADMM(layers, output, inputs, target, **rule, warm=2, decay=(DECAY, 0.0), seed=1)


HIDDEN: list[tuple[nn.Module, Hidden]] = [(nn.ReLU(), relu_values), (nn.Hardsigmoid(), ClippedLine(1 / 6, 0.5))]


@pytest.mark.parametrize(("h", "step"), HIDDEN)
@pytest.mark.parametrize("output", [SquaredError(0.7), Hinge(1.3)])
def test_no_sub_step_but_the_multipliers_raises_the_objective(h: nn.Module, step: Hidden, output: Output) -> None:
    _, solver = solver_of(h, step, output)
    solver.sweep(0)
    for number in range(1, 12):
        before = lagrangian(solver)
        renewed = []
        for name in solver.sub_steps(number):
            after = lagrangian(solver)
            assert name == "multiplier" or after <= before + 1e-9 * abs(before)
            renewed.append(name)
            before = after
        assert renewed == ["weights", "a", "z"] * 2 + ["weights", "z"] + ["multiplier"] * (number >= 2)


def test_one_layer_ends_at_least_squares_with_its_multiplier() -> None:
    """At the end z = m, so that −u is the gradient of the loss there."""
    linear, x, y = nn.Linear(4, 2).double(), normal(30, 4), normal(30, 2, seed=1)
    solver = ScalableADMM(
        [Dense(linear)], SquaredError(0.5), x, y, lr=1.0, beta=0.5, gamma=1.0, warm=60, decay=(0.0, 0.0), seed=0
    )
    for number in range(120):
        solver.sweep(number)
    rows = np.hstack([x.numpy(), np.ones((30, 1))])
    expected = np.linalg.lstsq(rows, y.numpy(), rcond=None)[0].T
    found = torch.cat([linear.weight, linear.bias.unsqueeze(1)], dim=1)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-6, atol=1e-8)
    m = linear(x).detach()
    torch.testing.assert_close(-solver.state[linear.weight]["multiplier"], m - y, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_goes_on_from_its_tensors_to_the_last_bit(dtype: torch.dtype) -> None:
    net, solver = solver_of(*HIDDEN[0], Hinge(1.3), dtype)
    for number in range(4):
        solver.sweep(number)
    other, resumed = solver_of(*HIDDEN[0], Hinge(1.3), dtype, start=net)
    restore_optimizer(resumed, other, {k: t.clone() for k, t in optimizer_tensors(solver, net).items()})
    for number in range(4, 8):
        solver.sweep(number)
        resumed.sweep(number)
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), other.parameters(), strict=True))


def test_the_hinge_is_the_papers() -> None:
    z = torch.tensor([[0.4, -0.3, 2.0], [1.5, 0.2, -1.0]])
    function = parse("losses", "hinge").build()  # type: ignore[attr-defined]
    # Sample 0 is of class 0: (1 − 0.4) + 0 + 2. Sample 1 is of class 1: 1.5 + (1 − 0.2) + 0.
    assert function(z, torch.tensor([0, 1])).item() == pytest.approx((2.6 + 2.3) / 2)
    single = function(torch.tensor([[0.4], [0.3]]), torch.tensor([1, 0]))
    assert single.item() == pytest.approx((0.6 + 0.3) / 2)
