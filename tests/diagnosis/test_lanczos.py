"""Lanczos and densities against dense eigenvalues."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from nnctl.diagnosis.surface.density import spectral_density
from nnctl.diagnosis.surface.lanczos import extremes, lanczos
from tests.diagnosis.helpers import normal


def symmetric(n: int, seed: int) -> Tensor:
    a = normal(n, n, seed=seed)
    return (a + a.T) / 2


def with_eigenvalues(values: Tensor, seed: int) -> Tensor:
    q, _ = torch.linalg.qr(normal(len(values), len(values), seed=seed))
    matrix: Tensor = q @ torch.diag(values.double()) @ q.T
    return matrix


@pytest.mark.parametrize("seed", range(3))
def test_all_steps_give_all_eigenvalues(seed: int) -> None:
    a = symmetric(40, seed)
    run = lanczos(lambda v: a @ v, normal(40, seed=seed + 9), 40)
    torch.testing.assert_close(run.values, torch.linalg.eigvalsh(a), rtol=0, atol=1e-11)
    assert float(run.weights.sum()) == pytest.approx(1)


def test_a_true_eigenvalue_lies_within_each_bound() -> None:
    a = symmetric(200, 1)
    true = torch.linalg.eigvalsh(a)
    run = lanczos(lambda v: a @ v, normal(200, seed=2), 30)
    apart = (run.values[:, None] - true).abs().min(1).values
    assert bool((apart <= run.bounds + 1e-12).all())
    assert float(run.bounds[-1]) < 0.5  # and they say something
    assert float(run.bounds.max()) > 1e-3


def test_extremes_are_found_long_before_the_rest() -> None:
    values = torch.cat([torch.linspace(-0.1, 0.1, 197), torch.tensor([-3.0, 7.0, 10.0])])
    a = with_eigenvalues(values, 4)
    found = extremes([lanczos(lambda v: a @ v, normal(200, seed=5), 20)], 2)
    assert [one.value for one in found[:2]] == pytest.approx([10, 7], abs=1e-9)
    assert found[-1].value == pytest.approx(-3, abs=1e-9)
    assert all(one.bound < 1e-6 for one in (found[0], found[1], found[-1]))


@pytest.mark.parametrize("times", [1, 3])
def test_no_eigenvalue_is_found_more_often_than_it_is_there(times: int) -> None:
    """Without reorthogonalisation the large one comes back as a ghost, again and again, within these many steps."""
    values = torch.cat([torch.full((times,), 100.0), torch.linspace(0, 1, 60 - times)])
    a = with_eigenvalues(values, 6)
    run = lanczos(lambda v: a @ v, normal(60, seed=7), 60)
    assert 1 <= int((run.values > 50).sum()) <= times
    assert float(run.values[-1]) == pytest.approx(100, abs=1e-9)


def test_stops_where_the_start_reaches_no_further() -> None:
    a = torch.diag(torch.tensor([2.0, 2.0, 5.0, 5.0], dtype=torch.float64))
    run = lanczos(lambda v: a @ v, torch.ones(4, dtype=torch.float64), 4)
    assert run.values.tolist() == pytest.approx([2, 5])
    assert run.weights.tolist() == pytest.approx([0.5, 0.5])
    zero = lanczos(lambda v: 0 * v, torch.ones(3, dtype=torch.float64), 3)
    assert (zero.values.tolist(), zero.bounds.tolist()) == ([0], [0])


def test_few_eigenvalues_are_all_told() -> None:
    a = torch.diag(torch.tensor([3.0, -1.0, 2.0], dtype=torch.float64))
    found = extremes([lanczos(lambda v: a @ v, normal(3, seed=1), 3)], 2)
    assert [one.value for one in found] == pytest.approx([3, 2, -1])


def test_density_trace_and_negative_share_agree_with_the_whole_spectrum() -> None:
    values = torch.cat([torch.linspace(-2, -1, 90), torch.linspace(1, 4, 210)])
    a = with_eigenvalues(values, 8)
    density = spectral_density(lambda v: a @ v, 300, probes=9, steps=25, seed=0)
    share, trace = density.negative_share(), density.trace()
    assert share.error is not None
    assert trace.error is not None
    assert abs(share.value - 0.3) < max(4 * share.error, 0.02)
    assert abs(trace.value - float(values.sum())) < 4 * trace.error
    at = torch.linspace(-3, 5, 41, dtype=torch.float64)
    exact = torch.exp(-0.5 * ((at[:, None] - values) / 0.4) ** 2).mean(1) / (0.4 * (2 * torch.pi) ** 0.5)
    torch.testing.assert_close(density.smoothed(at, 0.4), exact, rtol=0, atol=0.03)


def test_trace_is_exact_for_any_signs_where_the_matrix_is_diagonal() -> None:
    a = torch.diag(torch.arange(-20.0, 80.0, dtype=torch.float64))
    density = spectral_density(lambda v: a @ v, 100, probes=2, steps=30, seed=3)
    assert density.trace().value == pytest.approx(float(a.trace()))


def test_a_small_matrix_is_taken_whole() -> None:
    a = symmetric(12, 3)
    density = spectral_density(lambda v: a @ v, 12, probes=3, steps=5, seed=0)
    true = torch.linalg.eigvalsh(a)
    torch.testing.assert_close(density.runs[0].values, true, rtol=0, atol=1e-12)
    assert density.negative_share().value == pytest.approx(float((true < 0).double().mean()))
    assert density.negative_share().error is None
