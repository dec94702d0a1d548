"""Maximum mean discrepancy against its definition and its value for two normal distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nnctl.data.split import Batch
from nnctl.kinds.losses.base import Pass
from tests.recipe.helpers import make


def draw(n: int, features: int, seed: int, shift: float = 0.0) -> Tensor:
    return torch.randn(n, features, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


def loss(x: Tensor, y: Tensor, **fields: Any) -> float:
    return float(make("losses", "mmd", against="other", **fields).build()(x, y))


def kernel(x: Tensor, y: Tensor, bandwidth: float) -> float:
    return float(np.exp(-np.sum((x.numpy() - y.numpy()) ** 2) / (2 * bandwidth**2)))


X, Y = draw(7, 3, 1), draw(5, 3, 2, shift=0.5)


def test_biased_is_the_mean_over_all_pairs_of_sets_of_any_size() -> None:
    def mean(a: Tensor, b: Tensor) -> float:
        return float(np.mean([kernel(one, other, 1.5) for one in a for other in b]))

    expected = mean(X, X) + mean(Y, Y) - 2 * mean(X, Y)
    assert loss(X, Y, bandwidth=1.5) == pytest.approx(expected, rel=1e-10)


def test_linear_is_the_mean_over_consecutive_quadruples() -> None:
    def h(i: int) -> float:
        a, b, c, d = X[i], X[i + 1], Y[i], Y[i + 1]
        return kernel(a, b, 2.0) + kernel(c, d, 2.0) - kernel(a, d, 2.0) - kernel(b, c, 2.0)

    assert loss(X, Y, bandwidth=2.0, estimator="linear") == pytest.approx((h(0) + h(2)) / 2, rel=1e-12)
    assert loss(X[:1], Y, estimator="linear") == 0


def test_two_unit_normals_one_apart() -> None:
    """(2 − 2e^(−1/6))/√3 = 0.177268 for bandwidth 1."""
    exact = (2 - 2 * np.exp(-1 / 6)) / np.sqrt(3)
    assert exact == pytest.approx(0.177268, abs=5e-7)
    x, y = draw(400_000, 1, 3), draw(400_000, 1, 4, shift=1.0)
    assert loss(x, y, bandwidth=1.0, estimator="linear") == pytest.approx(exact, abs=0.004)
    bias = 2 * (1 - 1 / np.sqrt(3)) / 2000  # each sample is paired with itself too
    assert loss(x[:2000], y[:2000], bandwidth=1.0) == pytest.approx(exact + bias, abs=0.03)


def test_linear_is_unbiased_and_biased_is_never_negative() -> None:
    found = [loss(draw(8, 2, seed), draw(8, 2, seed + 1000), bandwidth=1.0, estimator="linear") for seed in range(400)]
    assert abs(np.mean(found)) < 4 * np.std(found) / 20
    assert min(found) < 0
    assert min(loss(draw(8, 2, seed), draw(3, 2, seed + 1000), bandwidth=1.0) for seed in range(50)) > 0
    assert loss(X, X, bandwidth=1.0) == pytest.approx(0, abs=1e-12)


def test_the_median_bandwidth_follows_the_scale_of_the_features() -> None:
    for estimator in ("biased", "linear"):
        once = loss(X, Y, estimator=estimator)
        assert loss(1000 * X, 1000 * Y, estimator=estimator) == pytest.approx(once, rel=1e-9)
        assert once > 0.01


def test_the_gradient_moves_one_set_to_the_other() -> None:
    x = draw(64, 2, 5).requires_grad_()
    (slope,) = torch.autograd.grad(make("losses", "mmd", against="other").build()(x, draw(64, 2, 6, shift=2.0)), x)
    assert (slope.mean(0) < 0).all()


def test_the_term_compares_batch_and_stream_at_one_place() -> None:
    seen = Pass(nn.Identity(), Batch({}, torch.zeros(7)), {"output": Y, "f": X}, {"other": {"output": X, "f": Y}})
    term = make("losses", "mmd", against="other", at="f", bandwidth=1.5).term()
    assert float(term(seen)) == loss(X, Y, bandwidth=1.5)
