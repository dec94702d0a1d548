"""What an activation makes of normally distributed numbers, at any variance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import sqrt

import torch
from torch import Tensor, nn

_REACH = 9.0  # beyond 9 deviations the normal density is below 1e-18
_POINTS = 6000
_PLANE_POINTS = 240


@dataclass(frozen=True, slots=True)
class Means:
    """Means over normally distributed z."""

    value: float
    """E[f(z)]"""
    square: float
    """E[f(z)²]"""
    fourth: float
    """E[f(z)⁴]"""
    slope: float
    """E[f′(z)²]"""
    slope_fourth: float
    """E[f′(z)⁴]"""


def means(function: nn.Module, q: float, mean: float = 0.0) -> Means:
    """Return the means of a pointwise `function` of float64 numbers of the given mean and mean square q.

    The midpoint rule: for smooth functions under the normal density as good as Gauss and Hermite's, and unlike theirs
    it stays good where f has a kink.
    """
    x, density = _line()
    f, slope = _evaluated(function, mean + sqrt(max(q - mean**2, 0.0)) * x)
    return Means(*(float((density * y).sum()) for y in (f, f**2, f**4, slope**2, slope**4)))


def product_mean(function: nn.Module, q: float, shared: float, mean: float = 0.0) -> float:
    """Return E[f(u)f(v)] for normal u and v of the given mean, with E[u²] = E[v²] = q and E[uv] = `shared`."""
    x, y, density = _plane()
    variance = max(q - mean**2, 0.0)
    c = min(max((shared - mean**2) / variance, -1.0), 1.0) if variance else 0.0
    u, v = mean + sqrt(variance) * x, mean + sqrt(variance) * (c * x + sqrt(1 - c * c) * y)
    with torch.no_grad():
        return float((density * function(u) * function(v)).sum())


def silent(correlation: float, count: int) -> float:
    """Return the probability that `count` equally correlated N(0, 1) numbers are all negative.

    With correlation c each is √c g + √(1 − c) e of one common g: E[Φ(−√c g / √(1 − c))^count].
    """
    c = min(max(correlation, 0.0), 1 - 1e-12)
    g, density = _line()
    return float((density * torch.special.ndtr(-sqrt(c) * g / sqrt(1 - c)) ** count).sum())


def _evaluated(function: nn.Module, z: Tensor) -> tuple[Tensor, Tensor]:
    z = z.clone().requires_grad_()
    with torch.enable_grad():
        f = function(z)
        (slope,) = torch.autograd.grad(f.sum(), z)
    return f.detach(), slope


@cache
def _line() -> tuple[Tensor, Tensor]:
    """Return midpoints of equal pieces, an even number so that none lies on a kink at 0, and their probabilities."""
    step = 2 * _REACH / _POINTS
    x = -_REACH + step * (torch.arange(_POINTS, dtype=torch.float64) + 0.5)
    density = torch.exp(-x * x / 2)
    return x, density / density.sum()


@cache
def _plane() -> tuple[Tensor, Tensor, Tensor]:
    step = 2 * _REACH / _PLANE_POINTS
    x = -_REACH + step * (torch.arange(_PLANE_POINTS, dtype=torch.float64) + 0.5)
    density = torch.exp(-x * x / 2)
    density = density / density.sum()
    u, v = torch.meshgrid(x, x, indexing="ij")
    return u, v, density[:, None] * density[None, :]
