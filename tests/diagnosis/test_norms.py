"""Norms of numbers whose squares no type can hold."""

from __future__ import annotations

from math import inf, isnan, nan, sqrt

import pytest
import torch

from nnctl.diagnosis.norms import RootMeanSquare, norm


@pytest.mark.parametrize("size", [1e-30, 1e-38, 1.0, 1e30])
def test_single_precision_is_squared_in_double(size: float) -> None:
    tensor = torch.full((1000,), size)
    assert norm(tensor) == pytest.approx(tensor[0].item() * sqrt(1000), rel=1e-12, abs=0)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e-100, 1e100, 1e160, 1e300])
def test_double_precision_is_scaled_first(size: float) -> None:
    assert norm(torch.tensor([3.0, 4.0], dtype=torch.float64) * size) == pytest.approx(5 * size, rel=1e-12, abs=0)


def test_sums_of_many_numbers_keep_their_digits() -> None:
    """In single precision the 10⁷ ones would vanish beside the 10⁴."""
    tensor = torch.ones(10_000_001)
    tensor[0] = 1e4
    assert norm(tensor) == pytest.approx(sqrt(1e8 + 1e7), rel=1e-9)


def test_nothing_zero_and_not_finite() -> None:
    assert norm(torch.zeros(3)) == norm(torch.zeros(0)) == 0
    assert norm(torch.tensor([1.0, inf])) == inf
    assert isnan(norm(torch.tensor([1.0, nan])))


def test_the_mean_is_over_all_tensors() -> None:
    total = RootMeanSquare()
    assert total.value is None
    total.add(torch.tensor([1e-30, 1e-30]))
    total.add(torch.tensor([[5e-30]]))
    assert total.value == pytest.approx(3e-30, rel=1e-6, abs=0)
