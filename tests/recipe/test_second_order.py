"""Line searches and second-order methods on problems whose answers are known, and against scipy's and torch's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import pytest
import scipy.optimize  # type: ignore[import-untyped]
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from sklearn.datasets import load_breast_cancer
from torch import Tensor, nn

from nnctl.optim import flat
from nnctl.optim.closure import Closure
from nnctl.optim.curvature import bfgs_update, truncated_newton, two_loop
from nnctl.optim.groups import parameter_groups
from nnctl.optim.line_search import Point, Wolfe, line_search
from nnctl.optim.tensors import optimizer_tensors, restore_optimizer
from tests.recipe.helpers import make

KINDS = ("lbfgs", "bfgs", "conjugate_gradient", "newton")
N = 8
EIGENVALUES = np.logspace(0, 1.5, N)


class Vector(nn.Module):
    """Two parameters, so that what is flat is seen to be taken apart rightly."""

    def __init__(self, values: NDArray[np.float64]) -> None:
        super().__init__()
        cut = len(values) // 2
        self.first = nn.Parameter(torch.from_numpy(values[:cut].copy()).unsqueeze(0))
        self.second = nn.Parameter(torch.from_numpy(values[cut:].copy()))

    def all(self) -> Tensor:
        return torch.cat([self.first.flatten(), self.second])


@dataclass
class Problem:
    """A function of a vector, with what counts its evaluations."""

    f: Callable[[Tensor], Tensor]
    net: Vector
    evaluations: int = 0

    def closure(self) -> Closure:
        def loss() -> Tensor:
            self.evaluations += 1
            return self.f(self.net.all())

        return Closure(loss, list(self.net.parameters()))

    def gradient(self) -> Tensor:
        (g,) = torch.autograd.grad(self.f(x := self.net.all().detach().requires_grad_()), x)
        return g


def minimise(kind: str, problem: Problem, steps: int, **fields: Any) -> Problem:
    component = make("optimizers", kind, **fields)
    optimizer, closure = component.build(parameter_groups(problem.net, component)), problem.closure()
    for _ in range(steps):
        optimizer.step(closure)
    return problem


def quadratic(seed: int = 0) -> tuple[Problem, NDArray[np.float64]]:
    """Return ½xᵀAx − bᵀx with condition number 32, and its solution."""
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.normal(size=(N, N)))
    a, b = q @ np.diag(EIGENVALUES) @ q.T, rng.normal(size=N)
    ta, tb = torch.from_numpy(a), torch.from_numpy(b)
    return Problem(lambda x: 0.5 * x @ ta @ x - tb @ x, Vector(rng.normal(size=N))), np.linalg.solve(a, b)


def rosenbrock(x: Tensor) -> Tensor:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def logistic() -> tuple[Problem, float]:
    """Return a logistic regression with weight decay, and its least value by scipy."""
    x, y = load_breast_cancer(return_X_y=True)
    x = (x - x.mean(0)) / x.std(0)
    sign = 2.0 * y - 1

    def numpy_loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (x @ w)
        weight = -sign / (1 + np.exp(margin)) / len(y)
        return float(np.logaddexp(0, -margin).mean() + 0.005 * w @ w), x.T @ weight + 0.01 * w

    best = scipy.optimize.minimize(numpy_loss, np.zeros(30), jac=True, method="BFGS", options={"gtol": 1e-10})
    tx, ts = torch.from_numpy(x), torch.from_numpy(sign)
    f = lambda w: nn.functional.softplus(-ts * (tx @ w)).mean()  # noqa: E731
    return Problem(f, Vector(np.zeros(30))), best.fun


def test_newton_solves_a_quadratic_in_one_step() -> None:
    problem, solution = quadratic()
    minimise("newton", problem, 1, tolerance=1e-14)
    np.testing.assert_allclose(problem.net.all().detach(), solution, rtol=1e-8, atol=1e-10)


def test_the_dampings_of_newton_are_in_its_equation() -> None:
    problem, _ = quadratic()
    x, g = problem.net.all().detach(), problem.gradient()
    hessian = torch.func.jacrev(torch.func.grad(problem.f))(x)
    expected = x - torch.linalg.solve(hessian + 2.0 * torch.eye(N, dtype=x.dtype), g)
    minimise("newton", problem, 1, tolerance=1e-14, damping=2.0)
    torch.testing.assert_close(problem.net.all().detach(), expected, rtol=1e-8, atol=1e-10)


def test_newton_goes_downhill_where_the_hessian_is_indefinite() -> None:
    problem = Problem(lambda x: (x**4 - 2 * x**2).sum(), Vector(np.full(4, 0.1)))
    minimise("newton", problem, 12)
    np.testing.assert_allclose(problem.net.all().detach(), np.ones(4), rtol=1e-6)


@pytest.mark.parametrize("formula", ["polak_ribiere", "fletcher_reeves"])
def test_conjugate_gradients_solve_a_quadratic_in_n_exact_steps(formula: str) -> None:
    problem, solution = quadratic()
    minimise("conjugate_gradient", problem, N - 1, formula=formula, c1=1e-12, c2=1e-9)
    assert problem.gradient().norm() > 1e-3
    minimise_rest, _ = quadratic()
    minimise("conjugate_gradient", minimise_rest, N, formula=formula, c1=1e-12, c2=1e-9)
    np.testing.assert_allclose(minimise_rest.net.all().detach(), solution, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", ["bfgs", "lbfgs"])
def test_quasi_newton_methods_end_a_quadratic_in_n_exact_steps(kind: str) -> None:
    problem, solution = quadratic()
    minimise(kind, problem, N + 1, c1=1e-12, c2=1e-9)
    np.testing.assert_allclose(problem.net.all().detach(), solution, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("kind", "steps"), [("lbfgs", 50), ("bfgs", 50), ("conjugate_gradient", 80), ("newton", 40)])
def test_rosenbrock_is_solved(kind: str, steps: int) -> None:
    problem = minimise(kind, Problem(rosenbrock, Vector(np.array([-1.2, 1.0]))), steps)
    np.testing.assert_allclose(problem.net.all().detach(), np.ones(2), rtol=1e-6)


@pytest.mark.parametrize(("kind", "steps"), [("lbfgs", 60), ("bfgs", 90), ("conjugate_gradient", 100), ("newton", 8)])
def test_logistic_regression_ends_at_scipys_optimum(kind: str, steps: int) -> None:
    problem, optimum = logistic()
    minimise(kind, problem, steps, weight_decay=0.01, decay_on="all")
    x = problem.net.all()
    assert (problem.f(x) + 0.005 * x @ x).item() == pytest.approx(optimum, rel=1e-10)


def test_l_bfgs_needs_no_more_evaluations_than_torchs_and_ends_at_the_same_point() -> None:
    problem, _ = logistic()
    f = lambda x: problem.f(x) + 0.005 * x @ x  # noqa: E731
    ours = minimise("lbfgs", Problem(f, Vector(np.zeros(30))), 25)
    theirs = Problem(f, Vector(np.zeros(30)))
    twin = torch.optim.LBFGS(
        theirs.net.parameters(), max_iter=25, history_size=10, line_search_fn="strong_wolfe", tolerance_change=0.0
    )
    twin.step(theirs.closure())  # type: ignore[no-untyped-call]
    assert twin.state[theirs.net.first]["n_iter"] == 25
    torch.testing.assert_close(ours.net.all(), theirs.net.all(), rtol=1e-3, atol=1e-4)
    assert ours.evaluations - 25 <= 1.1 * theirs.evaluations  # each of our steps begins with an evaluation of its own


@pytest.mark.parametrize("kind", KINDS)
def test_every_accepted_step_meets_the_strong_wolfe_conditions(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted: list[tuple[Point, Point, Wolfe]] = []

    def watched(phi: Callable[[float], Point], start: Point, first: float, wolfe: Wolfe) -> Point:
        end = line_search(phi, start, first, wolfe)
        accepted.append((start, end, wolfe))
        return end

    monkeypatch.setattr(flat, "line_search", watched)
    minimise(kind, Problem(rosenbrock, Vector(np.array([-1.2, 1.0, 0.3, 2.0]))), 15)
    assert len(accepted) == 15
    for start, end, wolfe in accepted:
        assert start.slope < 0
        assert end.t > 0
        assert end.value <= start.value + wolfe.c1 * end.t * start.slope
        assert abs(end.slope) <= wolfe.c2 * abs(start.slope)


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 10.0, 1e3])
@pytest.mark.parametrize("c2", [0.1, 0.9])
@pytest.mark.parametrize(
    "function",
    [
        lambda t: -t / (t**2 + 2),  # Moré and Thuente, test functions 1, 2 and one more
        lambda t: (t + 0.004) ** 5 - 2 * (t + 0.004) ** 4,
        lambda t: torch.exp(0.1 * t) - 3 * t - torch.sin(6 * t),
    ],
)
def test_the_line_search_finds_its_point_from_any_first_step(
    function: Callable[[Tensor], Tensor], c2: float, first: float
) -> None:
    def phi(t: float) -> Point:
        x = torch.tensor(t, dtype=torch.float64, requires_grad=True)
        value = function(x)
        (slope,) = torch.autograd.grad(value, x)
        return Point(t, value.item(), slope.item(), slope)

    start, wolfe = phi(0.0), Wolfe(1e-4, c2)
    end = line_search(phi, start, first, wolfe)
    assert end.value <= start.value + 1e-4 * end.t * start.slope
    assert abs(end.slope) <= c2 * abs(start.slope)


def test_the_line_search_comes_back_from_where_nothing_is_a_number() -> None:
    def phi(t: float) -> Point:  # −log(1 − t) − 2t, infinite from 1 on
        zero = torch.zeros(1, dtype=torch.float64)
        return Point(t, -np.log(1 - t) - 2 * t, 1 / (1 - t) - 2, zero) if t < 1 else Point(t, inf, np.nan, zero)

    assert line_search(phi, phi(0.0), 40.0, Wolfe(1e-4, 0.01)).t == pytest.approx(0.5, abs=0.01)


def test_a_line_that_only_rises_is_not_followed() -> None:
    problem = Problem(lambda x: x.abs().sum(), Vector(np.full(4, 1e-300)))  # at the minimum, up to rounding
    before = problem.net.all().detach().clone()
    minimise("lbfgs", problem, 2)
    assert problem.f(problem.net.all()) <= before.sum()


def pairs(count: int) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(1)
    root = torch.randn(N, N, generator=generator, dtype=torch.float64)
    steps = torch.randn(count, N, generator=generator, dtype=torch.float64)
    return [(s, root @ (root.T @ s) + 0.1 * s) for s in steps]


@pytest.mark.parametrize("count", [1, 3, 6])
def test_both_forms_of_bfgs_are_the_textbooks_matrix(count: int) -> None:
    chosen = pairs(count)
    s, y = (t.numpy() for t in chosen[-1])
    h = np.eye(N) * (s @ y) / (y @ y)
    ours = torch.from_numpy(h)
    for s, y in ((s.numpy(), y.numpy()) for s, y in chosen):
        left = np.eye(N) - np.outer(s, y) / (s @ y)
        h = left @ h @ left.T + np.outer(s, s) / (s @ y)
        ours = bfgs_update(ours, torch.from_numpy(s), torch.from_numpy(y))
    g = np.arange(1.0, N + 1)
    np.testing.assert_allclose(ours.numpy(), h, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(two_loop(torch.from_numpy(g), chosen).numpy(), -h @ g, rtol=1e-9, atol=1e-9)


def test_truncated_newton_stops_at_negative_curvature() -> None:
    diagonal = torch.tensor([1.0, -1.0], dtype=torch.float64)
    g = torch.tensor([0.1, 1.0], dtype=torch.float64)
    assert torch.equal(truncated_newton(lambda v: diagonal * v, g, 10, 1e-9), -g)


def test_the_weights_decay_as_in_the_loss() -> None:
    plain, optimum = logistic()
    f = lambda x: plain.f(x) + 0.005 * (x[:15] @ x[:15])  # noqa: E731  # the first parameter alone is a matrix
    inside = minimise("lbfgs", Problem(f, Vector(np.zeros(30))), 30)
    beside = minimise("lbfgs", plain, 30, weight_decay=0.01)
    torch.testing.assert_close(inside.net.all(), beside.net.all(), rtol=1e-9, atol=1e-9)
    assert optimum > 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_goes_on_from_its_tensors_to_the_last_bit(kind: str, dtype: torch.dtype) -> None:
    fields = {"history": 3} if kind == "lbfgs" else {}
    component = make("optimizers", kind, **fields)

    def start(values: NDArray[np.float64]) -> tuple[Problem, Any]:
        problem = Problem(rosenbrock, Vector(values))
        problem.net.to(dtype)
        return problem, component.build(parameter_groups(problem.net, component))

    whole, optimizer = start(np.array([-1.2, 1.0, 0.3, 2.0]))
    for _ in range(8):
        optimizer.step(whole.closure())
    later, resumed = start(whole.net.all().detach().double().numpy())
    restore_optimizer(resumed, later.net, {k: t.clone() for k, t in optimizer_tensors(optimizer, whole.net).items()})
    for _ in range(6):
        optimizer.step(whole.closure())
        resumed.step(later.closure())
    assert torch.equal(whole.net.all(), later.net.all())


@pytest.mark.parametrize("kind", KINDS)
def test_memory_is_told_from_what_is_kept(kind: str) -> None:
    component = make("optimizers", kind)
    problem = Problem(rosenbrock, Vector(np.array([-1.2, 1.0, 0.3, 2.0])))
    optimizer = component.build(parameter_groups(problem.net, component))
    optimizer.step(problem.closure())
    kept = sum(t.numel() for t in optimizer_tensors(optimizer, problem.net).values() if t.dim())
    assert kept == component.state_numbers(4)


def test_the_loss_at_hand_is_not_computed_again() -> None:
    problem, _ = quadratic()
    component = make("optimizers", "newton", tolerance=1e-14)
    optimizer, closure = component.build(parameter_groups(problem.net, component)), problem.closure()
    closure.known = closure()
    optimizer.step(closure)
    assert problem.evaluations == 3  # the one at hand, the one with a graph, the end of the step


def test_the_conditions_come_in_their_order() -> None:
    with pytest.raises(ValidationError, match="`c2` must be above `c1`"):
        make("optimizers", "lbfgs", c1=0.1, c2=0.05)


def test_the_rate_is_the_share_of_the_step_that_is_tried_first() -> None:
    problem, _ = quadratic()
    x = problem.net.all().detach()
    newton = make("optimizers", "newton", tolerance=1e-14)
    whole = minimise("newton", Problem(problem.f, Vector(x.numpy())), 1, tolerance=1e-14).net.all() - x
    half = minimise("newton", problem, 1, tolerance=1e-14, lr=0.5).net.all() - x
    torch.testing.assert_close(half, 0.5 * whole)
    assert newton.lr == 1.0


@pytest.mark.parametrize("count", [2, 3, 5, 6, 7, 13])
def test_l_bfgs_remembers_the_newest_pairs_in_their_order(count: int) -> None:
    net = Vector(np.zeros(N))
    component = make("optimizers", "lbfgs", history=3)
    optimizer, given = component.build(parameter_groups(net, component)), pairs(count)
    for s, y in given:
        optimizer.remember(s, y)
    g = torch.arange(1.0, N + 1, dtype=torch.float64)
    torch.testing.assert_close(optimizer.direction(g), two_loop(g, given[-3:]))
