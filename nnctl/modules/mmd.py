"""Two estimators of the squared maximum mean discrepancy, with a Gaussian kernel."""

from __future__ import annotations

import torch
from torch import Tensor


def biased(x: Tensor, y: Tensor, bandwidth: Tensor | float | None = None) -> Tensor:
    """Return the mean over all pairs of (M, …) and (N, …) samples; without `bandwidth` it is the median distance."""
    distances, m = all_pairs(x, y), len(x)
    kernel = _kernel(distances, median(distances) if bandwidth is None else bandwidth)
    return kernel[:m, :m].mean() + kernel[m:, m:].mean() - 2 * kernel[:m, m:].mean()


def linear(x: Tensor, y: Tensor, bandwidth: Tensor | float | None = None) -> Tensor:
    """Return the mean over consecutive quadruples, and 0 where there is none: fewer than two samples of a set."""
    distances = quadruples(x, y)
    if distances.numel() == 0:
        return (x.sum() + y.sum()) * 0.0
    kernel = _kernel(distances, median(distances) if bandwidth is None else bandwidth).mean(1)
    return kernel[0] + kernel[1] - kernel[2] - kernel[3]


def all_pairs(x: Tensor, y: Tensor) -> Tensor:
    """Return the squared distances between all samples of both sets, (M + N, M + N)."""
    both = torch.cat((x.flatten(1), y.flatten(1)))
    both = both - both.detach().mean(0)  # distances stay; fewer digits are lost in their expansion
    squares = both.square().sum(1)
    distances = squares.unsqueeze(1) + squares - 2 * both @ both.T
    itself = torch.eye(len(both), dtype=torch.bool, device=both.device)
    return distances.masked_fill(itself, 0.0).clamp(min=0)  # else rounding decides on which side of 0 it lies


def quadruples(x: Tensor, y: Tensor) -> Tensor:
    """Return the squared distances x–x′, y–y′, x–y′ and x′–y of consecutive samples, (4, pairs)."""
    pairs = min(len(x), len(y)) // 2
    x, y = (one[: 2 * pairs].reshape(pairs, 2, one[:1].numel()) for one in (x, y))
    ends = ((x[:, 0], x[:, 1]), (y[:, 0], y[:, 1]), (x[:, 0], y[:, 1]), (x[:, 1], y[:, 0]))
    return torch.stack([(one - other).square().sum(1) for one, other in ends])


def median(distances: Tensor) -> Tensor:
    """Return the median distance of squared ones as a constant, 1 where it is 0 or there is none."""
    if distances.numel() == 0:
        return torch.ones((), dtype=distances.dtype, device=distances.device)
    found = distances.detach().median().sqrt()
    return torch.where(found > 0, found, 1.0)


def _kernel(distances: Tensor, bandwidth: Tensor | float) -> Tensor:
    return torch.exp(-distances / (2 * bandwidth**2))
