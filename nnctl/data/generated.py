"""Sets drawn from distributions and functions: each a function of its numbers, the split and the seed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from nnctl.data.samples import Samples
from nnctl.data.tables import in_memory
from nnctl.kinds.datasets.base import SplitName
from nnctl.randomness import derive


def draw_gaussians(means: Sequence[Sequence[float]], std: float, samples: int, split: SplitName, seed: int) -> Samples:
    """Return points around the means, whose classes differ in size by at most one."""
    labels = torch.arange(samples) % len(means)
    centres = torch.tensor(means, dtype=torch.float32)[labels]
    noise = torch.randn(centres.shape, generator=_generator(seed, "gaussians", split))
    return in_memory(centres + std * noise, labels, tuple(str(number) for number in range(len(means))))


def draw_polynomial(
    coefficients: Sequence[float], degree: int, noise: float, samples: int, split: SplitName, seed: int
) -> Samples:
    """Return Legendre's polynomials of random points as inputs, and the polynomial's values with noise."""
    generator = _generator(seed, "polynomial", split)
    x = 2 * torch.rand(samples, generator=generator, dtype=torch.float64) - 1
    y = torch.stack([c * x**k for k, c in enumerate(coefficients)]).sum(0)
    y = y + noise * torch.randn(samples, generator=generator, dtype=torch.float64)
    return in_memory(legendre(x, degree).float(), y.float().unsqueeze(1), None)


def legendre(x: Tensor, degree: int) -> Tensor:
    """Return P₁(x) … P_degree(x), (N, degree), by (k + 1) P_{k+1} = (2k + 1) x P_k − k P_{k−1}."""
    values = [torch.ones_like(x), x]
    for k in range(1, degree):
        values.append(((2 * k + 1) * x * values[k] - k * values[k - 1]) / (k + 1))
    return torch.stack(values[1 : degree + 1], 1)


def draw_teacher(features: int, hidden: int, noise: float, samples: int, split: SplitName, seed: int) -> Samples:
    """Return normal inputs and what the seed's teacher says of them."""
    drawn = _generator(seed, "teacher", "weights")
    inner = torch.randn(hidden, features, generator=drawn) * (2 / features) ** 0.5
    outer = torch.randn(hidden, generator=drawn) * (1 / hidden) ** 0.5
    generator = _generator(seed, "teacher", split)
    x = torch.randn(samples, features, generator=generator)
    y = torch.relu(x @ inner.T) @ outer + noise * torch.randn(samples, generator=generator)
    return in_memory(x, y.unsqueeze(1), None)


def _generator(seed: int, *of: str) -> Generator:
    return torch.Generator().manual_seed(derive(seed, *of))
