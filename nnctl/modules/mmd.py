"""Two estimators of the squared maximum mean discrepancy, with a Gaussian kernel."""

from __future__ import annotations

import torch
from torch import Tensor


def biased(x: Tensor, y: Tensor, bandwidth: float | None = None) -> Tensor:
    """Return the mean over all pairs of (M, …) and (N, …) samples; without `bandwidth` it is the median distance."""
    both = torch.cat((x.flatten(1), y.flatten(1)))
    both = both - both.detach().mean(0)  # distances stay; fewer digits are lost in their expansion
    squares = both.square().sum(1)
    distances = (squares.unsqueeze(1) + squares - 2 * both @ both.T).clamp(min=0)
    scale = _median(distances) if bandwidth is None else bandwidth**2
    kernel, m = torch.exp(-distances / (2 * scale)), len(x)
    return kernel[:m, :m].mean() + kernel[m:, m:].mean() - 2 * kernel[:m, m:].mean()


def linear(x: Tensor, y: Tensor, bandwidth: float | None = None) -> Tensor:
    """Return the mean over consecutive quadruples, and 0 where there is none: fewer than two samples of a set."""
    pairs = min(len(x), len(y)) // 2
    if pairs == 0:
        return (x.sum() + y.sum()) * 0.0
    x, y = (one[: 2 * pairs].reshape(pairs, 2, one[:1].numel()) for one in (x, y))
    ends = ((x[:, 0], x[:, 1]), (y[:, 0], y[:, 1]), (x[:, 0], y[:, 1]), (x[:, 1], y[:, 0]))
    distances = torch.stack([(one - other).square().sum(1) for one, other in ends])
    scale = _median(distances) if bandwidth is None else bandwidth**2
    kernel = torch.exp(-distances / (2 * scale)).mean(1)
    return kernel[0] + kernel[1] - kernel[2] - kernel[3]


def _median(distances: Tensor) -> Tensor:
    """Return the median of the squared distances as a constant, 1 where it is 0."""
    median = distances.detach().median()
    return torch.where(median > 0, median, 1.0)
