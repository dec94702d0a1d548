"""How the eigenvalues of a matrix are spread, by stochastic Lanczos quadrature.

S. Ubaru, J. Chen, Y. Saad: Fast estimation of tr(f(A)) via stochastic Lanczos quadrature, 2017. For a random vector v
of length 1, E[vᵀ f(A) v] = tr f(A) / n, and the Ritz values are the points of a Gauss quadrature for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, sqrt

import torch
from torch import Tensor

from nnctl.diagnosis.surface.lanczos import Product, Ritz, lanczos


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over random vectors, and its standard error (None of a single one)."""

    value: float
    error: float | None


@dataclass(frozen=True)
class Density:
    """The spectrum as each random vector sees it."""

    runs: list[Ritz]
    dimension: int
    rounding: float
    """Relative size of what may be rounding: an eigenvalue of it counts as 0."""

    @property
    def edge(self) -> float:
        """Return the size up to which an eigenvalue may be rounding."""
        return self.rounding * max(float(run.values.abs().max()) for run in self.runs)

    def negative_share(self) -> Estimate:
        """Return the share of eigenvalues below 0; those that their bound does not tell from 0 are not counted.

        The many directions that hardly bend would otherwise make it a toss-up: all of them gather in one Ritz value, on
        one side of 0 or the other.
        """
        return self._mean(lambda run: float(run.weights[run.values < -run.bounds.clamp_min(self.edge)].sum()))

    def trace(self) -> Estimate:
        """Return the sum of all eigenvalues."""
        return self._mean(lambda run: float(run.values @ run.weights) * self.dimension)

    def smoothed(self, at: Tensor, width: float) -> Tensor:
        """Return the density at places, each point of a quadrature being a normal distribution of that width."""
        total = torch.zeros_like(at)
        for run in self.runs:
            apart = (at[:, None] - run.values) / width
            total += torch.exp(-0.5 * apart**2) @ run.weights
        return total / (len(self.runs) * width * sqrt(2 * pi))

    def _mean(self, measured: Callable[[Ritz], float]) -> Estimate:
        values = torch.tensor([measured(run) for run in self.runs], dtype=torch.float64)
        error = float(values.std()) / sqrt(len(values)) if len(values) > 1 else None
        return Estimate(float(values.mean()), error)


def spectral_density(
    product: Product, dimension: int, probes: int, steps: int, seed: int, rounding: float = 1e-10
) -> Density:
    """Return the density from `probes` vectors of random signs, `steps` products each; where as many products give the
    whole matrix, all of its eigenvalues."""
    if dimension <= probes * steps:
        return Density([_whole(product, dimension)], dimension, rounding)
    generator = torch.Generator().manual_seed(seed)
    signs = (torch.randint(2, (dimension,), generator=generator).double() * 2 - 1 for _ in range(probes))
    return Density([lanczos(product, start, steps) for start in signs], dimension, rounding)


def _whole(product: Product, dimension: int) -> Ritz:
    """Return all eigenvalues of a small matrix; symmetric but for rounding, which is their bound."""
    matrix = torch.stack([product(unit) for unit in torch.eye(dimension, dtype=torch.float64)])
    error = torch.linalg.matrix_norm(matrix - matrix.T, 2) / 2 + torch.finfo(torch.float64).eps * matrix.norm()
    values = torch.linalg.eigvalsh((matrix + matrix.T) / 2)
    return Ritz(values, error.expand(dimension), torch.full_like(values, 1 / dimension))
