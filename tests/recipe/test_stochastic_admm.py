"""Stochastic ADMM against the problems that its sub-steps solve, and on convex problems with known optima."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import lsq_linear  # type: ignore[import-untyped]
from sklearn.linear_model import Lasso
from torch import Tensor, nn

from nnctl.optim import prox
from nnctl.optim.groups import parameter_groups
from nnctl.optim.look_ahead import LookAhead
from nnctl.optim.splitting import Identity, Rows, grid_differences
from nnctl.optim.tensors import optimizer_tensors, restore_optimizer
from tests.recipe.helpers import make

Array = NDArray[np.float64]


class OneWeight(nn.Module):
    def __init__(self, values: Array) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.from_numpy(values.copy()))


def optimizer_of(net: nn.Module, **fields: Any) -> Any:
    component = make("optimizers", "stochastic_admm", **fields)
    optimizer = component.build(parameter_groups(net, component))
    assert isinstance(optimizer, LookAhead)
    return optimizer


def step(net: OneWeight, optimizer: Any, gradient: Tensor) -> None:
    """Take a step with a gradient that is linear in the weights: H⊙w − b is called with (H, b) stacked."""
    optimizer.look_ahead()
    net.weight.grad = gradient[0] * net.weight.detach() - gradient[1]
    optimizer.step()


def box(g: tuple[Array, Array], x: Array, m: dict[str, Any], a: Array, eta: float, beta: float, l1: float) -> Array:
    """Return the next iterate by the algorithm box, with the whole matrix A on the whole vector x."""
    gradient = g[0] * x - g[1]
    y, u = m.setdefault("y", a @ x), m.setdefault("u", np.zeros(len(a)))
    left = beta * a.T @ a + np.eye(len(x)) / eta
    x = np.linalg.solve(left, a.T @ (beta * y + u) + x / eta - gradient)
    z = a @ x - u / beta
    m["y"] = np.sign(z) * np.maximum(np.abs(z) - l1 / beta, 0)
    m["u"] = u - beta * (a @ x - m["y"])
    return x


@pytest.mark.parametrize("grid", [None, (6,), (2, 3)])
@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_twenty_steps_are_the_algorithm_box(grid: tuple[int, ...] | None, power: float) -> None:
    rng = np.random.default_rng(0)
    start, hessian, b = rng.normal(size=(2, 6)), rng.uniform(0.2, 2, size=(2, 6)), rng.normal(size=(2, 6))
    net = OneWeight(start)
    optimizer = optimizer_of(net, lr=0.3, l1=0.05, beta=0.7, power=power, grid=grid)
    one = np.eye(6) if grid is None else grid_differences(grid).numpy()
    a = np.kron(np.eye(2), one)
    x, mean = start.flatten(), start.flatten()
    memory: dict[str, Any] = {}
    for k in range(1, 21):
        lr = 0.3 if k <= 10 else 0.1
        optimizer.param_groups[0]["lr"] = lr
        step(net, optimizer, torch.from_numpy(np.stack([hessian, b])))
        x = box((hessian.flatten(), b.flatten()), x, memory, a, lr / k**power, 0.7, 0.05)
        mean = x if k == 1 else mean + (x - mean) / k
    np.testing.assert_allclose(net.weight.detach().numpy().flatten(), mean, rtol=1e-10, atol=1e-12)


def test_differences_are_those_of_neighbours_on_the_grid() -> None:
    image = np.arange(12.0).reshape(3, 4) ** 2
    expected = np.concatenate([np.diff(image, axis=0).flatten(), np.diff(image, axis=1).flatten()])
    np.testing.assert_allclose(grid_differences((3, 4)).numpy() @ image.flatten(), expected)


@pytest.mark.parametrize("grid", [None, (5,)])
def test_the_primal_step_is_least(grid: tuple[int, ...] | None) -> None:
    generator = torch.Generator().manual_seed(0)
    g, x = torch.randn(2, 3, 5, generator=generator, dtype=torch.float64)
    a = Identity() if grid is None else Rows(grid_differences(grid), x)
    y, u = torch.randn(2, *a(x).shape, generator=generator, dtype=torch.float64)
    beta, eta = 0.7, 0.2

    def objective(new: Tensor) -> Tensor:
        near = ((new - x) ** 2).sum() / (2 * eta)
        value: Tensor = (g * new).sum() + 0.5 * beta * ((a(new) - y - u / beta) ** 2).sum() + near
        return value

    found = a.primal(g, x, y, u, beta, eta).requires_grad_()
    (gradient,) = torch.autograd.grad(objective(found), found)
    assert gradient.abs().max() < 1e-12


def test_the_threshold_is_least_on_a_grid() -> None:
    x = torch.linspace(-2, 2, 41, dtype=torch.float64)
    grid = torch.linspace(-3, 3, 6001, dtype=torch.float64).unsqueeze(1)
    best = (0.7 * grid.abs() + 0.5 * (grid - x) ** 2).min(0).values
    y = prox.l1(x, 0.7)
    assert ((0.7 * y.abs() + 0.5 * (y - x) ** 2) <= best + 1e-12).all()


def lasso() -> tuple[Array, Array, float, Array]:
    rng = np.random.default_rng(1)
    a = rng.normal(size=(200, 12))
    truth = np.where(np.arange(12) < 4, 2.0, 0.0)
    b = a @ truth + 0.3 * rng.normal(size=200)
    alpha = 0.1
    return a, b, alpha, Lasso(alpha, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(a, b).coef_


def test_a_lasso_converges_at_the_stated_rate() -> None:
    a, b, alpha, solution = lasso()

    def objective(x: Array) -> float:
        return float(0.5 * ((a @ x - b) ** 2).mean() + alpha * np.abs(x).sum())

    marks = [2**j for j in range(6, 12)]
    gaps = np.zeros(len(marks))
    seeds = 3
    for seed in range(seeds):
        net = OneWeight(np.zeros((1, 12)))
        optimizer = optimizer_of(net, lr=0.2, l1=alpha, beta=1.0)
        rng = np.random.default_rng(seed)
        largest, farthest = 0.0, float(np.linalg.norm(solution))
        for k in range(1, marks[-1] + 1):
            optimizer.look_ahead()
            row = a[i := rng.integers(len(a))]
            x = net.weight.detach().numpy()[0]
            gradient = row * (row @ x - b[i])
            largest = max(largest, float((a**2).sum(1).mean() * ((a @ x - b) ** 2).mean()) ** 0.5)
            farthest = max(farthest, float(np.linalg.norm(x - solution)))
            net.weight.grad = torch.from_numpy(gradient[None])
            optimizer.step()
            if k in marks:
                gap = objective(net.weight.detach().numpy()[0]) - objective(solution)
                gaps[marks.index(k)] += gap / seeds
                # Theorem 1 in this step size: the sum of M²η/2 and D²/2η, and β‖y*‖²/2 for the constraint.
                eta = 0.2 / np.sqrt(k)
                bound = farthest**2 / (2 * eta * k) + largest**2 * 0.2 / np.sqrt(k) + 0.5 * (solution**2).sum() / k
                assert gap <= bound
    slope = np.polyfit(np.log(marks), np.log(gaps), 1)[0]
    assert slope <= -0.5


def test_a_graph_guided_problem_ends_at_its_dual_solution() -> None:
    """min E ½‖x − b‖² + λ‖Dx‖₁ on a 4×5 grid; its dual is a least squares problem in a box."""
    rng = np.random.default_rng(2)
    picture = np.zeros((4, 5))
    picture[1:3, 1:4] = 2.0
    samples = picture.flatten() + rng.normal(size=(64, 20))
    mean, penalty = samples.mean(0), 0.3
    d = grid_differences((4, 5)).numpy()
    solution = mean - d.T @ lsq_linear(d.T, mean, bounds=(-penalty, penalty), tol=1e-14).x

    net = OneWeight(np.zeros((1, 20)))
    optimizer = optimizer_of(net, lr=1.0, l1=penalty, beta=0.5, power=1.0, grid=(4, 5))
    ones = np.ones((1, 20))
    distances = {}
    for k in range(1, 2049):
        step(net, optimizer, torch.from_numpy(np.stack([ones, samples[rng.integers(64)][None]])))
        if k in (128, 2048):
            distances[k] = float(np.linalg.norm(net.weight.detach().numpy()[0] - solution))
    assert distances[2048] <= 0.1
    assert distances[2048] <= distances[128] / 2
    assert np.linalg.norm(mean - solution) > 1.0  # without the penalty the answer is far from it


def test_biases_and_other_weights_take_plain_steps() -> None:
    net = nn.Linear(3, 2).double()
    optimizer = optimizer_of(net, lr=0.1, l1=5.0, power=0.0, grid=(4,))
    before = [p.detach().clone() for p in net.parameters()]
    optimizer.look_ahead()
    for p in net.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    for p, old in zip(net.parameters(), before, strict=True):
        torch.testing.assert_close(p.detach(), old - 0.1)


def test_looking_ahead_shows_the_iterate_and_the_step_takes_it_back() -> None:
    net = OneWeight(np.full((1, 2), 3.0))
    optimizer = optimizer_of(net, lr=0.1, l1=0.1)
    linear = torch.stack([torch.zeros(1, 2), torch.ones(1, 2)]).double()
    iterates = []
    for _ in range(3):
        step(net, optimizer, linear)
        iterates.append(optimizer.state[net.weight]["iterate"].clone())
    torch.testing.assert_close(net.weight.detach(), torch.stack(iterates).mean(0))
    optimizer.look_ahead()
    torch.testing.assert_close(net.weight.detach(), iterates[-1])


@pytest.mark.parametrize("grid", [None, (2,)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_goes_on_from_its_tensors_to_the_last_bit(grid: tuple[int, ...] | None, dtype: torch.dtype) -> None:
    fields: dict[str, Any] = {"lr": 0.1, "l1": 0.1, "weight_decay": 0.1, "grid": grid}
    whole = OneWeight(np.array([[1.0, -2.0], [0.5, 3.0]])).to(dtype)
    optimizer = optimizer_of(whole, **fields)
    pull = torch.tensor([[[1.0, 3.0], [0.2, 0.7]], [[0.1, 0.2], [0.3, 0.4]]], dtype=dtype)
    for _ in range(3):
        step(whole, optimizer, pull)
    later = OneWeight(whole.weight.detach().double().numpy()).to(dtype)
    resumed = optimizer_of(later, **fields)
    restore_optimizer(resumed, later, {k: t.clone() for k, t in optimizer_tensors(optimizer, whole).items()})
    for _ in range(4):
        step(whole, optimizer, pull)
        step(later, resumed, pull)
    assert torch.equal(whole.weight, later.weight)


def test_memory_is_told_from_the_tensors_that_are_kept() -> None:
    net = OneWeight(np.ones((2, 2)))
    optimizer = optimizer_of(net)
    step(net, optimizer, torch.zeros(2, 2, 2, dtype=torch.float64))
    kept = sum(t.numel() for t in optimizer_tensors(optimizer, net).values() if t.dim())
    assert kept == make("optimizers", "stochastic_admm").state_numbers(4)
