"""Averages of weights against sums written out in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nnctl.data.order import epoch_order
from nnctl.optim.averaging import Average


def walk(average_of: dict[str, float | bool | int], steps: int = 9) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights before the first and after each step, and their average at the end."""
    torch.manual_seed(0)
    linear, norm = nn.Linear(3, 2).double(), nn.BatchNorm1d(2).double()
    net = nn.Sequential(linear, norm)
    assert norm.running_mean is not None
    average = Average(net, **average_of)  # type: ignore[arg-type]
    path = [linear.weight.detach().numpy().copy()]
    for step in range(steps):
        with torch.no_grad():
            for tensor in (*net.parameters(), norm.running_mean):
                tensor.add_(torch.randn_like(tensor))
        average.update(step)
        path.append(linear.weight.detach().numpy().copy())
    return np.stack(path), average.tensors["0.weight"].numpy()


def test_an_exponential_average_starts_at_the_first_weights() -> None:
    path, found = walk({"decay": 0.8})
    expected = path[0]
    for weights in path[1:]:
        expected = 0.8 * expected + 0.2 * weights
    assert np.abs(found - expected).max() < 1e-12


@pytest.mark.parametrize("start", [0, 4])
def test_a_uniform_average_is_the_mean_of_the_last_steps(start: int) -> None:
    path, found = walk({"decay": 0.8, "uniform": True, "start": start})
    assert np.abs(found - path[start + 1 :].mean(0)).max() < 1e-12


def test_before_its_start_the_average_is_the_present_weights() -> None:
    path, found = walk({"decay": 0.8, "start": 9})
    assert np.array_equal(found, path[-1])
    path, found = walk({"decay": 0.8, "start": 8})
    assert np.abs(found - (0.8 * path[-2] + 0.2 * path[-1])).max() < 1e-12


def test_samples_drawn_afresh_are_independent() -> None:
    orders = torch.stack([epoch_order(500, 1, epoch, "draw") for epoch in range(200)])
    distinct = torch.tensor([len(torch.unique(order)) for order in orders]).double()
    assert distinct.mean().item() / 500 == pytest.approx(1 - (1 - 1 / 500) ** 500, abs=0.005)
    counts = orders.flatten().bincount(minlength=500).double()
    assert counts.var().item() == pytest.approx(200, rel=0.25), "of a Poisson variable of mean 200"
    assert torch.equal(orders[3], epoch_order(500, 1, 3, "draw"))
    assert not torch.equal(orders[3], orders[4])
